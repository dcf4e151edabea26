"""Two things measured in turn, and what their pairs say. Numbers in, values out.

The speed of a machine drifts within minutes by more than the effects that the studies look for. Two measurements of a
pair are neighbours in time and share the drift, so a pair's ratio is sound where a quotient of two means is not.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

First = TypeVar("First")
Second = TypeVar("Second")


class Spread(NamedTuple):
    """The median of some values, the lowest and the highest."""

    median: float
    low: float
    high: float


@dataclass(frozen=True)
class Target:
    """A bound that a figure must keep: at least `bound`, or with `at_most` at most that."""

    bound: float
    at_most: bool = False

    def met(self, value: float) -> bool:
        """Whether `value` keeps the bound."""
        return value <= self.bound if self.at_most else value >= self.bound


def interleaved(
    first: Callable[[], First],
    second: Callable[[], Second],
    pairs: int,
    on_pair: Callable[[int], None] = lambda _: None,
) -> list[tuple[First, Second]]:
    """Call `first`, `second`, `first`, `second` and so on, and return the pairs.

    `on_pair` is told the number of each, from 1, as it begins.
    """
    results = []
    for number in range(1, pairs + 1):
        on_pair(number)
        one = first()
        results.append((one, second()))
    return results


def in_turn(number: int, first: Callable[[], First], second: Callable[[], Second]) -> tuple[First, Second]:
    """What `first` and `second` measure, as pair `number`, from 1: of even ones `second` is called first.

    So over two pairs a steady drift favours neither.
    """
    if number % 2:
        one = first()
        return one, second()
    other = second()
    return first(), other


def spread(values: Iterable[float]) -> Spread:
    """Median, minimum and maximum of at least one value."""
    ordered = sorted(values)
    return Spread(statistics.median(ordered), ordered[0], ordered[-1])


def ratios(pairs: Sequence[tuple[float, float]]) -> Spread:
    """Spread of first / second over the pairs."""
    return spread(first / second for first, second in pairs)


def differences(pairs: Sequence[tuple[float, float]]) -> Spread:
    """Spread of first - second over the pairs."""
    return spread(first - second for first, second in pairs)
