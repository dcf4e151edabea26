"""`python -m benchmarks.studies.telemetry_overhead`: what looking at the hardware costs a run."""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.studies import report
from benchmarks.studies.comparison import Comparison, window_speed
from benchmarks.studies.fresh_runs import FreshRun, run_ours, synthetic_flags
from benchmarks.studies.pairs import Target, in_turn
from benchmarks.telemetry.host import Host
from results.commands.arguments import count

DESCRIPTION = """\
Compare training of ResNet-20 with 32 images on the CPU whose hardware is watched (--telemetry_interval=1, the default,
and 0.1) with one that is not (0), and one that is not with another that is not either: that row says by how much two
equal runs differ on this machine (A/A).

Runs take turns, each in a fresh process: a pair of each row, then the next pair of each, every other one the other way
round. A run's speed is that of its whole measured window. The table has the medians, and the median, lowest and highest
ratio within the pairs.

Pairs of runs scatter by more than looking costs. So the time of a look itself is told too, at the host by this process:
even if the step stood still for all of it, no more than that share would be lost.

With five pairs it takes about a quarter of an hour on two cores. Leave the machine alone meanwhile.
"""
LOOKS = 200
MODEL, BATCH_SIZE, STEPS = "resnet20", 32, 400  # some twenty seconds: as many looks
TARGET = Target(0.99)


@dataclass(frozen=True)
class Case:
    """A run that is looked at every `interval` seconds, against one that is not; with 0 neither is."""

    interval: float

    @property
    def name(self) -> str:
        """What the table calls it."""
        return f"every {self.interval:g} s" if self.interval else "A/A: never"

    @property
    def target(self) -> Target | None:
        """The bound of the speed with telemetry over that without; only the default is judged."""
        return TARGET if self.interval == 1 else None


CASES = (Case(1), Case(0.1), Case(0))
Run = Callable[[float], FreshRun]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the study; returns the exit code."""
    return report.run(_parser(), study, arguments)


def study(options: argparse.Namespace) -> None:
    """Measure a look and all pairs, and print and save what came out."""
    report.say(look_text(look_seconds(Host().sample)))
    pairs: dict[Case, list[tuple[FreshRun, FreshRun]]] = {}
    try:
        for number in range(1, options.pairs + 1):
            for case in CASES:
                report.note(f"{case.name}: pair {number} of {options.pairs}")
                pairs.setdefault(case, []).append(one_pair(case, number, lambda interval: _run(interval, options)))
                _save(options, pairs)
    finally:  # an interrupt must not lose what is there
        if pairs:
            report.say(table(pairs))
            report.say(f"\n{MODEL}, {BATCH_SIZE} images, {options.steps} steps a run, {options.pairs} pairs.")


def look_seconds(look: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    """The median time of LOOKS calls of `look`."""

    def timed() -> float:
        begin = clock()
        look()
        return clock() - begin

    return statistics.median(timed() for _ in range(LOOKS))


def look_text(seconds: float) -> str:
    """What a look of so many seconds can cost at most, looking every second, which is the default."""
    return f"A look at the host takes {1e3 * seconds:.2f} ms: at most {seconds:.2%} of the time, every second.\n"


def one_pair(case: Case, number: int, run: Run) -> tuple[FreshRun, FreshRun]:
    """The run of `case` that is watched, and the one that is not; of even pairs the latter is made first."""
    return in_turn(number, lambda: run(case.interval), lambda: run(0))


def table(pairs: dict[Case, list[tuple[FreshRun, FreshRun]]]) -> str:
    """The Markdown table of all cases."""
    headings = ["hardware is looked at", "images/sec", "without", "ratio (range)", "target", ""]
    rows = [[case.name, *Comparison(case, found, window_speed).cells()] for case, found in pairs.items()]
    return report.table(headings, rows)


def _run(interval: float, options: argparse.Namespace) -> FreshRun:
    return run_ours([*synthetic_flags(MODEL, BATCH_SIZE, options.steps), f"--telemetry_interval={interval:g}"])


def _save(options: argparse.Namespace, pairs: dict[Case, list[tuple[FreshRun, FreshRun]]]) -> None:
    cases = [
        {
            "interval": case.interval,
            "pairs": [{"watched": watched, "alone": alone} for watched, alone in found],
        }
        for case, found in pairs.items()
    ]
    report.save(options.output, "telemetry_overhead", {"pairs": options.pairs, "steps": options.steps, "cases": cases})


def _parser() -> argparse.ArgumentParser:
    parser = report.parser("telemetry_overhead", DESCRIPTION)
    parser.add_argument("--pairs", type=count, default=5, help="pairs of runs a row (default 5)")
    parser.add_argument("--steps", type=count, default=STEPS, help=f"measured steps a run (default {STEPS})")
    return parser


if __name__ == "__main__":
    sys.exit(main())
