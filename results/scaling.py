"""How throughput grows with the number of devices, and verdicts on it. Pure: numbers in, numbers and words out."""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from results.naming import counted

EFFICIENCY_BOUND = 0.7  # below this, more than three of ten devices are paid for in vain
KNEE = 0.5  # of a base device's throughput: what a further device must add at least


class Point(NamedTuple):
    """Throughput of `devices` devices together; `low` and `high` are the bounds of its interval, where known."""

    devices: int
    images_per_second: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Scaling:
    """A curve over at least two numbers of devices, ascending; the first point is the base that others are held to.

    `negative`: numbers of devices that give less than some smaller number does. `inefficient`: those whose efficiency
    is below `bound`. `knee`: the number of devices after which each further one adds less than KNEE of what a device of
    the base gives; None where there is no such number.
    """

    points: tuple[Point, ...]
    bound: float
    negative: tuple[int, ...]
    inefficient: tuple[int, ...]
    knee: int | None

    @property
    def base(self) -> Point:
        """The point with the fewest devices."""
        return self.points[0]

    def speed_up(self, point: Point) -> float:
        """How many devices of the base `point` is worth: throughput / (the base's throughput / the base's devices)."""
        return point.images_per_second / (self.base.images_per_second / self.base.devices)

    def efficiency(self, point: Point) -> float:
        """The speed-up / the number of devices: 1 is ideal."""
        return self.speed_up(point) / point.devices

    @property
    def flagged(self) -> bool:
        """Whether some number of devices is negative or inefficient."""
        return bool(self.negative or self.inefficient)

    def verdict(self, point: Point) -> str:
        """What is wrong with `point`, in words; "" where nothing is."""
        found = []
        if point.devices in self.negative:
            best = self._best_below(point.devices)
            slower = 1 - point.images_per_second / best.images_per_second
            found.append(f"negative scaling: {slower:.0%} less than {counted(best.devices, 'device')}")
        if point.devices in self.inefficient:
            found.append(f"efficiency {self.efficiency(point):.0%} is under {self.bound:.0%}")
        if point.devices == self.knee:
            found.append(f"knee: a further device adds less than {KNEE:.0%} of one")
        return "; ".join(found)

    def _best_below(self, devices: int) -> Point:
        return _best(point for point in self.points if point.devices < devices)


def examine(points: Iterable[Point], bound: float = EFFICIENCY_BOUND) -> Scaling | None:
    """The scaling of `points` (one a number of devices, throughput above zero); None for fewer than two."""
    ordered = tuple(sorted(points))
    if len(ordered) < 2:
        return None
    plain = Scaling(ordered, bound, (), (), None)
    negative = [point.devices for i, point in enumerate(ordered) if i and _less(point, _best(ordered[:i]))]
    inefficient = [point.devices for point in ordered if plain.efficiency(point) < bound]
    return Scaling(ordered, bound, tuple(negative), tuple(inefficient), _knee(ordered))


def _less(point: Point, other: Point) -> bool:
    """Whether `point` is slower, beyond the intervals where both are known."""
    high = point.images_per_second if point.high is None else point.high
    low = other.images_per_second if other.low is None else other.low
    return high < low


def _best(points: Iterable[Point]) -> Point:
    return max(points, key=lambda point: point.images_per_second)


def _knee(points: tuple[Point, ...]) -> int | None:
    of_one = points[0].images_per_second / points[0].devices
    for point, following in itertools.pairwise(points):
        added = (following.images_per_second - point.images_per_second) / (following.devices - point.devices)
        if added < KNEE * of_one:
            return point.devices
    return None
