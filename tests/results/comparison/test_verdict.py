import numpy as np
import pytest

from results.comparison.comparison import compare
from results.comparison.facts import admit
from results.comparison.verdict import bounds, verdict
from results.statistics.two_sides import Ratio
from tests.results.records import measurement, record


@pytest.mark.parametrize(
    ("value", "low", "high", "kind", "words"),
    [
        (1.08, 1.05, 1.11, "faster", "1.08x faster, 95 % interval 1.05 to 1.11"),
        (1 / 1.08, 1 / 1.11, 1 / 1.05, "slower", "1.08x slower, 95 % interval 1.05 to 1.11"),
        (1.0, 0.99, 1.01, "no difference", "no difference larger than 2 %, 95 % interval 0.99 to 1.01"),
        (1.01, 1.005, 1.015, "no difference", "no difference larger than 2 %, 95 % interval 1.005 to 1.015"),
        (1.015, 1.005, 1.03, "small difference", "1.01x faster, 95 % interval 1.00 to 1.03: not clearly above 2 %"),
        (1.04, 0.99, 1.10, "too few runs", "too few runs: 95 % interval 0.99 to 1.10"),
    ],
)
def test_verdicts(value, low, high, kind, words):
    found = verdict(Ratio(value, low, high, p=0.01 if low > 1 or high < 1 else 0.2), threshold=0.02)
    assert (found.kind, found.words) == (kind, words.replace("1.01x faster", f"{value:.2f}x faster"))


def test_significant_alone_but_not_among_many():
    found = verdict(Ratio(1.08, 1.01, 1.15, p=0.03), 0.02, p_adjusted=0.3, family=20)
    assert found.words == "too few runs for 20 comparisons at once: 95 % interval 1.01 to 1.15"


def runs(*speeds, model="resnet20"):
    """Runs at `speeds`, in images/s."""
    return admit(
        record(settings={"model": model}, measurement=measurement(window_seconds=640 / speed)) for speed in speeds
    ).runs


def test_one_run_each_has_a_ratio_and_no_verdict():
    [row] = compare(runs(500), runs(1000)).rows
    assert row.verdict.words == "ratio 2.00, one run each: no interval"
    [row] = compare(runs(500, 501), runs(1000)).rows
    assert row.verdict == ("no interval", "ratio 2.00, one run in B: no interval")


def test_too_few_runs_says_how_many_more():
    [row] = compare(runs(500, 510, 505), runs(508, 514, 498)).rows
    more = int(row.verdict.words.removeprefix("too few runs: ").split()[0])
    assert row.verdict.words.startswith(f"too few runs: {more} more of each would show 2 % (95 % interval 0.9")
    assert 1 <= more <= 20


def test_each_run_counts_once_however_many_steps_it_has():
    [row] = compare(runs(500, 520), runs(510, 530)).rows
    assert (row.runs_a, row.runs_b) == (2, 2)
    assert row.verdict.kind == "too few runs"


def test_the_geometric_mean_is_over_the_matched_configurations():
    a = runs(100, 101, 99) + runs(1000, 1001, 999, model="vgg16") + runs(7, model="only")
    b = runs(200, 201, 199) + runs(500, 501, 499, model="vgg16")
    found = compare(a, b)
    assert found.mean.value == pytest.approx(1.0, rel=1e-3)
    assert found.mean.low < 1 < found.mean.high
    assert [row.verdict.kind for row in found.rows] == ["faster", "slower"]
    one = compare(a + runs(5, model="one"), b + runs(5, model="one"))
    assert one.mean_verdict.words == "ratio 1.00, of some there is one run: no interval"


def test_equal_configurations_are_seldom_called_different():
    """A/A: 20 configurations of 3 runs each, 1 % noise from run to run."""
    rng = np.random.default_rng(1)
    templates = [run for model in range(20) for run in runs(500, 500, 500, model=f"m{model}")]
    wrong = 0
    for _ in range(20):
        speeds = 500 * np.exp(0.01 * rng.standard_normal((2, len(templates))))
        sides = [[run._replace(images_per_second=v) for run, v in zip(templates, side, strict=True)] for side in speeds]
        wrong += any(row.verdict.kind in ("faster", "slower") for row in compare(*sides).rows)
    assert wrong <= 3


@pytest.mark.parametrize(
    ("value", "said"), [(1.05, "1.0500 to 1.0500"), (12.0, "12.00 to 12.00"), (183.9389, "184 to 184")]
)
def test_bounds_are_no_more_precise_than_a_ratio_is(value, said):
    assert bounds(Ratio(value, value, value)) == said
