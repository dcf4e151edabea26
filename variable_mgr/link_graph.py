"""What is between any two devices of a machine, as a graph, and what follows from it: a ring, and groups.

Pure functions of the graph. Imports no TensorFlow.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from variable_mgr.topology import Group, Topology, by_turns, halves

Pair = tuple[int, int]  # of devices, the smaller number first
Nearness = tuple[int, int]  # of two devices; the larger, the better is what is between them

# Ways over PCIe, from the nearest to the farthest, and what devices that have no longer way between them share.
LEVELS = {
    "PIX": "a PCIe switch or board",
    "PXB": "PCIe switches",
    "PHB": "a host bridge",
    "NODE": "a NUMA node",
    "SYS": "a machine",
}
EXHAUSTIVE = 8  # devices: up to here every ring is looked at, 2520 of them, and every division into halves


@dataclass(frozen=True)
class LinkGraph:
    """`size` devices, numbered from 0, with what is known of each pair of them.

    `nvlinks` has the number of NVLinks, of pairs that have any. `levels` has the way over PCIe, one of LEVELS, of pairs
    whose way is known. `nodes` are the devices' NUMA nodes, None where not known.
    """

    size: int
    nvlinks: Mapping[Pair, int] = field(default_factory=dict)
    levels: Mapping[Pair, str] = field(default_factory=dict)
    nodes: tuple[int | None, ...] = ()

    @property
    def pairs(self) -> list[Pair]:
        """Any two devices."""
        return list(itertools.combinations(range(self.size), 2))

    def linked(self, one: int, other: int) -> int:
        """The number of NVLinks between two devices."""
        return self.nvlinks.get((min(one, other), max(one, other)), 0)

    def level(self, one: int, other: int) -> str | None:
        """The way over PCIe between two devices."""
        return self.levels.get((min(one, other), max(one, other)))

    def nearness(self, one: int, other: int) -> Nearness:
        """How good the way between two devices is: by NVLinks, without any by PCIe, and unknown ways are last."""
        if nvlinks := self.linked(one, other):
            return nvlinks, 0
        return 0, _closeness(self.level(one, other))


@dataclass(frozen=True)
class Derived:
    """A topology, and in words what it follows from; `ring` is the order of the best one, () where nothing is known."""

    topology: Topology
    why: str
    ring: Group = ()


@dataclass(frozen=True)
class Ring:
    """An order of all devices in which each sends to the next, the last to the first; `exhaustive`: none is better."""

    order: tuple[int, ...]
    exhaustive: bool


def derive(graph: LinkGraph) -> Derived:
    """Groups of devices that are near to one another, and who speaks for them, for two-level exchanges.

    Devices that NVLinks join, if need be over others, are a group; where all are joined, the two halves with the fewest
    pairs without a link of their own. Without NVLinks, devices that share the least of LEVELS that parts them into
    groups of several. Where that is not known, by NUMA node, and else by number, as `halves`.
    """
    islands = components(graph.size, lambda one, other: graph.linked(one, other) > 0)
    if graph.nvlinks and len(islands) > 1:
        return Derived(_with_mains(graph, islands), "each group is joined by NVLinks")
    if graph.nvlinks and len({graph.linked(*pair) for pair in graph.pairs}) == 1:
        return Derived(halves(graph.size), "the same number of NVLinks is between any two, so the halves are by number")
    if graph.nvlinks:
        return Derived(
            _with_mains(graph, _halved(graph)), "each half has the fewest pairs without NVLinks of their own"
        )
    for level, shared in reversed(LEVELS.items()) if len(graph.levels) == len(graph.pairs) else ():
        if groups := _sharing(graph, level):
            return Derived(_with_mains(graph, groups), f"no NVLinks: each group shares {shared}")
    if groups := _of_nodes(graph):
        return Derived(_with_mains(graph, groups), "no NVLinks: each group shares a NUMA node")
    return Derived(halves(graph.size), "nothing known tells the devices apart, so the halves are by number")


def best_ring(graph: LinkGraph) -> Ring:
    """The ring whose worst link is best, then its second worst, and so on; the first in order of those.

    Up to EXHAUSTIVE devices all rings are compared. Above, each device begins a ring that always goes on to the nearest
    device left; the best of these is then changed by reversing parts of it for as long as that makes it better (2-opt).
    """
    devices = tuple(range(graph.size))
    if graph.size <= EXHAUSTIVE:
        rings = ((0, *rest) for rest in itertools.permutations(devices[1:]) if graph.size < 3 or rest[0] < rest[-1])
        return Ring(_best(graph, rings) if devices else (), exhaustive=True)
    found = _best(graph, (_nearest_first(graph, start) for start in devices))
    while True:
        changed = _best(graph, (found, *_reversals(found)))
        if _worst_first(graph, changed) <= _worst_first(graph, found):
            return Ring(found, exhaustive=False)
        found = changed


def components(size: int, joined: Callable[[int, int], bool]) -> tuple[Group, ...]:
    """Devices that are `joined`, if need be over others, in order of the first of each."""
    found: list[set[int]] = []
    for device in range(size):
        near = [group for group in found if any(joined(device, other) for other in group)]
        found = [group for group in found if group not in near]
        found.append({device}.union(*near))
    return tuple(sorted(tuple(sorted(group)) for group in found))


def _closeness(level: str | None) -> int:
    """The larger, the nearer; 0 where the way is not known."""
    return len(LEVELS) - list(LEVELS).index(level) if level else 0


def _sharing(graph: LinkGraph, level: str) -> tuple[Group, ...] | None:
    """Groups with no longer way than `level` between two; None where that is one group, or each has one device."""
    groups = components(graph.size, lambda one, other: _closeness(graph.level(one, other)) >= _closeness(level))
    return groups if 1 < len(groups) < graph.size else None


def _of_nodes(graph: LinkGraph) -> tuple[Group, ...] | None:
    nodes = graph.nodes
    if len(nodes) != graph.size or None in nodes:
        return None
    groups = components(graph.size, lambda one, other: nodes[one] == nodes[other])
    return groups if 1 < len(groups) < graph.size else None


def _halved(graph: LinkGraph) -> tuple[Group, ...]:
    """Two groups: fewest pairs within them without NVLinks, then of like size, then most NVLinks within, then in order.

    Above twice EXHAUSTIVE devices there are too many divisions to look at: by number.
    """
    if graph.size > 2 * EXHAUSTIVE:
        return halves(graph.size).groups
    others = range(1, graph.size)
    lefts = [(0, *rest) for count in range(graph.size - 1) for rest in itertools.combinations(others, count)]

    def worth(left: Group) -> tuple[int, int, int]:
        right = [device for device in others if device not in left]
        within = [graph.linked(*pair) for group in (left, right) for pair in itertools.combinations(group, 2)]
        return within.count(0), abs(len(left) - len(right)), -sum(within)

    left = min(lefts, key=lambda left: (worth(left), left))
    return left, tuple(device for device in others if device not in left)


def _with_mains(graph: LinkGraph, groups: tuple[Group, ...]) -> Topology:
    """The groups with who speaks for them.

    Of two groups these are the pairs with the best way between the groups, each device in one pair at most, and then
    the same with the other one first.
    """
    if len(groups) == 2:
        across = [(one, other) for one in groups[0] for other in groups[1]]
        best = max(graph.nearness(*pair) for pair in across)
        pairs: list[Pair] = []
        for pair in across:
            if graph.nearness(*pair) == best and not set(pair) & set(itertools.chain(*pairs)):
                pairs.append(pair)
        return Topology(groups, (*pairs, *((other, one) for one, other in pairs)))
    return by_turns(groups)


def _best(graph: LinkGraph, rings: Iterable[tuple[int, ...]]) -> tuple[int, ...]:
    return max(rings, key=lambda ring: _worst_first(graph, ring))


def _worst_first(graph: LinkGraph, ring: Sequence[int]) -> list[Nearness]:
    """The links of a ring, by which rings are compared."""
    return sorted(graph.nearness(one, other) for one, other in zip(ring, (*ring[1:], ring[0]), strict=True))


def _nearest_first(graph: LinkGraph, start: int) -> tuple[int, ...]:
    ring, left = [start], set(range(graph.size)) - {start}
    while left:
        ring.append(max(left, key=lambda device: (graph.nearness(ring[-1], device), -device)))
        left.remove(ring[-1])
    return tuple(ring)


def _reversals(ring: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """The rings that reversing a part of this one makes."""
    for begin, end in itertools.combinations(range(1, len(ring) + 1), 2):
        yield (*ring[:begin], *reversed(ring[begin:end]), *ring[end:])
