import numpy as np
import pytest

from results.statistics.between_runs import interval
from results.statistics.run_set import run_set
from results.statistics.within_run import describe
from tests.results.records import measurement, record
from tests.results.statistics.simulated import share


@pytest.mark.parametrize("runs", [5, 10])
def test_the_interval_between_runs_covers_under_run_to_run_effects(runs):
    generator = np.random.default_rng(11)
    levels = 100 * np.exp(0.02 * generator.standard_normal((2000, runs)))  # what a run as a whole is faster by
    figures = levels * (1 + 0.004 * generator.standard_normal(levels.shape))  # what its steps leave open
    found = [interval(each.tolist()) for each in figures]
    assert 0.93 <= share(each.low < 100 < each.high for each in found) <= 0.97


def run_of(level, generator, minute=0, **changes):
    seconds = (level * (1 + 0.05 * generator.standard_normal(200))).tolist()
    measured = measurement(step_seconds=seconds, losses=[1.0] * 200, window_seconds=sum(seconds))
    return record(minute, measurement=measured, statistics=describe(seconds), **changes)


def test_a_set_tells_what_is_between_runs_from_what_is_within():
    generator = np.random.default_rng(12)
    levels = 0.1 * np.exp(0.02 * generator.standard_normal(40))
    found = run_set([run_of(level, generator) for level in levels])
    assert found.runs == 40
    assert found.within == pytest.approx(0.05 / 200**0.5, rel=0.15)
    assert found.between == pytest.approx(0.02, rel=0.25)
    assert found.spread**2 == pytest.approx(found.within**2 + found.between**2)
    assert found.figure.low < found.figure.value < found.figure.high


def test_runs_alike_differ_by_no_more_than_their_steps_leave_open():
    generator = np.random.default_rng(13)
    found = run_set([run_of(0.1, generator) for _ in range(30)])
    assert found.between < found.within


def test_records_that_are_not_valid_do_not_count():
    generator = np.random.default_rng(14)
    good, bad = run_of(0.1, generator), run_of(0.2, generator, problems=("foreign load",))
    assert run_set([good, bad]) is None
    assert run_set([good, bad, run_of(0.1, generator)]).runs == 2
