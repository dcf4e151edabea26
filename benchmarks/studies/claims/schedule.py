"""Which case gets the next pair, so that a budget of time tells as much as it can. No clock in it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from benchmarks.studies.claims.claim import Case, Claim, Measured, Missing, Preparation, asked
from benchmarks.studies.claims.effect import LEAST_PAIRS, Finding
from benchmarks.studies.claims.machine import Machine


@dataclass
class Progress:
    """A case of a claim on its way. `rank`: its place among the cases of its claim, from 0, the most telling one.

    `pair_seconds`: what its last pair took, 0 before the first. `failure`: why it is given up; "" if it is not.
    `ended_after`: the seconds after which its first pair was ended, as the budget was spent; 0 if it was not.
    """

    claim: Claim
    case: Case
    rank: int
    pairs: list[tuple[Measured, Measured]] = field(default_factory=list)
    pair_seconds: float = 0.0
    failure: str = ""
    ended_after: float = 0.0

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

    `made`: the files for ways to read that are there. `why_not`: why cases without a pair have none.
    """

    machine: Machine
    cases: list[Progress] = field(default_factory=list)
    missing: list[tuple[Claim, Missing]] = field(default_factory=list)
    made: set[Preparation] = field(default_factory=set)
    why_not: str = "its turn had not come"

    @property
    def measured(self) -> bool:
        """Whether there is a pair of any case."""
        return any(each.pairs for each in self.cases)

    def seconds(self, wanted: Iterable[tuple[Progress, int]]) -> float:
        """What so many more pairs of each of these cases would take, and making the files for them that are not there.

        What was not begun takes as many times as long as is expected of it as what was.
        """
        slowness, found = self._slowness, 0.0
        files: set[Preparation] = set()
        for each, pairs in wanted:
            found += pairs * (each.pair_seconds if each.pairs else 2 * slowness * each.case.seconds)
            files.update(each.case.preparations)
        return found + slowness * math.fsum(file.seconds for file in files - self.made)

    @property
    def _slowness(self) -> float:
        begun = [each for each in self.cases if each.pairs]
        expected = math.fsum(2 * each.case.seconds for each in begun)
        return math.fsum(each.pair_seconds for each in begun) / expected if expected else 1.0


def story_of(claims: Iterable[Claim], machine: Machine, patterns: Sequence[str] = ()) -> Story:
    """What the cases of `claims` that `patterns` ask for are on `machine`, before anything is measured."""
    story = Story(machine)
    for claim in claims:
        for rank, case in enumerate(claim.cases(machine)):
            if not asked(case.name, patterns):
                continue
            if isinstance(case, Missing):
                story.missing.append((claim, case))
            else:
                story.cases.append(Progress(claim, case, rank))
    return story


def next_case(story: Story, most: int, seconds_left: float) -> Progress | None:
    """The case that the next pair is for; None where no pair is wanted, or none fits in `seconds_left`.

    The most telling case of every claim comes first, then the others: each gets the pairs that a verdict needs before
    the next one begins, if there is time for them. What time is left goes to the cases that are not sure yet, the
    widest interval first, until they have `most` pairs.
    """
    least = min(LEAST_PAIRS, most)
    wanted = [each for each in story.cases if not each.failure and len(each.pairs) < most]
    begun = [each for each in wanted if 0 < len(each.pairs) < least]
    fresh = sorted((each for each in wanted if not each.pairs), key=lambda each: each.rank)
    for cases, pairs in ((begun, 1), (fresh, least)):
        for each in cases:
            if story.seconds([(each, pairs)]) <= seconds_left:
                return each
    unsure = [each for each in wanted if len(each.pairs) >= least and not each.finding.sure]
    fitting = [each for each in unsure if story.seconds([(each, 1)]) <= seconds_left]
    return max(fitting, key=lambda each: _width(each.finding), default=None)


def seconds_of_all(story: Story, most: int) -> float:
    """What all pairs that may still be made would take."""
    return story.seconds((each, most - len(each.pairs)) for each in story.cases if not each.failure)


def seconds_of_claim(claim: Claim, machine: Machine, pairs: int, patterns: Sequence[str] = ()) -> float:
    """What so many pairs of each case of `claim` that `patterns` ask for take on `machine`, roughly, and their files.

    0 where it can run none.
    """
    return seconds_of_all(story_of([claim], machine, patterns), pairs)


def least_seconds(story: Story, most: int) -> float:
    """What the case takes whose first pairs are done soonest: with less time none is begun. 0 where there is none."""
    return min((story.seconds([(each, min(LEAST_PAIRS, most))]) for each in story.cases), default=0.0)


def least_seconds_of_claim(claim: Claim, machine: Machine, pairs: int, patterns: Sequence[str] = ()) -> float:
    """The same of the cases of `claim` that `patterns` ask for."""
    return least_seconds(story_of([claim], machine, patterns), pairs)


def _width(finding: Finding) -> float:
    found = finding.effect
    return math.inf if found.low is None or found.high is None else math.log(found.high / found.low)
