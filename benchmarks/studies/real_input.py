"""`python -m benchmarks.studies.real_input`: training on real images against synthetic ones."""

from __future__ import annotations

import argparse
import dataclasses
import statistics
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.errors import UserError
from benchmarks.studies import report
from benchmarks.studies.fresh_runs import FreshRun, run_ours, synthetic_flags
from benchmarks.studies.pairs import Spread, Target, interleaved, ratios

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
VARIANTS = {"as stored": "--nodistortions", "augmented": "--distortions"}


@dataclass(frozen=True)
class Result:
    """The pairs (real, synthetic) of a variant of the real input."""

    variant: str
    pairs: Sequence[tuple[FreshRun, FreshRun]]

    @property
    def speeds(self) -> list[tuple[float, float]]:
        """Images per second of the windows, (real, synthetic)."""
        return [(window_speed(real), window_speed(synthetic)) for real, synthetic in self.pairs]

    @property
    def ratio(self) -> Spread:
        """Real / synthetic."""
        return ratios(self.speeds)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the study; returns the exit code."""
    return report.run(_parser(), study, arguments)


def study(options: argparse.Namespace) -> None:
    """Measure both variants, print and save."""
    _save(options, [])  # a file that cannot be written must show before anything is measured
    data_dir = Path(options.data_dir).expanduser().resolve()
    if not data_dir.is_dir():
        raise UserError(
            f"--data_dir={options.data_dir}: there is no such folder. "
            f"Make it with: python -m benchmarks.inputs.cifar10 --data_dir={options.data_dir}"
        )
    flags = synthetic_flags(MODEL, BATCH_SIZE, options.steps)
    results: list[Result] = []
    for variant, flag in VARIANTS.items():
        real = partial(run_ours, [*flags, f"--data_dir={data_dir}", flag])
        results.append(compare(variant, options.pairs, real=real, synthetic=partial(run_ours, flags)))
        _save(options, results)
    report.say(table(results))
    report.say(f"\n{MODEL}, {BATCH_SIZE} images, {options.pairs} pairs of fresh runs of {options.steps} steps.")


def compare(
    variant: str,
    pairs: int,
    *,
    real: Callable[[], FreshRun],
    synthetic: Callable[[], FreshRun],
    on_pair: Callable[[str], None] = report.note,
) -> Result:
    """Run with real and with synthetic input in turn."""
    told = interleaved(real, synthetic, pairs, lambda number: on_pair(f"{variant}: pair {number} of {pairs}"))
    return Result(variant, told)


def window_speed(run: FreshRun) -> float:
    """Images per second of the measured window of one of our runs."""
    assert run.window_images_per_second is not None, "run_benchmark.py tells it"
    return run.window_images_per_second


def table(results: Sequence[Result]) -> str:
    """The Markdown table."""
    headings = ["CIFAR-10 images", "real, images/sec", "synthetic", "ratio (range)", "target", ""]
    return report.table(headings, [_row(result) for result in results])


def _row(result: Result) -> list[str]:
    real, synthetic = zip(*result.speeds, strict=True)
    return [
        result.variant,
        f"{statistics.median(real):.1f}",
        f"{statistics.median(synthetic):.1f}",
        report.ratio_text(result.ratio),
        report.target_text(TARGET),
        report.verdict(result.ratio.median, TARGET),
    ]


def _save(options: argparse.Namespace, results: Sequence[Result]) -> None:
    variants = {
        result.variant: [
            {"real": dataclasses.asdict(real), "synthetic": dataclasses.asdict(synthetic)}
            for real, synthetic in result.pairs
        ]
        for result in results
    }
    report.save(options.output, "real_input", {"steps": options.steps, "variants": variants})


def _parser() -> argparse.ArgumentParser:
    parser = report.parser("real_input", DESCRIPTION)
    parser.add_argument("--data_dir", required=True, metavar="DIR", help="folder with CIFAR-10's TFRecord files")
    parser.add_argument("--pairs", type=report.count, default=5, help="pairs of runs a variant (default 5)")
    parser.add_argument("--steps", type=report.count, default=60, help="measured steps a run (default 60)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
