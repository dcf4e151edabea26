import numpy as np
import pytest

from results.statistics.within_run import LEAST_EFFECTIVE_STEPS, describe, effective_steps, interval
from tests.results.statistics.simulated import share, step_times


@pytest.mark.parametrize("steps", [200, 500])
@pytest.mark.parametrize("correlation", [0.0, 0.3, 0.6])
def test_the_interval_covers_the_mean_whatever_the_correlation(steps, correlation):
    runs = step_times(runs=2000, steps=steps, correlation=correlation)
    found = [interval(run) for run in runs]
    assert 0.93 <= share(each.low < 1 < each.high for each in found) <= 0.97


@pytest.mark.parametrize("correlation", [0.0, 0.6])
def test_so_does_what_is_left_when_a_start_is_looked_for(correlation):
    found = [describe(run) for run in step_times(runs=600, correlation=correlation, seed=3)]
    covered = share(each.low_seconds < 1 < each.high_seconds for each in found if each.low_seconds)
    assert 0.93 <= covered <= 0.97
    assert share(each.low_seconds is None for each in found) <= 0.05


def test_successive_steps_taken_as_independent_would_cover_too_seldom():
    runs = step_times(runs=1000, correlation=0.6)
    error = 1.96 * runs.std(axis=1) / runs.shape[1] ** 0.5
    assert share(abs(runs.mean(axis=1) - 1) < error) < 0.8


@pytest.mark.parametrize(("correlation", "expected"), [(0.0, 2000), (0.3, 2000 * 0.7 / 1.3), (0.6, 500)])
def test_effective_steps_are_those_of_the_formula(correlation, expected):
    found = [effective_steps(run) for run in step_times(runs=100, steps=2000, correlation=correlation)]
    assert np.median(found) == pytest.approx(expected, rel=0.15)


def test_steps_all_alike_count_each():
    assert effective_steps(np.full(60, 0.1)) == 60


def test_figures_of_known_numbers():
    found = describe([0.1 + 0.001 * (step % 101) for step in range(1, 102)])
    assert found.median_seconds == pytest.approx(0.15)
    assert found.mean_seconds == pytest.approx(0.15)
    assert (found.p5_seconds, found.p95_seconds) == (pytest.approx(0.105), pytest.approx(0.195))
    assert found.jitter == pytest.approx(1.4826 * 0.025 / 0.15)


@pytest.mark.parametrize("steps", [1, 2, 12, 49])
def test_too_few_steps_have_no_interval(steps):
    found = describe(step_times(runs=1, steps=steps)[0])
    assert found.too_few == f"{steps} steps, and an interval needs 50"
    assert (found.low_seconds, found.relative_half_width) == (None, None)


def test_steps_that_go_together_are_too_few_however_many():
    walk = 1 + 0.0001 * np.cumsum(np.random.default_rng(4).standard_normal(400))
    found = describe(walk)
    assert found.effective_steps < LEAST_EFFECTIVE_STEPS
    assert "400 steady steps tell as much as" in found.too_few


def test_no_step_no_statistics():
    assert describe([]) is None


@pytest.mark.parametrize("seconds", [[0.0] * 80, [0.1] * 80, [0.0, 0.01] * 40, [1e-9] * 60 + [10.0]])
def test_clocks_of_any_kind_do_no_harm(seconds):
    found = describe(seconds)
    assert found.steps == len(seconds)
    assert found.mean_seconds == pytest.approx(np.mean(seconds))
