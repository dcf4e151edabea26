"""The rings of NCCL on a machine, and what they carry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from benchmarks.advice.machine import Machine

_Capacities = dict[tuple[int, int], float]


def rate(machine: Machine, gpus: int, *, one_ring: bool) -> float:
    """Bytes/s that the rings over the first `gpus` of `machine` carry past each GPU.

    NCCL 1, which TensorFlow had until 2018, has `one_ring`: in the order of the GPUs' numbers, over whatever is
    between two, the host's memory where they cannot reach each other (NVIDIA/nccl, v1.3.4, src/core.cu). NCCL 2 lays as
    many rings over NVLinks as have room, and else one over PCIe. A ring is as fast as its slowest hop.
    """
    if machine.switched:
        return machine.switched
    if not one_ring:
        found = sum(_over_nvlinks(machine, gpus))
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


def _over_nvlinks(machine: Machine, gpus: int) -> Iterator[float]:
    """What each ring of NVLinks carries: the widest that is left, until none is."""
    left: _Capacities = {}
    for (a, b), speed in machine.nvlinks.items():
        if max(a, b) < gpus:
            left[a, b] = left[b, a] = speed
    while True:
        ring = max(_rings(left, gpus), key=lambda each: _width(left, each), default=None)
        if ring is None:
            return
        width = _width(left, ring)
        yield width
        for hop in ring:
            left[hop] -= width
        left = {hop: speed for hop, speed in left.items() if speed > 0}


def _width(left: Mapping[tuple[int, int], float], ring: Sequence[tuple[int, int]]) -> float:
    return min(left[hop] for hop in ring)


def _rings(
    left: Mapping[tuple[int, int], float], gpus: int, path: tuple[int, ...] = (0,)
) -> Iterator[list[tuple[int, int]]]:
    """All ways through all GPUs and back to the first."""
    if len(path) == gpus:
        if (path[-1], 0) in left:
            yield list(zip(path, (*path[1:], 0), strict=True))
        return
    for following in range(1, gpus):
        if following not in path and (path[-1], following) in left:
            yield from _rings(left, gpus, (*path, following))
