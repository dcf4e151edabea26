import numpy as np
import pytest

from results.statistics.stalls import periodic_stalls
from tests.results.statistics.simulated import KINDS, share, step_times


@pytest.mark.parametrize(("steps", "period"), [(200, 5), (200, 37), (500, 50)])
@pytest.mark.parametrize("correlation", [0.0, 0.6])
def test_stalls_on_a_beat_are_found_with_their_period(steps, period, correlation):
    runs = step_times(runs=100, steps=steps, correlation=correlation)
    runs[:, 2::period] += 0.6
    strays = np.random.default_rng(7).random(runs.shape) < 0.02
    found = [periodic_stalls(run) for run in runs + strays * 0.6]
    hits = [each is not None and (each.period, each.step) == (period, 3) for each in found]
    assert share(hits) >= 0.95
    assert np.median([each.size for each in found if each]) == pytest.approx(0.6, abs=0.05)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("correlation", [0.0, 0.6])
def test_noise_is_no_stall(kind, correlation):
    runs = step_times(kind, 300, 400, correlation, spread=0.15)
    assert share(periodic_stalls(run) is not None for run in runs) <= 0.01


def test_four_stalls_are_too_few_to_tell():
    times = np.full(200, 0.1)
    times[10::50] = 0.2
    assert periodic_stalls(times) is None
