"""Histories of 50 benchmarks, simulated: false alarms, and slowdowns found."""

import math

import numpy as np
import pytest

from results.statistics.family import Change, against_the_others, detectable, judge

BENCHMARKS, HISTORIES = 50, 1000
NOISE = 0.005


def normal(rng, shape):
    return rng.standard_normal(shape)


def heavy_tails(rng, shape):
    return rng.standard_t(4, shape) / math.sqrt(2)


def shared_by_the_night(rng, shape):
    return math.sqrt(0.5) * (rng.standard_normal((*shape[:-1], 1)) + rng.standard_normal(shape))


def judged(series, threshold):
    change = against_the_others(series)
    return judge(Change(*(part[-1] for part in change)), threshold, Change(*(part[:-1] for part in change)))


def detectable_of_first(series, threshold):
    """The detectable slowdown of the first benchmark; to compute it for all takes too long."""
    change = Change(*(part[-1, ..., :1] for part in against_the_others(series)))
    return detectable(change, judged(series, threshold).critical[..., :1], threshold)


@pytest.mark.parametrize("noise", [normal, heavy_tails, shared_by_the_night])
def test_false_alarms_on_at_most_one_night_in_twenty(noise):
    """With a threshold of 0 only the statistics keep alarms away. 1.2 %: 1.7 standard errors of the simulation."""
    rng = np.random.default_rng(1)
    series = NOISE * noise(rng, (21, HISTORIES, BENCHMARKS))
    assert judged(series, threshold=0.0).slower.any(axis=-1).mean() <= 0.05 + 0.012


def test_the_default_threshold_leaves_next_to_none():
    series = NOISE * normal(np.random.default_rng(2), (21, HISTORIES, BENCHMARKS))
    assert judged(series, threshold=0.02).slower.any(axis=-1).mean() <= 0.01


def test_a_slowdown_of_three_percent_is_found_with_the_promised_power():
    series = NOISE * normal(np.random.default_rng(3), (21, HISTORIES, BENCHMARKS))
    series[-1, :, 0] += math.log(0.97)
    found = judged(series, threshold=0.02)
    assert -math.expm1(-np.median(detectable_of_first(series, 0.02))) <= 0.03
    assert found.slower[:, 0].mean() >= 0.8
    assert found.slower[:, 1:].any(axis=-1).mean() <= 0.05


@pytest.mark.parametrize(("nights", "threshold"), [(20, 0.0), (20, 0.02), (40, 0.0)])
def test_what_is_called_detectable_is_found_in_four_of_five(nights, threshold):
    rng = np.random.default_rng(4)
    series = 0.01 * normal(rng, (nights + 1, HISTORIES, BENCHMARKS))
    series[-1, :, 0] -= np.median(detectable_of_first(series, threshold))
    assert 0.75 <= judged(series, threshold).slower[:, 0].mean() <= 0.87


def test_many_slowdowns_are_found_beside_a_night_that_was_odd():
    series = NOISE * normal(np.random.default_rng(5), (21, HISTORIES, BENCHMARKS))
    series[7, :, 49] -= 0.05
    series[-1, :, :25] += math.log(0.96)
    assert judged(series, threshold=0.02).slower[:, :25].mean() >= 0.95


def test_each_night_against_the_others_is_what_it_says():
    rng = np.random.default_rng(6)
    nights = rng.standard_normal((6, 3))
    nights[2, 0] = nights[:4, 2] = np.nan
    found = against_the_others(nights)
    others = np.delete(nights[:, 0], [2, 5])
    assert found.estimate[5, 0] == pytest.approx(nights[5, 0] - others.mean())
    assert found.error[5, 0] == pytest.approx(others.std(ddof=1) * math.sqrt(1 + 1 / 4))
    assert found.freedom[5, 0] == 3
    assert np.isnan(found.estimate[2, 0])
    assert np.isnan(found.estimate[:, 2]).all()  # two nights: one other, which has no variance


@pytest.mark.parametrize("odd", [False, True])
def test_something_is_detectable_in_a_family_of_one(odd):
    """No night with anything striking, and one that was beyond all noise, are the ends of what a limit can be."""
    nights = 1e-4 * np.random.default_rng(7).standard_normal((21, 1))
    if odd:
        nights[:, 0], nights[3, 0] = 0.0, -0.05
    found = detectable_of_first(nights, 0.02)
    assert np.isfinite(found)
    assert (found > 0.1) == odd


def test_a_series_without_noise():
    nights = np.zeros((6, 2))
    nights[-1] = (-0.05, 0.0)
    found = judged(nights, threshold=0.02)
    assert found.slower.tolist() == [True, False]
    assert detectable_of_first(nights, 0.02) == pytest.approx(-math.log(0.98))
