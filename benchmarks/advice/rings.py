"""The rings of NCCL on a machine, and what they carry."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence

from benchmarks.advice.machine import Machine

# Rings that are looked at, and those that are compared by what is left beside them too; a DGX-1 has 60. Where all of
# eight GPUs and more are linked, any ring is about as good as another.
_MOST, _FEW = 1000, 200
_Links = Mapping[tuple[int, int], float]  # bytes/s in each direction
_Ring = set[tuple[int, int]]


def rate(machine: Machine, gpus: int, *, one_ring: bool) -> float:
    """Bytes/s that the rings over the first `gpus` of `machine` carry past each GPU.

    NCCL 1, which TensorFlow had until 2018, has `one_ring`: in the order of the GPUs' numbers, over whatever is
    between two, the host's memory where they cannot reach each other (NVIDIA/nccl, v1.3.4, src/core.cu). NCCL 2 lays as
    many rings over NVLinks as have room, and else one over PCIe. A ring is as fast as its slowest hop.
    """
    if machine.switched:
        return machine.switched
    if not one_ring:
        found = _over_nvlinks(machine, gpus)
        if found:
            return found
    ring = [(gpu, (gpu + 1) % gpus) for gpu in range(gpus)]
    return min(_hop(machine, hop, ring) for hop in ring)


def _hop(machine: Machine, hop: tuple[int, int], ring: Sequence[tuple[int, int]]) -> float:
    """Bytes/s from one GPU of a ring to its next while all others send, too."""
    first, second = hop
    direct = machine.nvlink(first, second)
    if direct:
        return direct
    over_pcie = [other for other in ring if not machine.nvlink(*other)]
    speeds = []
    for link in machine.shared:
        sending = [a for a, b in over_pcie if a in link.gpus and (b not in link.gpus or not machine.peers)]
        receiving = [b for a, b in over_pcie if b in link.gpus and (a not in link.gpus or not machine.peers)]
        if first in sending:
            speeds.append(link.bytes_per_second / len(sending))
        if second in receiving:
            speeds.append(link.bytes_per_second / len(receiving))
    if machine.apart(first, second):
        speeds.append(machine.between_sockets)
    return min(speeds)


def _over_nvlinks(machine: Machine, gpus: int) -> float:
    """What rings of NVLinks carry: each goes both ways and takes what links have left, the best with its next first."""
    left: _Links = {pair: speed for pair, speed in machine.nvlinks.items() if max(pair) < gpus}
    total = 0.0
    while True:
        rings = list(itertools.islice(_rings(left, gpus), _MOST))
        few = len(rings) <= _FEW
        ring = max(rings, key=lambda each: _carries(left, each, gpus) if few else _width(left, each), default=None)
        if ring is None:
            return total
        # Two GPUs have one ring, whose two hops are the two directions of their links.
        total += (1 if gpus == 2 else 2) * _width(left, ring)
        left = _without(left, ring)


def _carries(left: _Links, ring: _Ring, gpus: int) -> float:
    """Bytes/s of `ring` and of the widest that is left beside it."""
    beside = _without(left, ring)
    return _width(left, ring) + max((_width(beside, each) for each in _rings(beside, gpus)), default=0.0)


def _without(left: _Links, ring: _Ring) -> _Links:
    width = _width(left, ring)
    taken = {pair: speed - width if pair in ring else speed for pair, speed in left.items()}
    return {pair: speed for pair, speed in taken.items() if speed > 0}


def _width(left: _Links, ring: _Ring) -> float:
    return min(left[pair] for pair in ring)


def _rings(left: _Links, gpus: int, path: tuple[int, ...] = (0,)) -> Iterator[_Ring]:
    """All ways through all GPUs and back to the first, as the pairs whose links they take."""
    if len(path) == gpus:
        if _pair(path[-1], 0) in left:
            yield {_pair(*hop) for hop in zip(path, (*path[1:], 0), strict=True)}
        return
    for following in range(1, gpus):
        if following not in path and _pair(path[-1], following) in left:
            yield from _rings(left, gpus, (*path, following))


def _pair(first: int, second: int) -> tuple[int, int]:
    return min(first, second), max(first, second)
