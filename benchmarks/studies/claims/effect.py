"""What the pairs of a case say: how many times as good the advised way is, and what that makes of the claim."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from benchmarks.studies.claims.claim import Case, Measured, Promise
from results.comparison.verdict import bounds, verdict
from results.statistics.between_runs import interval
from results.statistics.two_sides import LEVEL, Ratio

LEAST_PAIRS = 3  # fewer pairs are too often alike by chance
# A smaller difference decides nothing. Where programs come and go, some pairs of runs cannot tell less from nothing.
NEGLIGIBLE = 0.05
# Measuring ends early only for what is sure at this level: who looks after each pair, and stops at the first interval
# of 95 % that excludes 1, finds a difference where there is none in 10 cases of 100 (of five pairs; this way in 6).
SURE = 0.99

CONFIRMED, CONTRADICTED, NO_DIFFERENCE = "confirmed", "contradicted", "no difference"
SMALLER, LARGER, MEASURED, UNTOLD = "smaller than claimed", "larger than claimed", "measured", "not told"


class Judgment(NamedTuple):
    """`outcome`: one of the words above. `words`: the effect, and the outcome's sense, a sentence without its dot."""

    outcome: str
    words: str


@dataclass(frozen=True)
class Finding:
    """The pairs of a case, (advised, other), in the order in which they were measured."""

    case: Case
    pairs: tuple[tuple[Measured, Measured], ...]

    @property
    def gains(self) -> list[float]:
        """By pair, how many times as good the advised way was."""
        sign = -1 if self.case.less_is_better else 1
        return [(advised.figure / other.figure) ** sign for advised, other in self.pairs]

    @property
    def effect(self) -> Ratio:
        """Their geometric mean with its 95 % interval (Student's, on logarithms), if there are two pairs or more."""
        return effect(self.gains)

    @property
    def judgment(self) -> Judgment:
        """What they make of the promise."""
        return judge(self.effect, len(self.pairs), self.case)

    @property
    def sure(self) -> bool:
        """Whether more pairs would hardly tell otherwise: the judgment is one by an interval of SURE, too.

        That less was gained than was claimed is sure before it is known whether anything was, which more pairs tell.
        """
        found = effect(self.gains, SURE)
        outcome = judge(found, len(self.pairs), self.case).outcome
        return outcome != UNTOLD and (outcome != SMALLER or found.p == 0)

    @property
    def reasons(self) -> list[str]:
        """What the measurements tell on why it is so; nothing where there are none."""
        advised, other = zip(*self.pairs, strict=True) if self.pairs else ((), ())
        return list(self.case.reasons(advised, other)) if self.pairs else []


def effect(gains: Sequence[float], level: float = LEVEL) -> Ratio:
    """The geometric mean of `gains` (at least one, positive) with its interval."""
    found = interval(gains, level)
    if found is None:
        return Ratio(gains[0])
    # The ratio is told apart from 1 where its interval excludes it: that is what its p value says, no more is needed.
    excludes = found.low > 1 or found.high < 1
    return Ratio(found.value, found.low, found.high, p=0.0 if excludes else 1.0)


def judge(ratio: Ratio, pairs: int, case: Case) -> Judgment:
    """What `ratio`, of so many `pairs`, makes of the promise of `case`."""
    promise, told = case.promise, _told(ratio, case)
    found = verdict(ratio, NEGLIGIBLE)
    if pairs < LEAST_PAIRS or ratio.low is None or ratio.high is None:
        return Judgment(UNTOLD, f"{told}: {_more(pairs)}")
    if found.kind == "no difference":
        same = f"{told}: no difference larger than {NEGLIGIBLE:.0%}"
        return Judgment(CONFIRMED if promise.not_worse else MEASURED if promise.either else NO_DIFFERENCE, same)
    if promise.not_worse and ratio.low > 1 / (1 + NEGLIGIBLE):
        return Judgment(CONFIRMED, f"{told}: no worse by more than {NEGLIGIBLE:.0%}")
    if promise.least > 1 and ratio.high < promise.least and found.kind != "slower":
        less = "" if ratio.low > 1 else f": '{case.advised.name}' is less than {promise.least:g} times as good"
        return Judgment(SMALLER, told + less)
    if found.kind == "too few runs":
        return Judgment(UNTOLD, f"{told}: {_more(pairs)}")
    if promise.either:
        return Judgment(MEASURED, told)
    if found.kind == "small difference":
        return Judgment(UNTOLD, f"{told}: not clearly by more than {NEGLIGIBLE:.0%}")
    return Judgment(CONTRADICTED, told) if ratio.value < 1 else _against(promise, ratio, told)


def _against(promise: Promise, ratio: Ratio, told: str) -> Judgment:
    """What a gain that is sure makes of how much was promised: it is confirmed where its whole interval was."""
    assert ratio.low is not None
    assert ratio.high is not None
    most = math.inf if promise.most is None else promise.most
    if ratio.low > most:
        return Judgment(LARGER, told)
    if promise.least <= ratio.low and ratio.high <= most:
        return Judgment(CONFIRMED, told)
    return Judgment(UNTOLD, f"{told}: better, but these pairs do not tell whether {promise} times")


def _told(ratio: Ratio, case: Case) -> str:
    """Who is how many times as good, with the interval."""
    first, second = case.advised.name, case.other.name
    if ratio.value < 1:
        first, second = second, first
        turn = (None, None) if ratio.low is None or ratio.high is None else (1 / ratio.high, 1 / ratio.low)
        ratio = Ratio(1 / ratio.value, *turn)
    within = f" ({bounds(ratio)})" if ratio.low is not None else ""
    quality = f"{ratio.value:.2f} times" if math.isfinite(ratio.value) else "without bound"
    return f"'{first}' is {quality}{within} as good as '{second}'"


def _more(pairs: int) -> str:
    if pairs < LEAST_PAIRS:
        return f"{pairs} of the {LEAST_PAIRS} pairs that a verdict needs"
    return "the pairs differ too much to tell; more of them, or a quieter machine"
