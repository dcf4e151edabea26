"""Many benchmarks judged in one night: which are slower, with false alarms kept rare over the whole family.

The noise is that of the series itself, from night to night with nothing changed (A/A). Everything takes NumPy arrays of
shape (nights, ..., benchmarks) or (..., benchmarks), so that histories can be simulated by the thousand.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from results.statistics.two_sides import POWER

FALSE_ALARMS = 0.05  # share of nights without a change on which the family raises an alarm, at most
_HEAVY_TAILS = 3.0  # degrees of freedom of a t distribution with tails such as timings have
_LEAST_P = 1e-12  # the inverse of the t distribution goes astray in SciPy for p towards 0

Array = NDArray[np.float64]


class Change(NamedTuple):
    """Changes of the logarithm of speed (negative is slower): estimate, standard error and its degrees of freedom.

    NaN where there is none.
    """

    estimate: Array
    error: Array
    freedom: Array


class Judged(NamedTuple):
    """What became of each benchmark. `p`: of a change that is no slowdown. `p_adjusted`: after Benjamini-Hochberg.

    `critical`: the t, as a positive number, from which a benchmark raises an alarm if no other one does.
    """

    p: Array
    p_adjusted: Array
    critical: Array
    slower: NDArray[np.bool_]


def against_the_others(nights: ArrayLike) -> Change:
    """Return, for each of `nights` (logarithms; NaN where a benchmark did not run), its change from all the others.

    A night varies as the others do, and their mean is uncertain beside, so that the squared error is the others'
    variance * (1 + 1 / their number). Where there are fewer than two others, the change is NaN.
    """
    nights = np.asarray(nights, float)
    there = np.isfinite(nights)
    count = there.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        apart = nights - np.where(there, nights, 0).sum(axis=0) / count
        squares = np.where(there, apart**2, 0).sum(axis=0)
        others = (count - 1).astype(float)
        # Without a night, the others' mean moves by -apart / others, and their squares lose apart^2 * count / others.
        variance = np.maximum(squares - apart**2 * count / others, 0) / (others - 1)
        error = np.sqrt(variance * (1 + 1 / others))
        estimate = apart * count / others
    known = there & (others >= 2)
    return Change(*(np.where(known, part, np.nan) for part in (estimate, error, others - 1)))


def judge(
    candidate: Change, threshold: float, nights: Change | None = None, false_alarms: float = FALSE_ALARMS
) -> Judged:
    """Say which benchmarks got slower by at least `threshold` (a fraction of the speed: 0.02 is 2 %).

    Benjamini and Hochberg's procedure controls the false discoveries of the family. On a night without a change every
    discovery is false, so that alarms come on at most `false_alarms` of such nights, if the noise is normal.

    It seldom is. With `nights`, each A/A night's change from all others (the candidate among them), an alarm must also
    be more striking than anything on those nights. As nights without a change are exchangeable, that alone limits
    alarms to `false_alarms`, whatever the noise, from 19 nights on (with fewer, to 1 / (nights + 1)).
    """
    from scipy import special

    p, practical = _p(candidate, candidate.freedom), -np.log1p(-threshold)
    adjusted, family = _adjusted(p), candidate.estimate.shape[-1]
    slower = (adjusted <= false_alarms) & (candidate.estimate <= -practical)
    critical = -special.stdtrit(candidate.freedom, false_alarms / family)
    if nights is not None:
        limit = _limit(nights, practical, false_alarms)[..., np.newaxis]
        slower &= _striking(candidate) < limit
        alone = np.clip(limit / family, _LEAST_P, 0.5)  # above, the first critical value is the larger one anyway
        critical = np.maximum(critical, -special.stdtrit(_heavy(candidate), alone))
    return Judged(p, adjusted, critical, slower)


def detectable(change: Change, critical: ArrayLike, threshold: float) -> Array:
    """Return the slowdowns, of logarithms, that judge() finds with the power POWER where no other benchmark changed.

    `critical` is as in Judged. Exact for the t test (its noncentral distribution), with the noise as estimated.
    """
    from scipy import special

    by_noise = special.nctdtrinc(change.freedom, 1 - POWER, critical) * change.error
    by_threshold = -np.log1p(-threshold) + special.ndtri(POWER) * change.error
    found: Array = np.maximum(by_noise, by_threshold)
    return found


def _limit(nights: Change, practical: float, false_alarms: float) -> Array:
    """Return what an alarm must stay below to be more striking than all, or all but a permitted few, of `nights`."""
    most = np.where(nights.estimate <= -practical, _striking(nights), 1.0).min(axis=-1)
    rank = max(int(false_alarms * (len(most) + 1)), 1)
    limit: Array = np.partition(most, rank - 1, axis=0)[rank - 1]
    return limit


def _striking(change: Change) -> Array:
    """Return how striking each benchmark is among its family, less is more: an adjusted p by a heavy-tailed t.

    By the normal's tails one odd figure in the nights would outweigh any number of benchmarks slower tonight.
    """
    return _adjusted(_p(change, _heavy(change)))


def _heavy(change: Change) -> Array:
    freedom: Array = np.minimum(change.freedom, _HEAVY_TAILS)
    return freedom


def _p(change: Change, freedom: Array) -> Array:
    from scipy import special  # takes longer to import than all the rest

    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where(change.error > 0, change.estimate / change.error, np.sign(change.estimate) * np.inf)
        t = np.where(change.estimate == 0, 0.0, t)
    p: Array = np.where(np.isfinite(change.estimate), special.stdtr(freedom, t), 1.0)
    return p


def _adjusted(p: Array) -> Array:
    from scipy import stats

    adjusted: Array = stats.false_discovery_control(p, axis=-1)
    return adjusted
