"""What one run's step times say, and how precisely."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from results.measurement import MAD_TO_SIGMA
from results.statistics.between_runs import Interval
from results.statistics.stalls import periodic_stalls
from results.statistics.steady import Seconds, Steadiness, steadiness
from results.statistics.step_statistics import StepStatistics

LEVEL = 0.95
# Simulated: intervals from 10 to 12 batches, or from as many cosine transforms, cover equally well and are equally
# wide; with 16 batches, 200 steps that correlate by 0.6 begin to be covered too seldom.
BATCHES = 10
LEAST_STEPS = 50  # five a batch
LEAST_EFFECTIVE_STEPS = 20.0  # two a batch: with fewer, the means of neighbouring batches go together


def describe(step_seconds: Sequence[float]) -> StepStatistics | None:
    """The statistics of one run's measured steps; None where there are none.

    The interval covers the true mean in 93 to 97 % of simulated runs of 200 or more steps whose times correlate by up
    to 0.6 from one to the next.
    """
    if not len(step_seconds):
        return None
    seconds = np.asarray(step_seconds, dtype=float)
    can_be_judged = len(seconds) >= LEAST_STEPS and seconds.min() > 0  # a clock can be too coarse
    judged = steadiness(seconds) if can_be_judged else Steadiness(0, "", ())
    start, unsteady, findings = judged
    steady = seconds[start:]
    effective = effective_steps(steady)
    too_few = "" if unsteady else _too_few(len(seconds), len(steady), effective)
    stalls = periodic_stalls(steady)
    if stalls:
        findings = (*findings, dataclasses.replace(stalls, step=stalls.step + start))
    known = None if unsteady or too_few else interval(steady)
    p5, p25, median, p75, p95, p99 = map(float, np.percentile(steady, (5, 25, 50, 75, 95, 99)))
    return StepStatistics(
        steps=len(seconds),
        steady_from=start + 1,
        mean_seconds=float(steady.mean()),
        median_seconds=median,
        p5_seconds=p5,
        p25_seconds=p25,
        p75_seconds=p75,
        p95_seconds=p95,
        p99_seconds=p99,
        jitter=MAD_TO_SIGMA * float(np.median(np.abs(steady - median))) / median if median else 0.0,
        effective_steps=effective,
        low_seconds=known.low if known else None,
        high_seconds=known.high if known else None,
        unsteady=unsteady,
        too_few=too_few,
        findings=findings,
    )


def interval(step_seconds: Sequence[float] | Seconds) -> Interval:
    """The mean of at least BATCHES step times with its 95 % interval by batch means.

    The steps are cut into ten batches; the batches' means are nearly independent where the steps are not, and Student's
    t with 9 degrees of freedom holds for them (Law, Simulation Modeling and Analysis, 9.5.3).
    """
    from scipy import special

    seconds = np.asarray(step_seconds, dtype=float)
    edges = np.arange(BATCHES + 1) * len(seconds) // BATCHES
    means = np.add.reduceat(seconds, edges[:-1]) / np.diff(edges)
    mean = float(seconds.mean())
    t = float(special.stdtrit(BATCHES - 1, (1 + LEVEL) / 2))
    reach = t * float(means.std(ddof=1)) / BATCHES**0.5
    return Interval(mean, mean - reach, mean + reach)


def effective_steps(seconds: Seconds) -> float:
    """How many independent steps tell the mean as precisely as these: n / (1 + 2 * sum of the autocorrelations).

    The sum ends before the first pair of lags whose sum is not positive (Geyer 1992, initial positive sequence). At
    most n: that steps balance each other out is not relied upon.
    """
    count = len(seconds)
    around = seconds - seconds.mean()
    spectrum = np.fft.rfft(around, 2 * count)
    covariances = np.fft.irfft(spectrum * spectrum.conj())[:count]
    if covariances[0] <= np.finfo(float).eps * float(np.sum(seconds**2)):  # all steps alike, but for rounding
        return float(count)
    correlations = covariances / covariances[0]
    pairs = correlations[: count // 2 * 2].reshape(-1, 2).sum(axis=1)
    ends = np.flatnonzero(pairs <= 0)
    kept = pairs[: ends[0]] if len(ends) else pairs
    return count / max(1.0, 2 * float(kept.sum()) - 1)


def _too_few(steps: int, steady: int, effective: float) -> str:
    """Why there is no interval; "" where there can be one."""
    if steps < LEAST_STEPS:
        return f"{steps} steps, and an interval needs {LEAST_STEPS}"
    if steady < LEAST_STEPS:
        return f"{steady} of {steps} steps are steady, and an interval needs {LEAST_STEPS}"
    if effective < LEAST_EFFECTIVE_STEPS:
        return (
            f"{steady} steady steps tell as much as {effective:.0f} independent ones, and an interval needs "
            f"{LEAST_EFFECTIVE_STEPS:.0f}"
        )
    return ""
