"""Learning rates that change in steps: how they are written, and what they must be."""

from __future__ import annotations

import itertools
from typing import NamedTuple

FORM = "rate;epoch;rate, and so on, as in 0.3;10;0.2;25;0.1"


class PiecewiseSchedule(NamedTuple):
    """`rates` in their order, and the `epochs` at which one ends and the next begins."""

    rates: tuple[float, ...]
    epochs: tuple[float, ...]


def parse(text: str) -> PiecewiseSchedule:
    """The schedule that `text` says. Raises ValueError with what is wrong with it."""
    try:
        numbers = [float(part) for part in text.split(";")]
    except ValueError:
        raise ValueError(f"it is not {FORM}") from None
    if len(numbers) % 2 == 0:
        raise ValueError(f"it must begin and end with a rate: {FORM}")
    rates, epochs = numbers[::2], numbers[1::2]
    if not all(0 <= rate < float("inf") for rate in rates):
        raise ValueError("rates must not be below 0, nor infinite")
    if not all(later > earlier for earlier, later in itertools.pairwise([0.0, *epochs])):
        raise ValueError("epochs must be above 0 and grow from one to the next")
    return PiecewiseSchedule(tuple(rates), tuple(epochs))
