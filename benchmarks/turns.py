"""The order in which several ways are measured against one another. No TensorFlow in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

Way = TypeVar("Way")


def turns(ways: Sequence[Way], rounds: int) -> Iterator[tuple[int, Way]]:
    """Each of `ways` once in each round, with the number of the round, from 1; every other round goes backwards.

    So what is measured in a round is neighbours in time, which share the drift of the machine's speed, and over two
    rounds a steady drift favours none.
    """
    for number in range(1, rounds + 1):
        for way in ways[:: 1 if number % 2 else -1]:
            yield number, way
