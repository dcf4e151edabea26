import math

import numpy as np
import pytest
from scipy import stats

from results.statistics.two_sides import mean_ratio, more_runs, ratio


def runs(rng, mean, noise, count):
    return (mean * np.exp(noise * rng.standard_normal(count))).tolist()


def test_welch_is_scipys():
    rng = np.random.default_rng(1)
    a, b = runs(rng, 500, 0.01, 4), runs(rng, 520, 0.03, 7)
    found, theirs = ratio(a, b), stats.ttest_ind(np.log(b), np.log(a), equal_var=False)
    bounds = theirs.confidence_interval(0.95)
    assert found.value == pytest.approx(stats.gmean(b) / stats.gmean(a))
    assert found.p == pytest.approx(theirs.pvalue)
    assert (found.low, found.high) == pytest.approx((math.exp(bounds.low), math.exp(bounds.high)))


def test_one_run_has_no_interval():
    found = ratio([100.0, 101.0], [110.0])
    assert found.value == pytest.approx(110 / math.sqrt(100 * 101))
    assert (found.low, found.high, found.p, found.detectable) == (None,) * 4


def test_runs_without_noise():
    assert ratio([100.0, 100.0], [100.0, 100.0])[:4] == (1.0, 1.0, 1.0, 1.0)
    assert ratio([100.0, 100.0], [110.0, 110.0]).p == 0


def test_intervals_cover_the_truth():
    rng = np.random.default_rng(2)
    found = [ratio(runs(rng, 100, 0.02, 5), runs(rng, 103, 0.01, 5)) for _ in range(2000)]
    covered = sum(one.low <= 1.03 <= one.high for one in found) / len(found)
    assert 0.93 <= covered <= 0.97


def test_the_mean_of_configurations_has_the_noise_of_all_of_them():
    rng = np.random.default_rng(3)
    covered = 0
    for _ in range(1000):
        parts = [
            ratio(runs(rng, 100, noise, 4), runs(rng, 100 * f, noise, 4)) for noise, f in ((0.01, 1.1), (0.04, 0.9))
        ]
        found = mean_ratio(parts)
        covered += found.low <= math.sqrt(1.1 * 0.9) <= found.high
    assert 930 <= covered <= 970
    assert mean_ratio([*parts, ratio([1.0], [2.0])]).low is None


def test_so_many_more_runs_do_show_the_change():
    rng = np.random.default_rng(4)
    spread = np.array([-1.0, 0.0, 1.0]) * 0.02  # of standard deviation 0.02
    a = b = (100 * np.exp(spread)).tolist()
    more = more_runs(a, b, 0.03)
    count = 3 + more

    def power(count):
        x, y = 0.02 * rng.standard_normal((2, 4000, count))
        return (stats.ttest_ind(y + math.log(1.03), x, axis=1, equal_var=False).pvalue < 0.05).mean()

    assert power(count) >= 0.78
    assert power(count - 1) <= 0.82
    assert more_runs(a, [100.0], 0.03) is None
    assert more_runs(a, b, 0.0001) is None
    assert more_runs([100.0] * 2, [100.0] * 2, 0.03) == 1


def test_the_detectable_change_is_found_with_the_power():
    rng = np.random.default_rng(5)
    found = [ratio(runs(rng, 100, 0.02, 6), runs(rng, 100, 0.02, 6)).detectable for _ in range(300)]
    change = float(np.median(found))
    x, y = 0.02 * rng.standard_normal((2, 4000, 6))
    power = (stats.ttest_ind(y + math.log1p(change), x, axis=1).pvalue < 0.05).mean()
    assert 0.75 <= power <= 0.85
