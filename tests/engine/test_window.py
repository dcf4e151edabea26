"""The measured window with pauses in it."""

from collections.abc import Callable

from benchmarks.measure import Recording
from benchmarks.step import StepOutcome
from benchmarks.window import measure_with_pauses


class Clock:
    """One second goes by with every look at it."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


class Break:
    """A pause of a thousand seconds after each of the steps `points`, which ends the training at step `end`."""

    def __init__(self, clock: Clock, *points: int, end: int = 0) -> None:
        self.clock, self.points, self.end = clock, points, end
        self.taken: list[int] = []

    def due(self, recording: Recording) -> bool:
        return len(recording.step_seconds) in self.points

    def __call__(self, recording: Recording) -> bool:
        self.clock.now += 1000.0
        self.taken.append(len(recording.step_seconds))
        return self.taken[-1] == self.end


def nothing(_: Recording) -> None:
    pass


def measured(clock: Clock, *pauses: Break, step: Callable[[], StepOutcome] = lambda: StepOutcome(0.0)) -> Recording:
    recording = Recording(batch_size=1, num_towers=1, started=0.0, clock=clock)
    measure_with_pauses(step, recording, 5, nothing, pauses)
    return recording


def test_a_pause_happens_after_its_steps_and_is_in_no_window():
    clock = Clock()
    pause = Break(clock, 2, 5)
    recording = measured(clock, pause)
    assert pause.taken == [2, 5]
    assert len(recording.step_seconds) == 5
    assert recording.window_seconds < 20


def test_all_that_is_due_happens_though_the_first_ends_the_training():
    clock = Clock()
    first, second, later = Break(clock, 3, end=3), Break(clock, 1, 3), Break(clock, 4)
    recording = measured(clock, first, second, later)
    assert (first.taken, second.taken, later.taken) == ([3], [1, 3], [])
    assert len(recording.step_seconds) == 3
