"""The bounds that the docstring of `steadiness` states, by simulation."""

import numpy as np
import pytest

from results.statistics.steady import steadiness
from results.statistics.step_statistics import LEVEL_SHIFT, RAMP, SLOW_START
from tests.results.statistics.simulated import KINDS, share, step_times

LENGTHS = [(200, 0.0), (500, 0.0), (500, 0.6)]  # steps, correlation


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("steps", "correlation"), [(100, 0.6), (200, 0.0), (500, 0.6)])
def test_steady_noise_seldom_alarms_and_is_seldom_cut(kind, steps, correlation):
    found = [steadiness(run) for run in step_times(kind, 200, steps, correlation, spread=0.15)]
    assert share(bool(each.unsteady) for each in found) <= 0.05
    assert share(each.start > 0 for each in found) <= 0.05


@pytest.mark.parametrize(("steps", "correlation"), LENGTHS)
@pytest.mark.parametrize("factor", [1.15, 1 / 1.15])
@pytest.mark.parametrize("until", [0.8, 1.0])
def test_a_shift_in_the_middle_is_found_where_it_is(steps, correlation, factor, until):
    runs = step_times(steps=steps, correlation=correlation)
    begin = steps // 2
    runs[:, begin : int(until * steps)] *= factor
    found = [steadiness(run) for run in runs]
    near = [
        bool(each.unsteady)
        and any(one.kind == LEVEL_SHIFT and abs(one.step - 1 - begin) <= steps / 10 for one in each.findings)
        for each in found
    ]
    assert share(near) >= 0.95


@pytest.mark.parametrize(("steps", "correlation"), LENGTHS)
@pytest.mark.parametrize("drift", [0.15, -0.15])
def test_a_ramp_is_found_and_called_one(steps, correlation, drift):
    runs = step_times(steps=steps, correlation=correlation) * (1 + drift * np.linspace(0, 1, steps))
    found = [steadiness(run) for run in runs]
    assert share("drifted by" in each.unsteady for each in found) >= 0.95
    sizes = [one.size for each in found for one in each.findings if one.kind == RAMP]
    assert np.median(sizes) == pytest.approx(drift, abs=0.02)


@pytest.mark.parametrize(("steps", "correlation"), LENGTHS)
def test_a_slower_first_quarter_is_cut_off(steps, correlation):
    runs = step_times(steps=steps, correlation=correlation)
    runs[:, : steps // 4] *= 1.15
    found = [steadiness(run) for run in runs]
    assert share(not each.unsteady and abs(each.start - steps // 4) <= steps / 10 for each in found) >= 0.95


@pytest.mark.parametrize("slow", [1, 3, 8])
def test_a_few_very_slow_first_steps_are_cut_off_to_the_step(slow):
    runs = step_times()
    runs[:, :slow] *= 5
    found = [steadiness(run) for run in runs]
    assert share(each.start == slow and each.findings[0].kind == SLOW_START for each in found) >= 0.95
    assert share(bool(each.unsteady) for each in found) <= 0.05


def test_the_reason_names_the_numbers():
    times = np.r_[np.full(120, 0.1), np.full(80, 0.15)] * (1 + 0.01 * np.random.default_rng(1).standard_normal(200))
    assert steadiness(times).unsteady == "step times changed by +49.9% at step 121"
