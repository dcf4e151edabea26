"""How the towers' devices are wired, as data: groups with fast links inside, and who speaks for them.

Devices are TensorFlow's names, such as `/gpu:0` or `/job:worker/task:1/gpu:0`. Imports no TensorFlow.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

Group = tuple[int, ...]  # towers


@dataclass(frozen=True)
class Topology:
    """`groups` of towers; `mains` are taken in turn: one tower of each group, the first of them meets the others."""

    groups: tuple[Group, ...]
    mains: tuple[tuple[int, ...], ...]


# Google's machines with 8 V100: which links between the two halves are fast (the pairs of tf_cnn_benchmarks).
GCP_V100 = Topology(((0, 1, 2, 3), (4, 5, 6, 7)), ((0, 5), (2, 7), (5, 0), (7, 2)))
AUTO = "auto"  # derived from how the towers' devices are wired, once they are known
FIXED_SIZES = {"gcp_v100": len(GCP_V100.groups[0]) + len(GCP_V100.groups[1])}  # towers; dgx1 is halved at any number


def topology(name: str | Topology, towers: int) -> Topology:
    """The wiring called `name`, or that very one. Raises ValueError where it does not fit the number of towers.

    `dgx1` is two halves and each tower's opposite number in the other half: with 8 towers the cube mesh of NVIDIA's
    DGX-1, whose links between the halves are 0-4, 1-5, 2-6 and 3-7; with other numbers as even as can be.
    """
    if isinstance(name, Topology):
        assert sum(map(len, name.groups)) == towers, "it was derived for these towers"
        return name
    if name == "dgx1":
        return halves(towers)
    assert name == "gcp_v100", name
    if towers != FIXED_SIZES[name]:
        raise ValueError(
            f"--network_topology=gcp_v100 is a machine with 8 GPUs, and there are {towers} towers. "
            "Take --num_gpus=8 or --network_topology=dgx1, which halves any number."
        )
    return GCP_V100


def halves(towers: int) -> Topology:
    """Two groups, the second one larger where the number is odd; one tower is a group by itself."""
    if towers == 1:
        return Topology(((0,),), ((0,),))
    half = towers // 2
    left, right = tuple(range(half)), tuple(range(half, towers))
    across = [(left[min(index, half - 1)], right[index]) for index in range(len(right))]
    return Topology((left, right), (*across, *((second, first) for first, second in across)))


def by_turns(groups: tuple[Group, ...]) -> Topology:
    """`groups` for each of which its towers speak in turn; the first of a turn is of each group in turn."""
    mains = []
    for turn in range(max(map(len, groups))):
        spoken = [group[turn % len(group)] for group in groups]
        mains += [(*spoken[first:], *spoken[:first]) for first in range(len(groups))]
    return Topology(groups, tuple(mains))


def groups_of(devices: Sequence[str]) -> tuple[Group, ...]:
    """The groups of two-level algorithms: the towers of each machine, or of each half of the only machine."""
    by_machine = machines(devices)
    return by_machine if len(by_machine) > 1 else halves(len(devices)).groups


def machines(devices: Sequence[str]) -> tuple[Group, ...]:
    """The towers of each machine."""
    found: dict[str, list[int]] = {}
    for tower, device in enumerate(devices):
        found.setdefault(host_of(device), []).append(tower)
    return tuple(tuple(group) for group in found.values())


def host_of(device: str) -> str:
    """The CPU of the machine that `device` is in."""
    return re.sub(r"/(device:)?(gpu|cpu):\d+$", "/cpu:0", device, flags=re.IGNORECASE)


def is_gpu(device: str) -> bool:
    """Whether `device` is a GPU."""
    return "/gpu:" in device.lower() or "device:gpu:" in device.lower()
