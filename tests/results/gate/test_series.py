import math

import numpy as np
import pytest

from results.gate.series import Series, changes
from results.statistics.two_sides import ratio


def test_a_night_is_the_geometric_mean_of_its_runs():
    nights = [[100.0, 121.0], [104.0], [], [98.0], [103.0]]
    tonight, before = changes([Series("x", nights, [90.0, 92.0], {})])
    logs = [math.log(110), math.log(104), math.log(98), math.log(103)]
    assert tonight.estimate[0] == pytest.approx(math.log(90 * 92) / 2 - np.mean(logs))
    assert tonight.freedom[0] == 3
    assert np.isnan(before.estimate[:, 0]).tolist() == [False, False, True, False, False]


def test_a_single_run_tonight_is_less_certain_than_nights_of_several():
    rng = np.random.default_rng(1)
    nights = [(100 * np.exp(0.02 * rng.standard_normal(4))).tolist() for _ in range(400)]
    [one], [four] = (changes([Series("x", nights, [100.0] * count, {})])[0].error for count in (1, 4))
    assert one == pytest.approx(0.02, rel=0.1)
    assert four == pytest.approx(0.01, rel=0.1)


def test_with_two_nights_the_noise_is_that_between_runs():
    runs, tonight = [[100.0, 101.0], [102.0]], [99.0, 98.0]
    change, before = changes([Series("x", runs, tonight, {})])
    of_runs = ratio([100.0, 101.0, 102.0], tonight)
    assert change.estimate[0] == pytest.approx(math.log(of_runs.value))
    assert change.error[0] ** 2 == pytest.approx(of_runs.spread.variance)
    assert np.isnan(before.estimate).all()
    assert np.isnan(changes([Series("x", runs, [99.0], {})])[0].estimate[0])
