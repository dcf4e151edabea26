import math

import numpy as np
import pytest

from results.statistics.change_points import FEWEST, change_points, noise

HISTORIES = 400


def series(chance, length, noise=0.01):
    return 300 * np.exp(chance.normal(0, noise, length))


@pytest.mark.parametrize("length", [FEWEST, 30, 60, 365])
def test_noise_alone_has_a_change_point_in_at_most_5_percent_of_histories(length):
    chance = np.random.default_rng(length)
    false_alarms = sum(bool(change_points(series(chance, length))) for _ in range(HISTORIES))
    assert false_alarms <= 0.05 * HISTORIES + 2 * math.sqrt(HISTORIES * 0.05 * 0.95)  # two standard errors


@pytest.mark.parametrize("factor", [0.97, 1.03])
def test_a_shift_of_3_percent_at_1_percent_noise_is_found_within_5_nights(factor):
    chance = np.random.default_rng(7)
    found = 0
    for _ in range(HISTORIES):
        values = series(chance, 60)
        values[55:] *= factor
        found += any(abs(index - 55) <= 2 for index in change_points(values))
    assert found >= 0.93 * HISTORIES  # 95 %, less what chance takes


def test_two_shifts_are_told_apart_and_placed():
    values = series(np.random.default_rng(3), 90, noise=0.005)
    values[30:60] *= 0.95
    values[60:] *= 1.02
    assert change_points(values) == [30, 60]


def test_single_slow_nights_are_no_change():
    values = series(np.random.default_rng(4), 60, noise=0.005)
    values[[10, 30, 31, 50]] *= 0.7
    assert change_points(values) == []


def test_equal_values_have_no_change_and_a_smallest_noise():
    assert change_points([100.0] * 40) == []
    assert noise([1.0] * 10) == 0.001
    assert change_points([100.0] * 20 + [90.0] * 20) == [20]


def test_short_series_are_not_judged():
    assert change_points([100.0] * (FEWEST // 2) + [50.0] * (FEWEST - 1 - FEWEST // 2)) == []


def test_noise_is_that_of_the_runs_not_of_the_shifts():
    logs = np.random.default_rng(5).normal(0, 0.01, 400)
    logs[200:] += 0.5
    assert noise(list(logs)) == pytest.approx(0.01, rel=0.15)
