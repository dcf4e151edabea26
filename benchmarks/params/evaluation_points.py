"""When a run pauses its training to evaluate. Imports no TensorFlow."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from typing import Any

from benchmarks.errors import UserError
from benchmarks.params.conditions import EVALUATION_SCHEDULES
from benchmarks.params.params import ResolvedParams


def schedules(params: Any) -> list[str]:
    """The options given that say when to evaluate, as a command line has them."""
    return [f"--{name}={getattr(params, name)}" for name in EVALUATION_SCHEDULES if getattr(params, name)]


def specified_steps(text: str) -> list[int]:
    """The steps of a list such as "10,20". Raises ValueError where it is none."""
    steps = [int(each) for each in text.split(",")]
    if min(steps) < 1:
        raise ValueError(text)
    return steps


def specified_epochs(text: str) -> list[float]:
    """The epochs of a list such as "0.5,2". Raises ValueError where it is none."""
    epochs = [float(each) for each in text.split(",")]
    if not all(0 < epoch < math.inf for epoch in epochs):
        raise ValueError(text)
    return epochs


def evaluation_points(params: ResolvedParams) -> list[int]:
    """The measured steps, counted from 1, after which to evaluate: those asked for, and always the last.

    Epochs are rounded up to whole steps. Raises UserError where a step beyond the end of the run is asked for.
    """
    last, steps_per_epoch = params.num_batches, params.num_batches / params.num_epochs
    if steps := params.eval_during_training_every_n_steps:
        points = set(range(steps, last + 1, steps))
    elif epochs := params.eval_during_training_every_n_epochs:
        multiples = (_steps(number * epochs, steps_per_epoch) for number in itertools.count(1))
        points = set(itertools.takewhile(lambda step: step <= last, multiples))
    elif params.eval_during_training_at_specified_steps:
        points = set(specified_steps(params.eval_during_training_at_specified_steps))
    else:
        asked = specified_epochs(params.eval_during_training_at_specified_epochs)
        points = {_steps(epoch, steps_per_epoch) for epoch in asked}
    _check_within(points, params)
    return sorted(points | {last})


def _steps(epochs: float, steps_per_epoch: float) -> int:
    """Whole steps; what is above one by a rounding error only is that one."""
    return math.ceil(round(epochs * steps_per_epoch, 6))


def _check_within(points: Iterable[int], params: ResolvedParams) -> None:
    last = params.num_batches
    beyond = [step for step in points if step > last]
    if beyond:
        raise UserError(
            f"{schedules(params)[0]} asks for an evaluation after step {min(beyond)}, but the run has {last} steps "
            f"({params.num_epochs:.2f} epochs). Leave it out, or give a larger --num_batches or --num_epochs."
        )
