"""Which case gets the next pair, so that a budget of time tells as much as it can. No clock in it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmarks.studies.claims.claim import Case, Claim, Measured, Missing
from benchmarks.studies.claims.effect import LEAST_PAIRS, Finding
from benchmarks.studies.claims.machine import Machine


@dataclass
class Progress:
    """A case of a claim on its way. `rank`: its place among the cases of its claim, from 0, the most telling one.

    `pair_seconds`: what its last pair took, at first what is expected. `failure`: why it is given up; "" if it is not.
    """

    claim: Claim
    case: Case
    rank: int
    pairs: list[tuple[Measured, Measured]] = field(default_factory=list)
    pair_seconds: float = 0.0
    failure: str = ""

    def __post_init__(self) -> None:
        self.pair_seconds = 2 * self.case.seconds

    @property
    def name(self) -> str:
        """What the progress and the tables call it."""
        return f"{self.claim.name}: {self.case.name}"

    @property
    def finding(self) -> Finding:
        """What its pairs say."""
        return Finding(self.case, tuple(self.pairs))


@dataclass
class Story:
    """What came of the claims so far: cases that were or are to be measured, and those that this machine cannot run.

    `why_not`: why cases without a pair have none.
    """

    machine: Machine
    cases: list[Progress] = field(default_factory=list)
    missing: list[tuple[Claim, Missing]] = field(default_factory=list)
    why_not: str = "its turn had not come"


def next_case(cases: Sequence[Progress], most: int, seconds_left: float) -> Progress | None:
    """The one of `cases` that the next pair is for; None where no pair is wanted, or none fits in `seconds_left`.

    The most telling case of every claim comes first, then the others: each gets the pairs that a verdict needs before
    the next one begins, if there is time for them. What time is left goes to the cases that are not sure yet, the
    widest interval first, until they have `most` pairs.
    """
    least = min(LEAST_PAIRS, most)
    wanted = [each for each in cases if not each.failure and len(each.pairs) < most]
    begun = [each for each in wanted if 0 < len(each.pairs) < least]
    fresh = sorted((each for each in wanted if not each.pairs), key=lambda each: each.rank)
    for each in begun:
        if each.pair_seconds <= seconds_left:
            return each
    for each in fresh:
        if least * each.pair_seconds <= seconds_left:
            return each
    unsure = [each for each in wanted if len(each.pairs) >= least and not each.finding.sure]
    fitting = [each for each in unsure if each.pair_seconds <= seconds_left]
    return max(fitting, key=lambda each: _width(each.finding), default=None)


def seconds_at_most(cases: Sequence[Progress], most: int) -> float:
    """What all pairs that may still be made would take."""
    return math.fsum(each.pair_seconds * (most - len(each.pairs)) for each in cases if not each.failure)


def _width(finding: Finding) -> float:
    found = finding.effect
    return math.inf if found.low is None or found.high is None else math.log(found.high / found.low)
