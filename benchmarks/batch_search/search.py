"""Which batch to try next, and which to take. Numbers in, numbers out."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from statistics import geometric_mean

from results.statistics.two_sides import ratio

PRECISION = 16  # the largest batch is known to 1/16 of itself, or to 1
GAIN = 0.02  # a doubling that brings less is no gain: what other commands call a difference of no consequence
DOUBLINGS_WITHOUT_GAIN = 2
CONTENDS = 0.8  # of the highest speed; runs do not scatter by more on a machine that is good for measurements


def largest(fits: Callable[[int], bool], start: int, bound: int) -> tuple[int, int]:
    """The largest batch known to fit, 0 for none, and the smallest known not to, `bound` + 1 where all fit.

    From `start` on the batch is doubled as long as it fits, up to `bound`. Where `start` does not fit, 1 is next: if
    that is too much, nothing fits. The interval between is bisected until it is at most 1/PRECISION of the batch that
    fits. `fits` is taken to be true up to a batch and false beyond, and asked once a batch.
    """
    low, high, batch = 0, bound + 1, start
    while True:
        low, high = (batch, high) if fits(batch) else (low, batch)
        if high == 1 or low == bound or (low > 0 and high <= bound and high - low <= max(1, low // PRECISION)):
            return low, high
        batch = min(2 * low, bound) if high > bound else _between(low, high)


def _between(low: int, high: int) -> int:
    """What to ask next: by ratio while the interval spans more than a doubling, so that 1 to 30,000 takes few."""
    if high > 2 * low:
        return max(low + 1, math.isqrt(low * high))
    return (low + high) // 2


def doubled(speed: Callable[[int], float | None], start: int, bound: int) -> tuple[dict[int, float], str]:
    """The images a second of `start` and its doublings, and why the last one was the last, in words.

    It is where the next is over `bound`, where `speed` is None (the batch does not fit), or where
    DOUBLINGS_WITHOUT_GAIN in a row gave no gain over the highest before them.
    """
    found: dict[int, float] = {}
    batch, without_gain = start, 0
    while without_gain < DOUBLINGS_WITHOUT_GAIN:
        if batch > bound:
            return found, f"{batch} would be more than there are training images for each tower"
        measured = speed(batch)
        if measured is None:
            return found, f"{batch} does not fit"
        gained = not found or measured > (1 + GAIN) * max(found.values())
        without_gain = 0 if gained else without_gain + 1
        found[batch] = measured
        batch *= 2
    return found, f"{DOUBLINGS_WITHOUT_GAIN} doublings in a row gained less than {GAIN:.0%}"


def contenders(speeds: Mapping[int, Sequence[float]]) -> list[int]:
    """The batches whose mean speed is near enough to the highest that more runs may show them to be the fastest."""
    means = {batch: geometric_mean(of_batch) for batch, of_batch in speeds.items()}
    return [batch for batch, found in means.items() if found >= CONTENDS * max(means.values())]


def best(speeds: Mapping[int, Sequence[float]]) -> tuple[int, int]:
    """The smallest batch that is not measurably slower than the fastest, and the fastest, of several runs of each.

    The fastest has the highest geometric mean; one is slower where the 95 % interval of the ratio (Welch's, on
    logarithms) excludes 1.
    """
    fastest = max(speeds, key=lambda batch: geometric_mean(speeds[batch]))
    for batch in sorted(speeds):
        found = ratio(speeds[fastest], speeds[batch])
        if batch == fastest or (found.high is not None and found.high >= 1):
            return batch, fastest
    raise AssertionError("the fastest is no slower than itself")
