"""`python -m benchmarks.studies.building`: how long the step of many towers takes to build."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.studies import report
from benchmarks.studies.fresh_runs import finish
from benchmarks.studies.pairs import Target
from results.commands.arguments import count

DESCRIPTION = """\
Build the training step of ResNet-50 for 1, 2, 4 and 8 towers on logical CPU devices: its variables, its graph and what
TensorFlow makes of it, without running it. Each in a process of its own, under each strategy.

The step for 8 towers is to be built within 60 s, in a time that grows no faster than the number of towers.

It takes about five minutes on two cores.
"""
MODEL = "resnet50"
TOWERS = (1, 2, 4, 8)
LIMIT = Target(60.0, at_most=True)
STRATEGIES = ("replicated", "parameter_server", "sharded")
OF_ONE_PROCESS = (*STRATEGIES, "distributed_replicated", "mirrored", "independent")  # which can be asked for


@dataclass(frozen=True)
class Built:
    """Seconds to build the step of so many towers."""

    strategy: str
    towers: int
    seconds: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the study; returns the exit code."""
    return report.run(_parser(), study, arguments)


def study(options: argparse.Namespace) -> None:
    """Build every step, print and save."""
    results: list[Built] = []
    for strategy in report.named("--strategies", options.strategies, OF_ONE_PROCESS):
        for towers in TOWERS:
            report.note(f"{strategy}, {towers} towers")
            results.append(Built(strategy, towers, build(strategy, towers, options.batch)))
            _save(options, results)
    report.say(table(results))


def build(strategy: str, towers: int, batch: int) -> float:
    """Seconds to build the step of `towers` towers, in a process of its own."""
    flags = [
        f"--model={MODEL}",
        "--device=cpu",
        f"--num_gpus={towers}",
        f"--batch_size={batch}",
        f"--variable_update={strategy}",
    ]
    program = f"from benchmarks.studies.in_process import seconds_to_build; print(seconds_to_build({flags!r}))"
    return float(finish([sys.executable, "-c", program]).output.splitlines()[-1])


def table(results: Sequence[Built]) -> str:
    """The Markdown table: seconds by strategy and towers, and the last over the first, per tower."""
    headings = ["strategy", *(f"{count} tower{'s' * (count > 1)}, s" for count in TOWERS), "8 / (8 x 1)", "target", ""]
    rows = []
    for strategy in dict.fromkeys(result.strategy for result in results):
        seconds = [result.seconds for result in results if result.strategy == strategy]
        growth = seconds[-1] / (TOWERS[-1] * seconds[0])
        cells = [f"{each:.1f}" for each in seconds]
        target = report.target_text(LIMIT)
        rows.append([strategy, *cells, f"{growth:.2f}", target, report.verdict(seconds[-1], LIMIT)])
    return report.table(headings, rows)


def _save(options: argparse.Namespace, results: Sequence[Built]) -> None:
    report.save(options.output, "building", {"batch": options.batch, "built": results})


def _parser() -> argparse.ArgumentParser:
    parser = report.parser("building", DESCRIPTION)
    parser.add_argument("--strategies", default=",".join(STRATEGIES), metavar="NAME,...", help="only these")
    parser.add_argument("--batch", type=count, default=2, help="images a tower; the graph is the same (default 2)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
