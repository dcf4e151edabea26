"""The training step of a run, built in this process as the runner builds it, for studies that look inside one."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from benchmarks.params import environment_variables, parse
from benchmarks.preparation import UNLESS_SET

if TYPE_CHECKING:
    from benchmarks.step import TrainingStep


def build_step(flags: Sequence[str]) -> TrainingStep:
    """The step of `run_benchmark.py` with `flags`, not traced yet. Call it once, before TensorFlow is imported."""
    params = parse(flags).params
    no_gpu = {"CUDA_VISIBLE_DEVICES": "-1"}
    os.environ.update(UNLESS_SET | no_gpu | dict(os.environ) | environment_variables(params))

    from benchmarks import build
    from benchmarks.step import TrainingStep
    from benchmarks.workload import settle

    step = build.build_step(settle(params))
    assert isinstance(step, TrainingStep), "one process has one step over all its towers"
    return step


def seconds_to_build(flags: Sequence[str]) -> float:
    """How long the step of `flags` takes from settled devices and data to its traced graph, without the imports."""
    import tensorflow  # noqa: F401  its import is no part of building

    begin = time.perf_counter()
    build_step(flags).trace()
    return time.perf_counter() - begin
