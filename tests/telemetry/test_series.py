"""What follows from samples, whose times the tests choose."""

import pytest

from benchmarks.telemetry.series import Part, Series
from benchmarks.telemetry.telemetry import next_due


class Told:
    """A source that tells what it is given, one value after the other."""

    def __init__(self, name, *values):
        self._name, self._values = name, iter(values)

    def sample(self):
        return {self._name: next(self._values)}

    def counters(self):
        return {}


def seen(name, *samples):
    """The series of samples, each a time and a value, the last of which ends the window."""
    series, part = Series(Told(name, *(value for _, value in samples))), Part()
    for seconds, _ in samples[:-1]:
        series.look(seconds, part)
    part.ended.set()
    series.look_last(samples[-1][0])
    return series


def test_a_mean_is_one_over_time_and_not_over_samples():
    found = seen("processors", (1.008, 0.73), (1.12, 0.011)).facts()["summary"]["processors"]
    assert found["mean"] == pytest.approx((1.008 * 0.73 + 0.112 * 0.011) / 1.12)
    assert (found["least"], found["most"]) == (0.011, 0.73)


def test_what_is_not_known_has_no_weight():
    found = seen("power", (1.0, 100.0), (4.0, None), (5.0, 200.0)).facts()["summary"]["power"]
    assert found["mean"] == pytest.approx(150)
    assert seen("power", (0.0, 100.0)).facts()["summary"]["power"]["mean"] == 100  # a window of no length


def test_clocks_are_held_down_for_a_share_of_time_and_the_reasons_are_kept():
    series = seen("throttle_reasons", (1.0, 0x44), (4.0, 0x04), (5.0, None), (6.0, 0x01))
    assert series.slowed_shares() == {"its temperature (hardware limit)": 0.2, "its power limit": 0.8}
    facts = series.facts()
    assert facts["series"]["throttle_reasons"] == [0x44, 0x04, None, 0x01]
    assert facts["summary"] == {}  # of a mask
    assert seen("throttle_reasons", (1.0, None)).slowed_shares() is None
    assert "throttle_reasons" not in seen("throttle_reasons", (1.0, None)).facts()["series"]


def test_how_often_was_really_looked_is_told_and_a_window_s_end_is_no_measure():
    assert seen("power", (1.0, 1.0), (2.0, 1.0), (4.5, 1.0), (4.6, 1.0)).facts()["every_seconds"] == 1.5
    assert "every_seconds" not in seen("power", (0.3, 1.0)).facts()


def test_a_look_that_a_part_s_end_overtakes_does_not_count():
    part = Part()

    class Overtaken(Told):
        def sample(self):
            part.ended.set()
            return super().sample()

    series = Series(Overtaken("power", 1.0, 2.0))
    series.look(0.9, part)
    series.look(0.9, part)
    assert (series.times, series.values) == ([], {})


@pytest.mark.parametrize(("now", "due"), [(1.0, 2.0), (1.99, 2.0), (2.0, 3.0), (4.7, 5.0), (0.999, 2.0)])
def test_looks_keep_to_the_rate_and_leave_out_those_that_they_miss(now, due):
    assert next_due(1.0, now, 1.0) == due
