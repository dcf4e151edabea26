"""`python -m benchmarks.studies.achieved_flops`: the share of what the cores can multiply that training uses."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.studies import report
from benchmarks.studies.fresh_runs import synthetic_flags
from benchmarks.studies.in_process import build_step
from benchmarks.studies.pairs import Spread, Target, interleaved, ratios, spread
from results.commands.arguments import count

DESCRIPTION = """\
Compare the floating-point operations a second of ResNet-50 (v1, 16 images, float32) in training with those of one large
matrix product (float32) on the same cores: how much of what they can multiply does the step use?

A step and a product run in turn in one process, with the same threads. What counts are the multiply-adds, two
operations each, of the step's convolutions and of its classifier, forward and backward, counted from its layers. The
target is 0.80 of the product. (run_benchmark.py --measure_peak holds any run against a product and a convolution, but
after it, and not in turn.)

It takes about two minutes on two cores.
"""
MODEL = "resnet50"
WARMUP = 2
TARGET = Target(0.80)


@dataclass(frozen=True)
class Result:
    """Operations a second of each pair (step, product)."""

    pairs: Sequence[tuple[float, float]]

    @property
    def step(self) -> Spread:
        """Of the training step."""
        return spread(step for step, _ in self.pairs)

    @property
    def product(self) -> Spread:
        """Of the matrix product."""
        return spread(product for _, product in self.pairs)

    @property
    def share(self) -> Spread:
        """Step / product."""
        return ratios(self.pairs)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the study; returns the exit code."""
    return report.run(_parser(), study, arguments)


def study(options: argparse.Namespace) -> None:
    """Measure, print and save."""
    step = build_step(synthetic_flags(MODEL, options.batch, options.pairs))

    import tensorflow as tf

    import models
    from benchmarks.inputs.datasets import DATASETS
    from benchmarks.peaks import matrix_product, repeated
    from models.cost import cost

    flops = cost(models.get(MODEL, "imagenet"), DATASETS["imagenet"].num_classes).training_flops
    product = matrix_product(options.side)
    result = compare(
        timed(step, options.batch * flops),
        timed(repeated(product, ["/cpu:0"], tf.float32), product.flops),
        options.pairs,
        on_pair=lambda number: report.note(f"pair {number} of {options.pairs}"),
    )
    _save(options, result.pairs)
    report.say(table(result))
    report.say(
        f"\n{MODEL}, {options.batch} images, {flops / 1e9:.2f} GFLOP an image; product of two square matrices with "
        f"{options.side} rows. {options.pairs} pairs in one process, medians (range)."
    )


def timed(
    call: Callable[[], object], flops: int, clock: Callable[[], float] = time.perf_counter
) -> Callable[[], float]:
    """A function that runs `call` once and returns its operations a second."""

    def run() -> float:
        begin = clock()
        call()
        return flops / (clock() - begin)

    return run


def compare(
    step: Callable[[], float],
    product: Callable[[], float],
    pairs: int,
    *,
    warmup: int = WARMUP,
    on_pair: Callable[[int], None] = lambda _: None,
) -> Result:
    """Run `step` and `product` in turn, after a warm-up of both; each returns its operations a second."""
    interleaved(step, product, warmup)
    return Result(interleaved(step, product, pairs, on_pair))


def table(result: Result) -> str:
    """The Markdown table."""
    rows = [
        ["training step", _gigaflops(result.step), "", "", ""],
        ["matrix product", _gigaflops(result.product), "", "", ""],
        [
            "step / product",
            "",
            report.ratio_text(result.share),
            report.target_text(TARGET),
            report.verdict(result.share.median, TARGET),
        ],
    ]
    return report.table(["", "GFLOP/s (range)", "ratio (range)", "target", ""], rows)


def _gigaflops(value: Spread) -> str:
    return f"{value.median / 1e9:.1f} ({value.low / 1e9:.1f}..{value.high / 1e9:.1f})"


def _save(options: argparse.Namespace, pairs: Sequence[tuple[float, float]]) -> None:
    flops = [{"step_flops_per_second": step, "product_flops_per_second": product} for step, product in pairs]
    report.save(options.output, "achieved_flops", {"batch": options.batch, "side": options.side, "pairs": flops})


def _parser() -> argparse.ArgumentParser:
    parser = report.parser("achieved_flops", DESCRIPTION)
    parser.add_argument("--pairs", type=count, default=10, help="pairs of a step and a product (default 10)")
    parser.add_argument("--batch", type=count, default=16, help="images a step (default 16)")
    parser.add_argument("--side", type=count, default=4096, help="rows and columns of the matrices (default 4096)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
