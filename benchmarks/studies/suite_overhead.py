"""`python -m benchmarks.studies.suite_overhead`: what a suite adds to the time of the runs that it makes."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.errors import UserError
from benchmarks.studies import report
from benchmarks.studies.fresh_runs import ONE_PROCESS, finish
from benchmarks.studies.pairs import Target, in_turn, ratios, spread
from benchmarks.suite import journal
from results.commands.arguments import count

DESCRIPTION = """\
Run 50 trivial cells (4 images, 10 steps) as a suite, and the same commands one after the other without one. A pair is
one of each; every other pair is made the other way round.

ratio            wall time of the suite over that of the plain runs: the suite's own start, checks, journal and looks.
in the suite     what of the suite's wall time none of its processes had, by its journal: the same cost, without the
                 noise of two times fifty starts of TensorFlow.

Both are to stay below 10 %. With two pairs it takes about a quarter of an hour on two cores. Leave the machine alone.
"""
TARGET = Target(1.1, at_most=True)
_CELL = ("model=trivial", "data_name=cifar10", "device=cpu", "batch_size=4", "num_warmup_batches=1", "num_batches=10")


@dataclass(frozen=True)
class Pair:
    """Wall seconds of a suite, of its processes alone, and of the same commands without it."""

    suite: float
    processes: float
    plain: float

    @property
    def share(self) -> float:
        """1 + what the suite adds to its processes' own time, as a share of that."""
        return self.suite / self.processes


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the study; returns the exit code."""
    return report.run(_parser(), study, arguments)


def study(options: argparse.Namespace) -> None:
    """Measure all pairs, and print and save what came out."""
    pairs: list[Pair] = []
    try:
        for number in range(1, options.pairs + 1):
            report.note(f"pair {number} of {options.pairs}")
            pairs.append(one_pair(number, lambda: suite(options.cells), lambda: plain(options.cells)))
            _save(options, pairs)
    finally:  # an interrupt must not lose what is there
        if pairs:
            report.say(table(pairs, options.cells))


def one_pair(number: int, suite: Callable[[], tuple[float, float]], plain: Callable[[], float]) -> Pair:
    """The suite and the plain runs; of even pairs the latter are made first."""
    (whole, processes), alone = in_turn(number, suite, plain)
    return Pair(whole, processes, alone)


def suite(cells: int) -> tuple[float, float]:
    """Wall seconds of a suite of so many cells, and of its processes. Raises UserError where it fails."""
    with tempfile.TemporaryDirectory() as folder:
        seeds = ",".join(map(str, range(1, cells + 1)))
        sets = [f"--set={setting}" for setting in (*_CELL, f"tf_random_seed={seeds}")]
        words = ["-m", "benchmarks.suite", *sets, f"--results_dir={folder}", f"--max_cells={cells}"]
        begin = time.perf_counter()
        finish([sys.executable, *words])
        whole = time.perf_counter() - begin
        entries = journal.read(Path(folder) / journal.file_name((1, 1)))
    seconds = [entry["seconds"] for entry in entries if entry["kind"] == "end"]
    if len(seconds) != cells:
        raise UserError(f"the suite made {len(seconds)} attempts at {cells} cells: some were made again")
    return whole, sum(seconds)


def plain(cells: int) -> float:
    """Wall seconds of the same commands. Raises UserError where one fails."""
    with tempfile.TemporaryDirectory() as folder:
        flags = [*(f"--{setting}" for setting in _CELL), f"--results_dir={folder}"]
        begin = time.perf_counter()
        for seed in range(1, cells + 1):
            finish([sys.executable, *ONE_PROCESS, *flags, f"--tf_random_seed={seed}"])
        return time.perf_counter() - begin


def table(pairs: Sequence[Pair], cells: int) -> str:
    """The Markdown table, a row for each of the two ways to see the cost."""
    own, against = spread(pair.share for pair in pairs), ratios([(pair.suite, pair.plain) for pair in pairs])
    suites, processes = spread(pair.suite for pair in pairs), spread(pair.processes for pair in pairs)
    runs = spread(pair.plain for pair in pairs)
    rows = [
        [name, f"{suites.median:.1f}", f"{other.median:.1f}", report.ratio_text(found), report.target_text(TARGET),
         report.verdict(found.median, TARGET)]
        for name, other, found in (("plain runs", runs, against), ("in the suite", processes, own))
    ]  # fmt: skip
    headings = [f"{cells} cells against", "suite, s", "runs, s", "ratio (range)", "target", ""]
    return report.table(headings, rows)


def _save(options: argparse.Namespace, pairs: Sequence[Pair]) -> None:
    report.save(options.output, "suite_overhead", {"cells": options.cells, "pairs": pairs})


def _parser() -> argparse.ArgumentParser:
    parser = report.parser("suite_overhead", DESCRIPTION)
    parser.add_argument("--pairs", type=count, default=2, help="suites and plain runs (default 2)")
    parser.add_argument("--cells", type=count, default=50, help="cells of a suite (default 50)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
