"""The loops and the figures, by a clock that the test turns."""

import math
from typing import NamedTuple

import pytest

from benchmarks.measure import Recording, measure, speed, warm_up


class Told(NamedTuple):
    loss: float
    applied: bool = True
    top_1: float | None = None
    top_5: float | None = None


class World:
    """A clock, and steps that take their seconds of it."""

    def __init__(self, *seconds, losses=None, stop_after=None):
        self.now = 100.0
        self._seconds = iter(seconds)
        self._losses = iter(losses or [1.0] * len(seconds))
        self._left = stop_after

    def clock(self):
        return self.now

    def step(self):
        if self._left == 0:
            raise KeyboardInterrupt
        self._left = None if self._left is None else self._left - 1
        self.now += next(self._seconds)
        return Told(next(self._losses))


def test_warm_up_is_kept_apart_and_the_first_step_has_its_own_figures():
    world = World(5.0, 1.0, 2.0, 2.0)
    recording = Recording(8, 2, started=90.0, clock=world.clock)
    warm_up(world.step, recording, 2)
    measure(world.step, recording, 2)
    measurement = recording.measurement()
    assert measurement.warmup_step_seconds == (5.0, 1.0)
    assert measurement.first_step_seconds == 5.0
    assert measurement.time_to_first_step_seconds == 15.0
    assert measurement.step_seconds == (2.0, 2.0)
    assert measurement.images_per_second == 8.0  # 2 steps of 16 images in 4 seconds


def test_the_window_includes_what_is_between_steps():
    world = World(1.0, 1.0, 1.0)
    recording = Recording(8, 1, started=0.0, clock=world.clock)

    def pause(_):
        world.now += 0.5

    measure(world.step, recording, 3, pause)
    assert recording.measurement().window_seconds == 4.0  # the pause after the last step is outside


def test_what_is_done_between_parts_is_in_no_window():
    world = World(1.0, 1.0, 2.0)
    recording = Recording(8, 1, started=97.0, clock=world.clock)
    measure(world.step, recording, 2)
    world.now += 60.0
    measure(world.step, recording, 1)
    assert recording.measurement().window_seconds == 4.0
    assert recording.training_began == 100.0


def test_an_interrupt_leaves_what_was_measured():
    world = World(1.0, 1.0, 1.0, stop_after=2)
    recording = Recording(8, 1, started=0.0, clock=world.clock)
    with pytest.raises(KeyboardInterrupt):
        measure(world.step, recording, 3)
    assert recording.measurement().step_seconds == (1.0, 1.0)
    assert recording.measurement().images_per_second == 8.0


def test_speed_has_the_old_definitions():
    figures = speed(100, [1.0, 2.0, 4.0])
    speeds = [100.0, 50.0, 25.0]
    mean = sum(speeds) / 3
    assert figures.mean == pytest.approx(100 / (7 / 3))  # of the mean time, not the mean of speeds
    assert figures.uncertainty == pytest.approx(math.sqrt(sum((s - mean) ** 2 for s in speeds) / 3) / math.sqrt(3))
    assert figures.jitter == pytest.approx(1.4826 * 25.0)


def test_ewma_weighs_the_latest_step_most():
    assert speed(100, [1.0, 2.0], ewma=0.5).mean == pytest.approx(100 / ((1.0 * 0.5 + 2.0 * 1.0) / 1.5))


def test_one_step_has_no_spread():
    assert speed(10, [0.5]) == (20.0, 0.0, 0.0)
