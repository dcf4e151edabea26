"""`python -m benchmarks.studies.real_input`: training on real images against synthetic ones."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.errors import UserError
from benchmarks.studies import report
from benchmarks.studies.comparison import Comparison, compare, window_speed
from benchmarks.studies.fresh_runs import run_ours, synthetic_flags
from benchmarks.studies.pairs import Target
from results.commands.arguments import count

DESCRIPTION = """\
Compare training of ResNet-20 with 128 images a step on CIFAR-10 from TFRecord files with the same on synthetic images:
once with the images as they are stored, and once augmented (--distortions).

Runs of run_benchmark.py with real and with synthetic input take turns, each in a fresh process on the CPU. A run's
speed is that of its whole measured window, so that a wait for input counts wherever it falls. The target is 0.95.

With five pairs it takes about ten minutes on two cores. Leave the machine alone meanwhile. The files come from
`python -m benchmarks.inputs.cifar10`.
"""
MODEL, BATCH_SIZE = "resnet20", 128
TARGET = Target(0.95)


@dataclass(frozen=True)
class Variant:
    """One way to read the images: `name` is what the table calls it."""

    name: str
    flag: str
    target: Target = TARGET


VARIANTS = (Variant("as stored", "--nodistortions"), Variant("augmented", "--distortions"))
Result = Comparison[Variant]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the study; returns the exit code."""
    return report.run(_parser(), study, arguments)


def study(options: argparse.Namespace) -> None:
    """Measure both variants, print and save."""
    data_dir = Path(options.data_dir).expanduser().resolve()
    if not data_dir.is_dir():
        raise UserError(
            f"--data_dir={options.data_dir}: there is no such folder. "
            f"Make it with: python -m benchmarks.inputs.cifar10 --data_dir={options.data_dir}"
        )
    flags = synthetic_flags(MODEL, BATCH_SIZE, options.steps)
    results: list[Result] = []
    for variant in VARIANTS:
        real = partial(run_ours, [*flags, f"--data_dir={data_dir}", variant.flag])
        results.append(compare(variant, options.pairs, real, partial(run_ours, flags), speed=window_speed))
        _save(options, results)
    report.say(table(results))
    report.say(f"\n{MODEL}, {BATCH_SIZE} images, {options.pairs} pairs of fresh runs of {options.steps} steps.")


def table(results: Sequence[Result]) -> str:
    """The Markdown table."""
    headings = ["CIFAR-10 images", "real, images/sec", "synthetic", "ratio (range)", "target", ""]
    return report.table(headings, [[result.case.name, *result.cells()] for result in results])


def _save(options: argparse.Namespace, results: Sequence[Result]) -> None:
    variants = {
        result.case.name: [{"real": real, "synthetic": synthetic} for real, synthetic in result.pairs]
        for result in results
    }
    report.save(options.output, "real_input", {"steps": options.steps, "variants": variants})


def _parser() -> argparse.ArgumentParser:
    parser = report.parser("real_input", DESCRIPTION)
    parser.add_argument("--data_dir", required=True, metavar="DIR", help="folder with CIFAR-10's TFRecord files")
    parser.add_argument("--pairs", type=count, default=5, help="pairs of runs a variant (default 5)")
    parser.add_argument("--steps", type=count, default=60, help="measured steps a run (default 60)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
