"""What measured copies say of the way between two devices: latency and bandwidth, how precisely, or why not.

Numbers in, values out; imports no TensorFlow.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from results.statistics.between_runs import Interval, interval, mean_interval

LARGE = 2**23  # bytes
NOISY = 0.1  # half an interval's width, as a share of the figure, from which on the figure is doubtful
HANDED_OVER = "no bytes are copied, as TensorFlow hands the buffer over"

Seconds = Mapping[int, float]  # bytes of a copy -> seconds of one
Way = tuple[str, str]  # from a device to a device


class CopyError(Exception):
    """A copy could not be made; the message is the reason."""


@dataclass(frozen=True)
class Speed:
    """What copies from device `source` to device `target` take; of one device with itself, within its memory.

    A copy of n bytes takes about latency + n / bandwidth. The bandwidth is the slope of the line through the copies of
    LARGE bytes and more (smaller ones may stay in caches), the latency what the smallest take beyond that. Both are
    means over the repeats with their 95 % intervals, None where they are not known (of a latency: where the interval
    has 0 in it; of a bandwidth: where half the interval is more than the figure). `largest_fit_error` is how far the
    copies of a size are off that, as a share of their time. `copied`: bytes were moved at all. `problem` says why the
    bandwidth is missing or doubtful. `repeats` has the raw times.
    """

    source: str
    target: str
    bytes_per_second: Interval | None = None
    latency_seconds: Interval | None = None
    copied: bool = True
    largest_fit_error: float | None = None
    problem: str = ""
    repeats: tuple[Seconds, ...] = field(default=(), repr=False)

    @property
    def latency_problem(self) -> str:
        """Why the latency is not known, where it could have been; "" for nothing."""
        lost = self.latency_seconds is None and (self.bytes_per_second is not None or not self.copied)
        return "the latency is lost in the noise" if lost else ""

    @property
    def valid(self) -> bool:
        """Whether the bandwidth is known, and well."""
        return self.bytes_per_second is not None and not self.problem

    def facts(self) -> dict[str, Any]:
        """As JSON."""
        sizes = sorted(set().union(*self.repeats))
        return {
            "from": self.source,
            "to": self.target,
            **_facts("bytes_per_second", self.bytes_per_second),
            **_facts("latency_seconds", self.latency_seconds),
            "copied": self.copied,
            "valid": self.valid,
            "problem": self.problem,
            "latency_problem": self.latency_problem,
            "largest_fit_error": self.largest_fit_error,
            "copy_seconds": {str(size): [repeat[size] for repeat in self.repeats] for size in sizes},
        }


@dataclass(frozen=True)
class BothWays:
    """Copies between two `devices` in both directions at once: what both together move, or the `problem`."""

    devices: tuple[str, str]
    bytes_per_second: Interval | None = None
    problem: str = ""

    def facts(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "devices": list(self.devices),
            **_facts("bytes_per_second", self.bytes_per_second),
            "problem": self.problem,
        }


def duration(seconds: Sequence[float]) -> Interval | None:
    """The mean of `seconds` of one thing, each a difference of two times; None where it cannot be told from none."""
    found = mean_interval(seconds)
    return found if found and found.low > 0 else None


def speed(source: str, target: str, repeats: Sequence[Seconds], *, copied: bool = True) -> Speed:
    """What `repeats` of the same sizes say; a buffer that is handed over has a latency and no bandwidth."""
    raw = tuple(repeats)
    if not copied:
        latency = duration([statistics.median(repeat.values()) for repeat in raw])
        return Speed(source, target, None, latency, False, None, HANDED_OVER, raw)
    slopes = [_slope({size: seconds for size, seconds in repeat.items() if size >= LARGE}) for repeat in raw]
    if flat := sum(slope <= 0 for slope in slopes):
        problem = f"too noisy: in {flat} of {len(raw)} repeats larger copies took no longer"
        return Speed(source, target, problem=problem, repeats=raw)
    smallest = min(raw[0])
    starts = [repeat[smallest] - slope * smallest for repeat, slope in zip(raw, slopes, strict=True)]
    latency, bandwidth = duration(starts), interval([1 / slope for slope in slopes])
    usual = {size: statistics.median(repeat[size] for repeat in raw) for size in raw[0]}
    start, slope = statistics.median(starts), statistics.median(slopes)
    errors = [abs(start + slope * size - seconds) / seconds for size, seconds in usual.items() if seconds > 0]
    error, problem = max(errors, default=None), _doubt(bandwidth)
    return Speed(source, target, _told(bandwidth), latency, True, error, problem, raw)


def both_ways(devices: tuple[str, str], nbytes: int, seconds: Sequence[float]) -> BothWays:
    """What copies of `nbytes` each way say that took so many `seconds` for a pair of them, one of each repeat."""
    if min(seconds) <= 0:
        return BothWays(devices, problem="too noisy: copies seemed to take no time")
    bandwidth = interval([2 * nbytes / each for each in seconds])
    return BothWays(devices, _told(bandwidth), _doubt(bandwidth))


def _slope(seconds: Seconds) -> float:
    """Seconds a byte: the least squares of what each size is off a line, as shares of the size."""
    weights = {size: size**-2 for size in seconds}
    total = sum(weights.values())
    mean_size = sum(weight * size for size, weight in weights.items()) / total
    mean_seconds = sum(weights[size] * each for size, each in seconds.items()) / total
    together = sum(weights[size] * (size - mean_size) * (each - mean_seconds) for size, each in seconds.items())
    return together / sum(weight * (size - mean_size) ** 2 for size, weight in weights.items())


def _doubt(found: Interval | None) -> str:
    """What makes an interval of a positive figure doubtful; "" for nothing."""
    if found is None:
        return "one repeat: how far another would differ is not known"
    width = _width(found)
    return f"too noisy: the bandwidth is known to within {width:.0%}" if width > NOISY else ""


def _told(found: Interval | None) -> Interval | None:
    """`found`, unless it says nothing: half its width is more than the figure itself."""
    return found if found and _width(found) <= 1 else None


def _width(found: Interval) -> float:
    return (found.high - found.low) / 2 / found.value


def _facts(name: str, found: Interval | None) -> dict[str, float | None]:
    value, low, high = found or (None, None, None)
    return {name: value, f"{name}_low": low, f"{name}_high": high}
