"""Many benchmarks judged in one night: which are slower, with false alarms kept rare over the whole family.

The noise is that of the series itself, from night to night with nothing changed (A/A). Everything takes NumPy arrays of
shape (nights, ..., benchmarks) or (..., benchmarks), so that histories can be simulated by the thousand.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from results.statistics.two_sides import POWER

FALSE_ALARMS = 0.05  # share of nights without a change on which the family raises an alarm, at most

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

    `detectable`: the slowdown, of logarithms, that is found with the power POWER where no other benchmark changed.
    """

    p: Array
    p_adjusted: Array
    detectable: Array
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
    be surer than any that this judgment would have raised on those nights. As nights without a change are
    exchangeable, that alone limits alarms to `false_alarms`, whatever the noise, from 19 nights on (with fewer, to
    1 / (nights + 1)).
    """
    adjusted, p, practical = _adjusted(candidate), _p(candidate), -np.log1p(-threshold)
    limit = np.full(candidate.estimate.shape[:-1], false_alarms)
    if nights is not None:
        limit = np.minimum(limit, _surest(nights, practical, false_alarms))
    limit = limit[..., np.newaxis]
    slower = (adjusted <= false_alarms) & (adjusted <= limit) & (candidate.estimate <= -practical)
    return Judged(p, adjusted, _detectable(candidate, limit, practical), slower)


def _surest(nights: Change, practical: float, false_alarms: float) -> Array:
    """Return the adjusted p below which an alarm is surer than all, or all but a permitted few, of the A/A nights'."""
    alarming = np.where(nights.estimate <= -practical, _adjusted(nights), 1.0).min(axis=-1)
    rank = max(int(false_alarms * (len(alarming) + 1)), 1)
    surest: Array = np.partition(alarming, rank - 1, axis=0)[rank - 1]
    return np.nextafter(surest, 0)


def _p(change: Change) -> Array:
    from scipy import special  # takes longer to import than all the rest

    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where(change.error > 0, change.estimate / change.error, np.sign(change.estimate) * 1e300)
    p: Array = np.where(np.isfinite(change.estimate), special.stdtr(change.freedom, t), 1.0)
    return p


def _adjusted(change: Change) -> Array:
    from scipy import stats

    adjusted: Array = stats.false_discovery_control(_p(change), axis=-1)
    return adjusted


def _detectable(change: Change, limit: Array, practical: float) -> Array:
    """Return critical slowdown + t(POWER) * error: the critical p is what the procedure asks of a lone small one."""
    from scipy import special

    critical = -special.stdtrit(change.freedom, limit / change.estimate.shape[-1]) * change.error
    detectable: Array = np.maximum(critical, practical) + special.stdtrit(change.freedom, POWER) * change.error
    return detectable
