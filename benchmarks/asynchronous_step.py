"""Workers that update shared variables each on its own: nobody waits for anybody."""

from __future__ import annotations

import itertools
import queue
import threading
from collections.abc import Callable, Sequence

import tensorflow as tf

from benchmarks.step import StepOutcome, TrainingStep
from variable_mgr.asynchronous import SharedVariables
from variable_mgr.exchange_plan import Traffic, added_up

MakeStep = Callable[[SharedVariables, Sequence[str], int], TrainingStep]


class AsynchronousStep:
    """The steps of all workers, each driven by a thread of its own, without a pause between them.

    A call returns once as many of them have ended as there are workers, counted from the last call on: some workers may
    have ended more than others. So images a call, and with it images a second, mean what they mean for a step together.
    Updates do not lock: two that meet may overwrite each other, as they do in tf_cnn_benchmarks.
    """

    def __init__(self, steps: Sequence[TrainingStep]) -> None:
        """`steps` are those of the workers, over the same variables."""
        self.steps = steps
        # Who is slow to take what has ended must hold the workers back: no call may count what ended long before it.
        self._ended: queue.Queue[StepOutcome | Exception] = queue.Queue(len(steps))
        self._threads: list[threading.Thread] = []
        self.strategy = steps[0].strategy

    def trace(self) -> float:
        """Build the graphs; the seconds it took."""
        return sum(step.trace() for step in self.steps)

    def traffic(self) -> Traffic:
        """What as many steps send as there are workers."""
        return added_up(traffic for step in self.steps if (traffic := step.traffic()))

    def __call__(self) -> StepOutcome:
        """Wait for as many steps as there are workers; their mean. The first call begins."""
        if not self._threads:
            self._threads = [threading.Thread(target=self._drive, args=(step,), daemon=True) for step in self.steps]
            for thread in self._threads:
                thread.start()
        outcomes = [self._next() for _ in self.steps]
        return mean(outcomes)

    def _drive(self, step: TrainingStep) -> None:
        """Run `step` for ever; the process ends with it under way."""
        try:
            while True:
                self._ended.put(step())
        except Exception as error:  # noqa: BLE001  it is raised in the thread that waits
            self._ended.put(error)

    def _next(self) -> StepOutcome:
        ended = self._ended.get()
        if isinstance(ended, Exception):
            raise ended
        return ended


def by_worker(towers: Sequence[str], make_step: MakeStep, shared: SharedVariables) -> AsynchronousStep:
    """The asynchronous step over `towers`, which are grouped by the process they are on.

    `make_step` makes the step of one worker from its strategy, its towers and the number of the first of them.
    """
    steps: list[TrainingStep] = []
    first = 0
    for _, group in itertools.groupby(towers, key=lambda tower: tf.DeviceSpec.from_string(tower).task):
        own = list(group)
        step = make_step(shared.for_worker(own), own, first)
        if steps:
            step.updates = steps[0].updates  # what the optimizer remembers is shared too, and the steps that it counts
            step.rate = steps[0].rate
        steps.append(step)
        first += len(own)
    return AsynchronousStep(steps)


def mean(outcomes: Sequence[StepOutcome]) -> StepOutcome:
    """The mean of every figure; applied if all were."""
    return StepOutcome(
        _mean([outcome.loss for outcome in outcomes]),
        all(outcome.applied for outcome in outcomes),
        *(_mean_or_none([getattr(outcome, top) for outcome in outcomes]) for top in ("top_1", "top_5")),
    )


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _mean_or_none(values: Sequence[float | None]) -> float | None:
    told = [value for value in values if value is not None]
    return _mean(told) if told else None
