import pytest

from results.gate.nights import nights
from tests.results.records import record


def at(start, end=None, commit=None):
    return record(
        started_at=f"2026-01-{start}:00+00:00",
        finished_at=f"2026-01-{end or start}:00+00:00",
        environment={"git": {"commit": commit}},
    )


@pytest.mark.parametrize(
    ("runs", "sizes"),
    [
        ([("01T23:50", "01T23:59"), ("02T00:05", "02T00:10"), ("02T23:50", "02T23:59")], [2, 1]),
        ([("01T12:00", "01T20:00"), ("02T01:59", "02T02:00")], [2]),  # the pause counts from the end of a run
        ([("01T12:00", "01T20:00"), ("02T02:00", "02T02:10")], [1, 1]),
        ([("02T12:00", None), ("01T12:00", None)], [1, 1]),
        ([("01T12:00", None, "a"), ("01T12:05", None, "b"), ("01T12:10", None, "a")], [2, 1]),
    ],
)
def test_a_night_ends_with_a_pause_and_has_one_commit(runs, sizes):
    assert list(map(len, nights([at(*run) for run in runs]))) == sizes


def test_nights_are_in_the_order_of_time_and_undated_runs_are_the_first():
    undated = record(started_at="", finished_at="", provenance={"tool": "x"}, measurement=None)
    late, early = at("09T12:00"), at("02T12:00")
    assert nights([late, undated, early]) == [[undated], [early], [late]]
