"""Where the step times of a run are steady: what is left when a slow start is cut off, or why nothing is."""

import itertools
import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from results.measurement import MAD_TO_SIGMA
from results.statistics.step_statistics import LEVEL_SHIFT, RAMP, SLOW_START, Finding

Seconds = npt.NDArray[np.float64]

MATERIAL = 0.05  # a smaller change of level is left to the interval
LATEST_START = 1 / 3  # of the steps: what still changes after that is no start
_OUTLIER_SIGMAS = 5.0
_BLOCKS = 20  # enough to find a change within a twentieth of the run; so few that their means are nearly independent
_LEAST_BLOCK = 5
# In units of the blocks' variance. Simulated over 20 blocks: noise exceeds it in 2 % of runs, whether normal, heavy-
# tailed or bimodal, and in 4 % where steps correlate by 0.6 and a block has 5.
_PENALTY = 18.0
_RAMP_P = 0.001
_START_P = 0.01


class Steadiness(NamedTuple):
    """`start`: index of the first steady step. `unsteady`: why there is none, as a clause; "" where there is one."""

    start: int
    unsteady: str
    findings: tuple[Finding, ...]


def steadiness(seconds: Seconds) -> Steadiness:
    """Find a slow start, which is cut off, and ramps and shifts of level, which leave no steady state. Times are > 0.

    A run is steady from where its level last changed, if that is within the first third, and does not drift. With 5 %
    noise, in 200 steps or more (500 where they correlate by 0.6), a shift of 15 % that lasts three tenths of the run
    and a ramp of 15 % are found in at least 95 % of runs, the shift within a tenth of the run of where it is. Steady
    noise, heavy-tailed, bimodal or correlated by up to 0.6, is called unsteady in at most 5 % of runs, and has
    something cut off in at most 5 %. Changes of less than 5 % are not looked for.
    """
    start, findings = _slow_start(seconds)
    rest = seconds[start:]
    blocks, edges = _blocks(rest)
    if ramp := _ramp(blocks):
        return Steadiness(0, str(ramp), (*findings, ramp))
    starts = [0, *(int(edges[index]) for index in _changes(blocks)), len(rest)]
    levels = [_level(rest[begin:end]) for begin, end in itertools.pairwise(starts)]
    shifts = [
        Finding(kind=LEVEL_SHIFT, step=start + begin + 1, size=after / before - 1)
        for begin, (before, after) in zip(starts[1:], itertools.pairwise(levels), strict=False)
        if abs(math.log(after / before)) > math.log1p(MATERIAL)
    ]
    if not shifts:
        return Steadiness(start, "", findings)
    if shifts[-1].step - 1 <= LATEST_START * len(seconds):
        return Steadiness(shifts[-1].step - 1, "", (*findings, *shifts))
    return Steadiness(0, " and ".join(map(str, shifts[-2:])), (*findings, *shifts))


def clipped(seconds: Seconds) -> Seconds:
    """`seconds` with what is more than five robust standard deviations from the median brought to that limit."""
    centre, reach = _centre_and_reach(seconds)
    return np.clip(seconds, centre - reach, centre + reach)


def _centre_and_reach(seconds: Seconds) -> tuple[float, float]:
    centre = float(np.median(seconds))
    return centre, _OUTLIER_SIGMAS * MAD_TO_SIGMA * float(np.median(np.abs(seconds - centre)))


def _level(seconds: Seconds) -> float:
    return float(clipped(seconds).mean())


def _slow_start(seconds: Seconds) -> tuple[int, tuple[Finding, ...]]:
    """How many steps at the very start are outliers of the second half, beyond what chance would put there.

    One alone has to take twice the median, as none of the second half does.
    """
    later = seconds[len(seconds) // 2 :]
    centre, reach = _centre_and_reach(later)
    limit = centre + max(reach, MATERIAL * centre)
    usual = seconds <= limit
    count = int(np.argmax(usual)) if usual.any() else 0
    chance = ((np.sum(later > limit) + 1) / (len(later) + 1)) ** count
    alone = seconds[0] >= 2 * centre > later.max()
    if not count or count > LATEST_START * len(seconds) or not (alone or (count > 1 and chance < _START_P)):
        return 0, ()
    size = float(seconds[:count].mean() / _level(later)) - 1
    return count, (Finding(kind=SLOW_START, step=count + 1, size=size),)


def _blocks(seconds: Seconds) -> tuple[Seconds, npt.NDArray[np.int_]]:
    """Means of consecutive blocks without outliers, and the index at which each begins."""
    count = max(2, min(_BLOCKS, len(seconds) // _LEAST_BLOCK))
    edges = np.arange(count + 1) * len(seconds) // count
    sums: Seconds = np.add.reduceat(clipped(seconds), edges[:-1])
    return sums / np.diff(edges), edges


def _changes(blocks: Seconds) -> list[int]:
    """Indices of the blocks at which the level changes (PELT, Killick et al. 2012)."""
    variance = float(np.mean(np.diff(blocks) ** 2)) / 2  # of neighbours, which a change between them hardly touches
    if len(blocks) < 4 or variance == 0:
        return []
    import ruptures  # only here: records are read without it

    # With a linear kernel it compares means, as Pelt(model="l2") does, but in C.
    search = ruptures.KernelCPD(kernel="linear", min_size=2).fit((blocks / math.sqrt(variance)).reshape(-1, 1))
    return [int(index) for index in search.predict(pen=_PENALTY)[:-1]]


def _ramp(blocks: Seconds) -> Finding | None:
    """A drift over the whole run, where a straight line explains the blocks better than any one shift does."""
    from scipy import special

    count = len(blocks)
    time = np.arange(count) - (count - 1) / 2
    around = blocks - blocks.mean()
    slope = float(time @ around / (time @ time))
    left = float(np.sum((around - slope * time) ** 2))
    cut = np.arange(1, count)
    best_shift = float(np.sum(around**2) - np.max(np.cumsum(around)[:-1] ** 2 * (1 / cut + 1 / (count - cut))))
    drift = slope * count / float(blocks.mean() - slope * count / 2)
    if count < 4 or abs(math.log1p(max(drift, -0.99))) <= math.log1p(MATERIAL) or left > best_shift:
        return None
    t = abs(slope) / math.sqrt(left / (count - 2) / float(time @ time)) if left else math.inf
    p = 2 * float(special.stdtr(count - 2, -t))
    return Finding(kind=RAMP, step=1, size=drift) if p < _RAMP_P else None
