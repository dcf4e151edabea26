"""The training step of a run, made one a call or many a call, in a loop within TensorFlow.

The figure is images a second. Flags after -- are those of run_benchmark.py; the images are synthetic.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from benchmarks.params import parse
from benchmarks.studies.claims.programs.told import tell
from benchmarks.studies.in_process import build_step

if TYPE_CHECKING:
    from benchmarks.step import TrainingStep


def caller(step: TrainingStep, per_call: int) -> Callable[[], list[float]]:
    """What makes `per_call` steps and returns the loss of each."""
    if per_call == 1:
        return lambda: [step().loss]
    return step.losses(per_call)


def measured(
    call: Callable[[], list[float]], calls: int, clock: Callable[[], float] = time.perf_counter
) -> tuple[float, list[float]]:
    """The seconds of so many calls, and the losses of their steps."""
    losses: list[float] = []
    begin = clock()
    for _ in range(calls):
        losses += call()
    return clock() - begin, losses


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what `arguments` say, and tell it."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    end = words.index("--")
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--steps", type=int, required=True, help="measured ones; a tenth as many come before")
    parser.add_argument("--per_call", type=int, required=True, help="must divide a tenth of the steps")
    options = parser.parse_args(words[:end])
    if options.steps % (10 * options.per_call):
        parser.error(f"--per_call={options.per_call} does not divide a tenth of --steps={options.steps}")
    call = caller(build_step(words[end + 1 :], hide_gpus=False), options.per_call)
    warm_up = options.steps // 10
    _, first = measured(call, warm_up // options.per_call)
    seconds, losses = measured(call, options.steps // options.per_call)
    params = parse(words[end + 1 :]).params
    images = options.steps * (params.batch_size or 0) * params.num_gpus
    return tell(images / seconds, microseconds=1e6 * seconds / options.steps, first_loss=first[0], last_loss=losses[-1])


if __name__ == "__main__":
    sys.exit(main())
