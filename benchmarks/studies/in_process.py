"""The training step of a run, built in this process as the runner builds it, for studies that look inside one."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from benchmarks.params import environment_variables, parse

if TYPE_CHECKING:
    from benchmarks.step import TrainingStep


def build_step(flags: Sequence[str]) -> TrainingStep:
    """The step of `run_benchmark.py` with `flags`, not traced yet. Call it once, before TensorFlow is imported."""
    params = parse(flags).params
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "2", "CUDA_VISIBLE_DEVICES": "-1"}
    os.environ.update(quiet | dict(os.environ) | environment_variables(params))

    from benchmarks import workload
    from benchmarks.step import TrainingStep

    step = workload.build_step(workload.settle(params))
    assert isinstance(step, TrainingStep), "one process has one step over all its towers"
    return step


def seconds_to_build(flags: Sequence[str]) -> float:
    """How long the step of `flags` takes from settled devices and data to its traced graph, without the imports."""
    import tensorflow  # noqa: F401  its import is no part of building

    begin = time.perf_counter()
    build_step(flags).trace()
    return time.perf_counter() - begin
