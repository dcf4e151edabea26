"""`python -m benchmarks.studies.overhead`: what the runner adds to a step."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from benchmarks.studies import report
from benchmarks.studies.fresh_runs import FreshRun, run_ours, synthetic_flags
from benchmarks.studies.in_process import build_step
from benchmarks.studies.pairs import Spread, Target, spread
from results.commands.arguments import count

DESCRIPTION = """\
Measure what Python adds to a step of ResNet-20 with 32 images on the CPU, as a share of that step.

between steps    wall time of the measured window less its steps, per step: the clock, what is kept, and the lines that
                 are printed. From the records of fresh runs of run_benchmark.py; median over the runs.
around a call    time of calling the step less that of the TensorFlow function in it, from its start until its value has
                 been fetched. Both are taken from the same call, so that the noise of the step falls out; median over
                 the calls. The fetch is counted twice, to our disadvantage.
together         their sum, which is to stay below 1 %.

It takes about two minutes on two cores.
"""
MODEL, BATCH_SIZE, STEPS = "resnet20", 32, 100
TARGET = Target(0.01, at_most=True)


class Fetched(Protocol):
    """A tensor that can be copied to the host."""

    def numpy(self) -> Any:
        """Its value; waits for it."""


@dataclass(frozen=True)
class Addition:
    """Seconds that something adds to each step, and the seconds of such a step."""

    name: str
    seconds: Spread
    step_seconds: float

    @property
    def share(self) -> float:
        """Median addition / step."""
        return self.seconds.median / self.step_seconds


@dataclass
class Stopwatch:
    """Stands in for the TensorFlow function of a step: calls it, and keeps the time until its value was there."""

    function: Callable[[], Fetched]
    clock: Callable[[], float] = time.perf_counter
    seconds: float = 0.0

    def __call__(self) -> Fetched:
        """Run the function to its end."""
        begin = self.clock()
        result = self.function()
        result.numpy()
        self.seconds = self.clock() - begin
        return result


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the study; returns the exit code."""
    return report.run(_parser(), study, arguments)


def study(options: argparse.Namespace) -> None:
    """Measure both additions, and print and save them."""
    flags = synthetic_flags(MODEL, BATCH_SIZE, STEPS)
    runs = []
    for number in range(1, options.runs + 1):
        report.note(f"run {number} of {options.runs}")
        runs.append(run_ours(flags))
    report.note(f"{options.calls} calls in this process")
    additions = [between_steps(runs), around_calls(flags, options.calls)]
    _save(options, additions)
    report.say(table(additions))
    report.say(f"\n{MODEL}, {BATCH_SIZE} images: {options.runs} runs of {STEPS} steps, and {options.calls} calls.")


def between_steps(runs: Sequence[FreshRun]) -> Addition:
    """What a run has between its steps."""
    seconds = [run.between_steps_seconds for run in runs if run.between_steps_seconds is not None]
    steps = [run.step_seconds for run in runs if run.step_seconds is not None]
    return Addition("between steps", spread(seconds), spread(steps).median)


def around_calls(flags: Sequence[str], calls: int) -> Addition:
    """What a call of the step has around its TensorFlow function."""
    step = build_step(flags)
    step.trace()
    assert step._run is not None, "it has been traced"
    stopwatch = step._run = Stopwatch(step._run)  # the one place from where both times can be seen in one call
    return around(step, stopwatch, calls)


def around(
    step: Callable[[], object],
    stopwatch: Stopwatch,
    calls: int,
    *,
    warmup: int = 3,
    clock: Callable[[], float] = time.perf_counter,
) -> Addition:
    """Time `calls` calls of `step`, which has `stopwatch` in it, against the stopwatch itself."""
    for _ in range(warmup):
        step()
    whole, inner = [], []
    for _ in range(calls):
        begin = clock()
        step()
        whole.append(clock() - begin)
        inner.append(stopwatch.seconds)
    added = [call - function for call, function in zip(whole, inner, strict=True)]
    return Addition("around a call", spread(added), spread(whole).median)


def table(additions: Sequence[Addition]) -> str:
    """The Markdown table of the additions and their sum."""
    rows = [_row(addition) for addition in additions]
    share = sum(addition.share for addition in additions)
    total = f"{1e6 * sum(addition.seconds.median for addition in additions):.1f}"
    rows.append(["together", total, "", f"{share:.3%}", f"<= {TARGET.bound:.0%}", report.verdict(share, TARGET)])
    return report.table(["the runner adds", "us a step (range)", "step, ms", "share", "target", ""], rows)


def _row(addition: Addition) -> list[str]:
    median, low, high = (1e6 * seconds for seconds in addition.seconds)
    times = [f"{median:.1f} ({low:.1f}..{high:.1f})", f"{1e3 * addition.step_seconds:.2f}"]
    return [addition.name, *times, f"{addition.share:.3%}", "", ""]


def _save(options: argparse.Namespace, additions: Sequence[Addition]) -> None:
    figures = {
        addition.name: {
            "seconds": addition.seconds._asdict(),
            "step_seconds": addition.step_seconds,
            "share": addition.share,
        }
        for addition in additions
    }
    report.save(options.output, "overhead", {"runs": options.runs, "calls": options.calls, "additions": figures})


def _parser() -> argparse.ArgumentParser:
    parser = report.parser("overhead", DESCRIPTION)
    parser.add_argument("--runs", type=count, default=5, help="fresh runs (default 5)")
    parser.add_argument("--calls", type=count, default=200, help="calls of the step in this process (default 200)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
