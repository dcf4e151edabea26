import pytest

from benchmarks.studies.overhead import Addition, Stopwatch, around, between_steps, table
from benchmarks.studies.pairs import Spread
from tests.studies.runs import fresh_run, rows


class Clock:
    """Time passes only when it is told to."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now

    def passes(self, seconds):
        self.now += seconds


class Value:
    def __init__(self, clock, seconds):
        self._clock, self._seconds = clock, seconds

    def numpy(self):
        self._clock.passes(self._seconds)
        self._seconds = 0.0  # a second fetch has nothing to wait for
        return self


def test_around_a_call_is_what_the_function_and_the_fetch_leave():
    clock = Clock()

    def function():
        clock.passes(0.25)
        return Value(clock, 2.0)

    stopwatch = Stopwatch(function, clock)

    def step():
        clock.passes(0.5)
        stopwatch().numpy()
        clock.passes(0.125)

    addition = around(step, stopwatch, 5, clock=clock)
    assert addition.seconds == Spread(0.625, 0.625, 0.625)
    assert addition.step_seconds == 2.875


def test_between_steps_is_the_median_of_the_runs():
    runs = [fresh_run(1, step_seconds=2.0, between_steps_seconds=seconds) for seconds in (0.01, 0.5, 0.02)]
    addition = between_steps(runs)
    assert addition.seconds == Spread(0.02, 0.01, 0.5)
    assert addition.share == pytest.approx(0.01)


@pytest.mark.parametrize(("share", "verdict"), [(0.004, "met"), (0.006, "NOT met")])
def test_the_sum_is_judged(share, verdict):
    addition = Addition("between steps", Spread(share, share, share), 1.0)
    assert rows(table([addition, addition]))[-1] == [
        "together", f"{2e6 * share:.1f}", "", f"{2 * share:.3%}", "<= 1%", verdict,
    ]  # fmt: skip
