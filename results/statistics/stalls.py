"""Steps that stall at regular intervals, as where something is written, collected or refilled every so often."""

import numpy as np

from results.measurement import MAD_TO_SIGMA
from results.statistics.steady import Seconds
from results.statistics.step_statistics import STALLS, Finding

LEAST_STALLS = 5
_SHORTEST_PERIOD, _LONGEST_PERIOD = 5, 1000  # more frequent ones are the usual step; the longest bounds the search
_SHARE_ON_BEAT = 0.8  # of the beats, that have to be stalls
_LEAST_SIZE = 0.2  # of a median step
_SIGMAS = 5.0
_P = 1e-3  # over all periods and phases tried


def periodic_stalls(seconds: Seconds) -> Finding | None:
    """Find steps that take at least a fifth longer than the median, and five robust standard deviations, on a beat.

    The period is a whole number of steps, from 5 to 1000 and to a fifth of the run. With 5 % noise, five stalls or more
    of 60 % of a step are found in at least 95 % of runs, even if one step in fifty stalls at random besides;
    heavy-tailed noise is called stalls in at most 1 %.
    """
    centre = float(np.median(seconds))
    spread = MAD_TO_SIGMA * float(np.median(np.abs(seconds - centre)))
    stalled = seconds > centre + max(_SIGMAS * spread, _LEAST_SIZE * centre)
    count = int(stalled.sum())
    longest = min(_LONGEST_PERIOD, len(seconds) // LEAST_STALLS)
    if count < LEAST_STALLS or longest < _SHORTEST_PERIOD or 2 * count > len(seconds):
        return None
    found = _most_regular(stalled, longest)
    if found is None:
        return None
    period, phase = found
    on_beat = seconds[phase::period][stalled[phase::period]]
    return Finding(kind=STALLS, step=phase + 1, size=float(np.median(on_beat)) / centre - 1, period=period)


def _most_regular(stalled: "np.ndarray[tuple[int], np.dtype[np.bool_]]", longest: int) -> tuple[int, int] | None:
    """Period and phase that explain most stalls, the shorter period first; None where chance explains them as well."""
    from scipy import special

    share, trials = float(stalled.mean()), longest * (longest + 1) / 2
    best: tuple[float, int, int] | None = None
    for period in range(_SHORTEST_PERIOD, longest + 1):
        beats = -(-len(stalled) // period)
        padded = np.zeros(beats * period, dtype=bool)
        padded[: len(stalled)] = stalled
        hits = padded.reshape(beats, period).sum(axis=0)
        phase = int(np.argmax(hits))
        on, possible = int(hits[phase]), -(-(len(stalled) - phase) // period)
        if on < LEAST_STALLS or on < _SHARE_ON_BEAT * possible:
            continue
        p = float(special.bdtrc(on - 1, possible, share)) * trials
        if p < _P and (best is None or p < best[0]):
            best = (p, period, phase)
    return best[1:] if best else None
