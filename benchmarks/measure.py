"""The warm-up and the measured loop, with every step's time kept. No TensorFlow in it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, TypeVar

import numpy as np

from results.measurement import MAD_TO_SIGMA, Measurement


class Outcome(Protocol):
    """What the measurement needs to know of a step's outcome."""

    @property
    def loss(self) -> float:
        """Mean loss of the step."""

    @property
    def applied(self) -> bool:
        """Whether the variables were updated."""

    @property
    def top_1(self) -> float | None:
        """Share of images whose class came first."""

    @property
    def top_5(self) -> float | None:
        """Share of images whose class came among the first five."""


Told = TypeVar("Told")


class Speed(NamedTuple):
    """Figures of the steps so far as tf_cnn_benchmarks defines them, all in images a second."""

    mean: float
    uncertainty: float
    jitter: float


class Earlier(NamedTuple):
    """What earlier processes did of the same training: steps, warm-up included, their seconds, and those of the clock.

    `skipped_steps` are those whose update was left out, `losses` those of all steps, where they are kept.
    """

    steps: int = 0
    skipped_steps: int = 0
    training_seconds: float = 0.0
    wall_seconds: float = 0.0
    losses: tuple[float, ...] = ()


@dataclass
class Recording:
    """All that was measured so far: it survives whatever ends the run. Without a model there are no losses to keep.

    `batch_size` is the images of a tower and step; times are seconds of `clock`, by which the process began at
    `started`. Of `steps_per_call` steps that a call makes each has an equal share of its time. What is measured is of
    this process alone; `earlier` is what others did of the same training before.
    """

    batch_size: int
    num_towers: int
    started: float
    clock: Callable[[], float] = time.perf_counter
    has_losses: bool = True
    steps_per_call: int = 1
    earlier: Earlier = field(default_factory=Earlier)
    warmup_step_seconds: list[float] = field(default_factory=list)
    step_seconds: list[float] = field(default_factory=list)
    warmup_outcomes: list[Outcome] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    window_seconds: float = 0.0
    trace_seconds: float | None = None
    time_to_first_step_seconds: float | None = None
    images: int | None = None  # in the window, where its steps have not all as many

    @property
    def images_per_step(self) -> int:
        """Images of a step over all towers."""
        return self.batch_size * self.num_towers

    @property
    def steps_of_training(self) -> int:
        """Steps of the training until now, those of the warm-up and of earlier processes included."""
        return self.earlier.steps + len(self.warmup_step_seconds) + len(self.step_seconds)

    def so_far(self) -> Earlier:
        """What a later process has to know of the training until now."""
        outcomes = [*self.warmup_outcomes, *self.outcomes]
        return Earlier(
            steps=self.steps_of_training,
            skipped_steps=self.earlier.skipped_steps + sum(not outcome.applied for outcome in outcomes),
            training_seconds=self.training_seconds,
            wall_seconds=self.earlier.wall_seconds + (self.clock() - self.training_began if outcomes else 0.0),
            losses=(*self.earlier.losses, *(outcome.loss for outcome in outcomes)),
        )

    @property
    def training_seconds(self) -> float:
        """Seconds of all steps of the training until now, and of what is between those of a window."""
        return self.earlier.training_seconds + math.fsum(self.warmup_step_seconds) + self.window_seconds

    @property
    def training_began(self) -> float:
        """When the first step began, by `clock`; there has been one."""
        assert self.time_to_first_step_seconds is not None, "a step has been made"
        return self.started + self.time_to_first_step_seconds - self._first_call_seconds[0]

    @property
    def _first_call_seconds(self) -> list[float]:
        """Those of the very first call, if there has been one."""
        return [self.steps_per_call * share for share in [*self.warmup_step_seconds, *self.step_seconds][:1]]

    def speed(self, ewma: float | None = None) -> Speed:
        """Figures of the measured steps so far."""
        return speed(self.images_per_step, self.step_seconds, ewma)

    def measurement(self) -> Measurement:
        """What a record keeps of it."""
        warmup_outcomes, outcomes = (self.warmup_outcomes, self.outcomes) if self.has_losses else ([], [])
        told = [outcome for outcome in self.outcomes if outcome.top_1 is not None]
        return Measurement(
            batch_size=self.batch_size,
            num_towers=self.num_towers,
            warmup_step_seconds=tuple(self.warmup_step_seconds),
            step_seconds=tuple(self.step_seconds),
            warmup_losses=tuple(outcome.loss for outcome in warmup_outcomes),
            losses=tuple(outcome.loss for outcome in outcomes),
            window_seconds=self.window_seconds,
            images_in_window=self.images,
            trace_seconds=self.trace_seconds,
            first_step_seconds=next(iter(self._first_call_seconds), None),
            time_to_first_step_seconds=self.time_to_first_step_seconds,
            skipped_steps=sum(not outcome.applied for outcome in [*self.warmup_outcomes, *self.outcomes]),
            top_1=tuple(float(outcome.top_1 or 0.0) for outcome in told),
            top_5=tuple(float(outcome.top_5 or 0.0) for outcome in told),
        )

    def time(self, step: Callable[[], Told]) -> tuple[Told, float, float]:
        """Run one step, or many in a call: what it told, when it began and when it ended."""
        begin = self.clock()
        outcome = step()
        end = self.clock()
        if self.time_to_first_step_seconds is None:
            self.time_to_first_step_seconds = end - self.started
        return outcome, begin, end


def warm_up(
    step: Callable[[], Outcome],
    recording: Recording,
    steps: int,
    on_step: Callable[[Recording], None] = lambda _: None,
) -> None:
    """Run `steps` steps outside the measurement."""
    for _ in range(steps):
        outcome, begin, end = recording.time(step)
        recording.warmup_step_seconds.append(end - begin)
        recording.warmup_outcomes.append(outcome)
        on_step(recording)


def measure(
    step: Callable[[], Outcome],
    recording: Recording,
    steps: int,
    on_step: Callable[[Recording], None] = lambda _: None,
    enough: Callable[[Recording], bool] | None = None,
) -> None:
    """Run and measure `steps` steps, or until they are `enough`.

    The window is from the first begin to the last end, what is between included. Measured in several calls, it is what
    they have together: what is done between them is in no window.
    """
    window_begin = recording.clock() - recording.window_seconds
    for _ in range(steps):
        outcome, begin, end = recording.time(step)
        recording.step_seconds.append(end - begin)
        recording.outcomes.append(outcome)
        recording.window_seconds = end - window_begin
        on_step(recording)
        if enough and enough(recording):
            break


def warm_up_in_calls(
    outcomes: Callable[[], Sequence[Outcome]],
    recording: Recording,
    calls: int,
    on_call: Callable[[Recording], None] = lambda _: None,
) -> None:
    """Warm up as above with `calls` of many steps each, which `outcomes` makes at once."""
    for _ in range(calls):
        told, begin, end = recording.time(outcomes)
        recording.warmup_step_seconds += [(end - begin) / len(told)] * len(told)
        recording.warmup_outcomes += told
        on_call(recording)


def measure_in_calls(
    outcomes: Callable[[], Sequence[Outcome]],
    recording: Recording,
    calls: int,
    on_call: Callable[[Recording], None] = lambda _: None,
) -> None:
    """Measure as above `calls` of many steps each. A step's time is its equal share of its call's: no more is known."""
    window_begin = recording.clock()
    for _ in range(calls):
        told, begin, end = recording.time(outcomes)
        recording.step_seconds += [(end - begin) / len(told)] * len(told)
        recording.outcomes += told
        recording.window_seconds = end - window_begin
        on_call(recording)


def speed(images_per_step: int, step_seconds: Sequence[float], ewma: float | None = None) -> Speed:
    """tf_cnn_benchmarks' three figures of its step row.

    mean = images per step / mean step time (weighted with powers of 1 - `ewma`, the latest step highest, if given);
    uncertainty = standard deviation of the steps' speeds / sqrt(steps); jitter = 1.4826 * median |speed - median|.
    """
    seconds = np.asarray(step_seconds)
    speeds = images_per_step / seconds
    weights = None if ewma is None else (1.0 - ewma) ** np.arange(len(seconds) - 1, -1, -1)
    return Speed(
        mean=float(images_per_step / np.average(seconds, weights=weights)),
        uncertainty=float(np.std(speeds) / math.sqrt(len(speeds))),
        jitter=float(MAD_TO_SIGMA * np.median(np.abs(speeds - np.median(speeds)))),
    )
