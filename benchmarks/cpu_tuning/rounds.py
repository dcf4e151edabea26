"""Which settings to try again, and which is the fastest. Numbers in, numbers out; settings are keys of any kind."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from statistics import geometric_mean
from typing import TypeVar

from results.comparison.verdict import verdict
from results.statistics.two_sides import Ratio, ratio

FINALISTS = 4
FINAL_RUNS = 5  # of each finalist: fewer give no interval that a gain of some percent would show in
LEAST_RUNS = 3
GAIN = 0.02  # a smaller gain is what other commands call a difference of no consequence

Key = TypeVar("Key", bound=Hashable)


def most_runs(number: int) -> int:
    """The most trials that `number` settings take: rounds that leave half of them and the default, and the finals.

    FINAL_RUNS of these may be made again, as other programs kept the processors busy.
    """
    runs = 0
    while too_many(number):
        runs += number
        number = _half(number) + 1
    return runs + (number + 1) * FINAL_RUNS


def too_many(number: int) -> bool:
    """Whether `number` settings are too many for the finals, in which FINALISTS meet the default."""
    return number > FINALISTS + 1


def better_half(speeds: Mapping[Key, Sequence[float]], default: Key) -> list[Key]:
    """The better half of the keys of `speeds`, at least FINALISTS of them, and `default`, in their order.

    Not even one far behind is left out for that: where other programs run, one run can be thrice as fast as the next.
    """
    best = sorted(speeds, key=lambda key: -geometric_mean(speeds[key]))[: _half(len(speeds))]
    return [key for key in speeds if key in best or key == default]


def not_slower(speeds: Mapping[Key, Sequence[float]], default: Key) -> list[Key]:
    """The keys of `speeds` that are not measurably slower than the fastest, and `default`, in their order.

    All of them before there are LEAST_RUNS: where noise comes in bursts, two runs are too often alike by chance.
    """
    if min(map(len, speeds.values())) < LEAST_RUNS:
        return list(speeds)
    best = max(speeds, key=lambda key: geometric_mean(speeds[key]))
    against_best = {key: ratio(speeds[best], of_key) for key, of_key in speeds.items()}
    return [key for key, found in against_best.items() if key == default or found.high is None or found.high >= 1]


def fastest(finals: Mapping[Key, Sequence[float]], default: Key) -> Key:
    """The fastest of those measurably faster than `default`, or that, of several runs of each made for this alone.

    Measurably: as `results compare` says it, with the p values adjusted for the number of finalists.
    """
    against = {key: against_default(finals, key, default) for key in finals if key != default}
    known = [found.p for found in against.values() if found.p is not None]
    if not known or len(known) < len(against):
        return default
    from scipy import stats  # takes longer to import than all the rest

    adjusted = stats.false_discovery_control(known).tolist()
    faster = [
        key
        for (key, found), p in zip(against.items(), adjusted, strict=True)
        if verdict(found, GAIN, p, len(known)).kind == "faster"
    ]
    return max(faster, key=lambda key: geometric_mean(finals[key]), default=default)


def against_default(speeds: Mapping[Key, Sequence[float]], key: Key, default: Key) -> Ratio:
    """The speed of `key` over that of `default`."""
    return ratio(speeds[default], speeds[key])


def _half(number: int) -> int:
    return max(FINALISTS, (number + 1) // 2)
