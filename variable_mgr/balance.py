"""Spreading what has different sizes evenly. Imports no TensorFlow."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TypeVar

Place = TypeVar("Place", bound=Hashable)


def balanced_by_bytes(nbytes: Mapping[str, int], places: Sequence[Place]) -> dict[str, Place]:
    """A place for each name: the largest first, each to the place that has least so far."""
    load = dict.fromkeys(places, 0)
    placement: dict[str, Place] = {}
    for name in sorted(nbytes, key=lambda each: -nbytes[each]):
        place = min(load, key=load.__getitem__)
        placement[name] = place
        load[place] += nbytes[name]
    return {name: placement[name] for name in nbytes}
