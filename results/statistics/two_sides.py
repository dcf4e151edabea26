"""Two sides against each other: the ratio of their geometric means, how sure it is, and what more runs would show.

One value a run, positive, never pooled steps. Everything is computed on logarithms, where a ratio is a difference and
run-to-run noise is alike for fast and slow configurations.
"""

import bisect
import math
import statistics
from collections.abc import Sequence
from typing import NamedTuple

LEVEL = 0.95  # of confidence
POWER = 0.8  # the share of real differences of a size that are to be found: the usual convention
_MOST_RUNS = 1000  # beyond that nobody measures on


class Spread(NamedTuple):
    """How well the logarithm of a figure is known: the variance of its mean, and the degrees of freedom behind it."""

    variance: float
    freedom: float


class Ratio(NamedTuple):
    """B over A with the bounds of its interval and the p value of "equal"; None where one side has a single run.

    `noise`: standard deviation from run to run within a side, as a fraction. `detectable`: the smallest change, as a
    fraction, that so many runs with that noise find with the power POWER.
    """

    value: float
    low: float | None = None
    high: float | None = None
    p: float | None = None
    noise: float | None = None
    detectable: float | None = None
    spread: Spread | None = None


def ratio(a: Sequence[float], b: Sequence[float], level: float = LEVEL) -> Ratio:
    """Return the geometric mean of `b` over that of `a`, with Welch's interval on the logarithms."""
    logs_a, logs_b = _logs(a), _logs(b)
    change = statistics.fmean(logs_b) - statistics.fmean(logs_a)
    if min(len(logs_a), len(logs_b)) < 2:
        return Ratio(math.exp(change))
    noise = math.sqrt(_within(logs_a, logs_b))
    return _with_interval(change, welch([_of_mean(logs_a), _of_mean(logs_b)]), level)._replace(noise=noise)


def mean_ratio(ratios: Sequence[Ratio], level: float = LEVEL) -> Ratio:
    """Return the geometric mean of `ratios`, each of another configuration.

    The interval is about these configurations, not about others like them: it has the runs' noise in it. There is none
    where one of the ratios has none.
    """
    change = statistics.fmean(math.log(entry.value) for entry in ratios)
    spreads = [entry.spread for entry in ratios if entry.spread]
    if len(spreads) < len(ratios):
        return Ratio(math.exp(change))
    share = 1 / len(ratios) ** 2
    return _with_interval(change, welch([Spread(share * s.variance, s.freedom) for s in spreads]), level)


def welch(spreads: Sequence[Spread]) -> Spread:
    """Return the spread of the sum of independent means, with the degrees of freedom of Welch and Satterthwaite."""
    variance = math.fsum(spread.variance for spread in spreads)
    if not variance:
        return Spread(0.0, math.fsum(spread.freedom for spread in spreads))
    # Shares of the whole, as squares of the variances themselves could underflow.
    freedom = 1 / math.fsum((spread.variance / variance) ** 2 / spread.freedom for spread in spreads)
    return Spread(variance, freedom)


def more_runs(
    a: Sequence[float], b: Sequence[float], change: float, level: float = LEVEL, power: float = POWER
) -> int | None:
    """Return how many more runs of each side would show a `change` (a fraction: 0.02 is 2 %) with that power.

    At least 1; None where a side has one run, so that its noise is not known, or where it is more than 1000.
    """
    sides = (_logs(a), _logs(b))
    if min(map(len, sides)) < 2:
        return None

    def found(more: int) -> float:
        of_both = [Spread(statistics.variance(logs) / (len(logs) + more), len(logs) + more - 1) for logs in sides]
        return _found(math.log1p(change), welch(of_both), level)

    counts = range(1, _MOST_RUNS + 1)
    enough = bisect.bisect_left(counts, power, key=found)  # the more runs, the more is found
    return counts[enough] if enough < len(counts) else None


def _found(change: float, spread: Spread, level: float) -> float:
    """Return the power of the two-sided test against a real `change` of logarithms, above 0."""
    from scipy import special  # takes longer to import than all the rest

    error = math.sqrt(spread.variance)
    if not error:
        return 1.0
    critical = special.stdtrit(spread.freedom, (1 + level) / 2)
    # The far tail, where the test finds a change of the wrong sign, is left out: it is no find. Beyond 100 errors
    # everything is found, and the noncentral distribution is out of its depth.
    return 1.0 - float(special.nctdtr(spread.freedom, min(change / error, 100.0), critical))


def _with_interval(change: float, spread: Spread, level: float) -> Ratio:
    from scipy import special

    error = math.sqrt(spread.variance)
    critical = float(special.stdtrit(spread.freedom, (1 + level) / 2))
    reach = critical * error
    detectable = math.expm1(float(special.nctdtrinc(spread.freedom, 1 - POWER, critical)) * error)
    # Where the figures of each side are equal, no noise was seen at all, and any change is beyond it.
    t = change / error if error else math.copysign(math.inf, change) if change else 0.0
    p = 2 * float(special.stdtr(spread.freedom, -abs(t)))
    bounds = (math.exp(change - reach), math.exp(change + reach))
    return Ratio(math.exp(change), *bounds, p=p, detectable=detectable, spread=spread)


def _logs(values: Sequence[float]) -> list[float]:
    return [math.log(value) for value in values]


def _of_mean(logs: Sequence[float]) -> Spread:
    return Spread(statistics.variance(logs) / len(logs), len(logs) - 1)


def _within(*sides: Sequence[float]) -> float:
    """Return the variance within the sides, pooled."""
    squares = math.fsum(statistics.variance(side) * (len(side) - 1) for side in sides)
    return squares / sum(len(side) - 1 for side in sides)
