"""What pairs make of a promise: no more than their interval bears, however often somebody has looked."""

import math
import random

import pytest

from benchmarks.studies.claims.budget import Budget
from benchmarks.studies.claims.claim import Case, Claim, Measured, Promise, Way
from benchmarks.studies.claims.command import measure, plan
from benchmarks.studies.claims.effect import (
    CONFIRMED,
    CONTRADICTED,
    LARGER,
    MEASURED,
    NO_DIFFERENCE,
    SMALLER,
    UNTOLD,
    Finding,
    judge,
)
from results.statistics.two_sides import Ratio
from tests.studies.claims.planted import two_cores

BETTER, BOUNDED, NOT_WORSE, EITHER = Promise(), Promise(1.12, 1.3), Promise(not_worse=True), Promise(either=True)


def judged(promise, low, high, value=None):
    case = Case("case", Way("good"), Way("bad"), promise)
    return judge(Ratio(value or math.sqrt(low * high), low, high, p=0.0 if low > 1 or high < 1 else 1.0), 5, case)


@pytest.mark.parametrize(
    ("promise", "low", "high", "outcome"),
    [
        (BETTER, 1.2, 1.4, CONFIRMED),
        (BETTER, 0.6, 0.8, CONTRADICTED),
        (BETTER, 0.97, 1.03, NO_DIFFERENCE),
        (BETTER, 0.8, 1.4, UNTOLD),
        # As little as decides nothing, whether the interval ends a bit before 5 % or a bit behind it.
        (BETTER, 1.001, 1.049, NO_DIFFERENCE),
        (BETTER, 1.001, 1.06, UNTOLD),
        (BETTER, 0.94, 0.999, UNTOLD),
        (NOT_WORSE, 0.94, 0.999, UNTOLD),
        (EITHER, 1.001, 1.06, MEASURED),
        # What is no worse need not be known to be better, or to be alike.
        (NOT_WORSE, 0.97, 1.2, CONFIRMED),
        (NOT_WORSE, 0.9, 1.2, UNTOLD),
        (NOT_WORSE, 0.8, 0.9, CONTRADICTED),
        # Of what is claimed to be 12 to 30 %.
        (BOUNDED, 1.15, 1.25, CONFIRMED),
        (BOUNDED, 1.01, 1.60, UNTOLD),
        (BOUNDED, 1.10, 1.20, UNTOLD),
        (BOUNDED, 1.06, 1.10, SMALLER),
        (BOUNDED, 1.01, 1.08, SMALLER),
        (BOUNDED, 1.01, 1.15, UNTOLD),
        (BOUNDED, 1.35, 1.5, LARGER),
        # As much as was claimed it is not, whether there is a gain at all or a loss, as long as that is not sure.
        (BOUNDED, 0.95, 1.07, SMALLER),
        (BOUNDED, 0.93, 0.99, SMALLER),
        (BOUNDED, 0.80, 1.10, SMALLER),
        (BOUNDED, 0.80, 1.13, UNTOLD),
        (BOUNDED, 0.98, 1.02, NO_DIFFERENCE),
        (BOUNDED, 0.80, 0.90, CONTRADICTED),
    ],
)
def test_a_verdict_is_one_that_the_whole_interval_bears(promise, low, high, outcome):
    assert judged(promise, low, high).outcome == outcome


def test_what_is_not_told_is_said():
    assert judged(BOUNDED, 1.1, 1.2).words.endswith(
        "(1.10 to 1.20) as good as 'bad': better, but these pairs do not tell whether 1.12 to 1.3 times"
    )
    assert judged(BOUNDED, 0.9, 1.08).words == (
        "'bad' is 1.01 times (0.93 to 1.11) as good as 'good': 'good' is less than 1.12 times as good"
    )
    assert judged(BOUNDED, 1.06, 1.1).words == "'good' is 1.08 times (1.06 to 1.10) as good as 'bad'"
    assert judged(BETTER, 1.001, 1.06).words.endswith(": not clearly by more than 5%")
    assert judged(NOT_WORSE, 0.97, 1.2).words.endswith(": no worse by more than 5%")


@pytest.mark.parametrize(
    ("gains", "outcome", "sure"),
    [
        ((0.97, 1.06, 0.96, 1.05, 1.0), SMALLER, False),
        ((0.93, 0.95, 0.97, 0.94, 0.99), SMALLER, False),
        ((1.07, 1.071, 1.069), SMALLER, True),
        ((1.0, 1.001, 0.999), NO_DIFFERENCE, True),
    ],
)
def test_less_than_was_claimed_is_measured_on_until_it_is_known_whether_anything_was_gained(gains, outcome, sure):
    case = Case("case", Way("good"), Way("bad"), BOUNDED)
    found = Finding(case, tuple((Measured(gain, {}), Measured(1.0, {})) for gain in gains))
    assert (found.judgment.outcome, found.sure) == (outcome, sure)


def test_looking_after_every_pair_finds_hardly_more_than_an_interval_of_95_percent_does(tmp_path):
    """Of 100 cases in which nothing differs 5 may be told to differ; by intervals of 95 % alone it would be 10."""
    draw = random.Random(0)
    cases = [Case(f"{number}", Way("good"), Way("bad")) for number in range(1500)]
    found = []
    for case in cases:
        story = plan([Claim("nothing", "Says.", "nowhere", lambda _, case=case: [case])], two_cores(tmp_path))
        measure(story, lambda _: Measured(math.exp(draw.gauss(0, 0.1)), {}), pairs=5, budget=Budget())
        found.append(story.cases[0].finding.judgment.outcome)
    assert sum(outcome in (CONFIRMED, CONTRADICTED) for outcome in found) / len(cases) < 0.075
