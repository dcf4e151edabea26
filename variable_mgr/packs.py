"""Which gradients are exchanged together. Imports no TensorFlow.

Every function gets the number of elements of each gradient (float32), in their order, and returns packs: together they
have each element of each gradient once, in order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from variable_mgr.algorithms import parts

GRADIENT_BYTES = 4  # an element's, before it is compressed

Sizes = Mapping[str, int]  # gradient's name -> elements


class Part(NamedTuple):
    """Elements `[begin, end)` of the gradient `name`, flat."""

    name: str
    begin: int
    end: int


Pack = tuple[Part, ...]


def elements(pack: Pack) -> int:
    """How many elements a pack has."""
    return sum(part.end - part.begin for part in pack)


def pack_name(index: int, pack: Pack, sizes: Sizes) -> str:
    """The gradient's own name where the pack is that one gradient, else one by number."""
    return pack[0].name if is_one_gradient(pack, sizes) else f"pack{index}"


def is_one_gradient(pack: Pack, sizes: Sizes) -> bool:
    """Whether the pack is one gradient, whole."""
    return len(pack) == 1 and elements(pack) == sizes[pack[0].name]


def one_by_one(sizes: Sizes) -> list[Pack]:
    """Each gradient by itself."""
    return [(Part(name, 0, size),) for name, size in sizes.items()]


def by_count(sizes: Sizes, gradients: int) -> list[Pack]:
    """Every `gradients` consecutive gradients together."""
    return _joined(sizes, lambda names: len(names) >= gradients)


def by_bytes(sizes: Sizes, bytes_per_pack: int) -> list[Pack]:
    """Consecutive gradients together until they have `bytes_per_pack`."""
    return _joined(sizes, lambda names: GRADIENT_BYTES * sum(sizes[name] for name in names) >= bytes_per_pack)


def small_together(sizes: Sizes, max_bytes: int, max_group: int) -> list[Pack]:
    """Consecutive gradients of at most `max_bytes` together, up to `max_group` of them; the others by themselves."""

    def is_small(name: str) -> bool:
        return GRADIENT_BYTES * sizes[name] <= max_bytes

    packs: list[list[str]] = []
    for name in sizes:
        if packs and is_small(name) and is_small(packs[-1][0]) and len(packs[-1]) < max_group:
            packs[-1].append(name)
        else:
            packs.append([name])
    return [_whole(names, sizes) for names in packs]


def evenly(sizes: Sizes, count: int) -> list[Pack]:
    """All elements in `count` packs whose sizes differ by one at most, cut wherever that falls.

    Fewer packs where there are fewer elements.
    """
    return cut(_whole(sizes, sizes), count)


def cut(pack: Pack, count: int) -> list[Pack]:
    """`pack` in `count` packs whose sizes differ by one at most; fewer where it has fewer elements."""
    return [_between(pack, begin, end) for begin, end in parts(0, elements(pack), count)]


def _between(pack: Pack, begin: int, end: int) -> Pack:
    """Elements `[begin, end)` of `pack`."""
    chosen = []
    offset = 0
    for name, first, last in pack:
        low, high = max(begin - offset, 0), min(end - offset, last - first)
        if low < high:
            chosen.append(Part(name, first + low, first + high))
        offset += last - first
    return tuple(chosen)


def _joined(sizes: Sizes, is_full: Callable[[list[str]], bool]) -> list[Pack]:
    packs: list[list[str]] = []
    for name in sizes:
        if not packs or is_full(packs[-1]):
            packs.append([])
        packs[-1].append(name)
    return [_whole(names, sizes) for names in packs]


def _whole(names: Iterable[str], sizes: Sizes) -> Pack:
    return tuple(Part(name, 0, sizes[name]) for name in names)
