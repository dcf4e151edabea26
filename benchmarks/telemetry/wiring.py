"""How the GPUs of a machine are wired, as NVML tells: links between them, and the processors that they are near to.

Source: NVML's API reference, https://docs.nvidia.com/deploy/nvml-api, for levels, states and links.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from benchmarks.environment import ask, mig_parts, started_nvml
from benchmarks.machine.files import spans
from benchmarks.telemetry.cuda_order import bus
from variable_mgr.link_graph import LEVELS, LinkGraph, best_ring, components

# What a path between two GPUs goes through, nearest first: NVML's number of the common ancestor, and nvidia-smi's word.
_LEVELS = {0: "PIX", 10: "PIX", 20: "PXB", 30: "PHB", 40: "NODE", 50: "SYS"}
UNKNOWN = "?"
LEGEND = {
    "X": "the GPU itself",
    "NV#": "# NVLinks",
    "PIX": "one PCIe switch, or the board that has both",
    "PXB": "several PCIe switches, and no host bridge",
    "PHB": "a PCIe host bridge (the processor)",
    "NODE": "the connection of host bridges within a NUMA node",
    "SYS": "the connection of processors between NUMA nodes",
    UNKNOWN: "the driver does not tell",
}
_PEER_PROBLEMS = {
    1: "the chipset does not support it",
    2: "the GPU does not support it",
    3: "the way between them does not allow it",
    4: "a setting of the driver forbids it",
    5: "it is not supported",
}
_MOST = 1024  # cores, and NUMA nodes
TO_A_SWITCH, UNKNOWN_END = -1, -2  # of an NVLink
_WORD = 64  # bits of a word of a mask of them


@dataclass(frozen=True)
class Gpu:
    """A GPU; `bus` is its PCI address, `numa_node` and `cores` what it is near to. None where NVML does not tell.

    `mig_parts` are those into which MIG splits it.
    """

    index: int
    name: str | None
    bus: str | None
    numa_node: int | None
    cores: tuple[int, ...] | None
    uuid: str | None = None
    mig_parts: int = 0


@dataclass(frozen=True)
class Link:
    """What is between two GPUs: a `level` of LEGEND, active NVLinks, and whether they reach each other's memory.

    `peer_problem` says why it cannot; both are None where NVML does not tell. `switched`: the NVLinks lead to switches
    that reach every GPU (NVSwitch), so they are those of each of the two GPUs and not of the pair alone.
    """

    level: str
    nvlinks: int
    peers: bool | None
    peer_problem: str | None = None
    switched: bool = False

    @property
    def word(self) -> str:
        """As nvidia-smi's matrix has it."""
        return f"NV{self.nvlinks}" if self.nvlinks else self.level


@dataclass(frozen=True)
class Wiring:
    """The `gpus` of a machine and the `links` between any two, by their indices, the smaller first.

    `broken` names GPUs that NVML lists and cannot tell of; they are no `gpus`.
    """

    gpus: tuple[Gpu, ...]
    links: Mapping[tuple[int, int], Link]
    broken: tuple[str, ...] = ()

    def link(self, first: int, second: int) -> Link:
        """What is between two GPUs."""
        return self.links[min(first, second), max(first, second)]

    @property
    def islands(self) -> list[tuple[int, ...]]:
        """GPUs that reach each other's memory directly, over others of the island if need be."""
        indices = [gpu.index for gpu in self.gpus]
        found = components(len(indices), lambda one, other: bool(self.link(indices[one], indices[other]).peers))
        return [tuple(indices[position] for position in island) for island in found]

    @property
    def ring(self) -> list[int]:
        """The GPUs in the order of the best ring over all of them."""
        return [self.gpus[position].index for position in best_ring(self.graph()).order]

    def graph(self, indices: Sequence[int] | None = None) -> LinkGraph:
        """What is between the GPUs `indices`, which become numbers 0, 1 and so on; of all GPUs where none are given."""
        chosen = [gpu.index for gpu in self.gpus] if indices is None else list(indices)
        nodes = {gpu.index: gpu.numa_node for gpu in self.gpus}
        links = {
            pair: self.link(chosen[pair[0]], chosen[pair[1]]) for pair in itertools.combinations(range(len(chosen)), 2)
        }
        return LinkGraph(
            len(chosen),
            {pair: link.nvlinks for pair, link in links.items() if link.nvlinks},
            {pair: link.level for pair, link in links.items() if link.level in LEVELS},
            tuple(nodes[index] for index in chosen),
        )

    def facts(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "gpus": [vars(gpu) for gpu in self.gpus],
            "links": [{"gpus": list(pair), "word": link.word, **vars(link)} for pair, link in self.links.items()],
            "islands": [list(island) for island in self.islands],
            "ring": self.ring,
            "broken": list(self.broken),
        }


def read() -> Wiring | str:
    """The wiring of this machine's GPUs, or why NVML cannot tell."""
    nvml = started_nvml()
    if isinstance(nvml, str):
        return nvml
    try:
        return _read(nvml)
    finally:
        ask(nvml.nvmlShutdown)


@functools.cache
def known() -> Wiring | str:
    """What `read` has told when it was first asked in this process: a run needs it in several places."""
    return read()


def recorded() -> dict[str, Any]:
    """The wiring as a record has it beside the GPUs of the machine, `topology`; nothing where NVML tells of none.

    `gpus` (names), `links` (words of LEGEND) and `peers` (None where not told) are in the order of `indices`, which are
    NVML's, as are those in `islands`; what a `ring` is, variable_mgr/link_graph.py says.
    """
    wiring = known()
    if isinstance(wiring, str) or not (wiring.gpus or wiring.broken):
        return {}
    indices = [gpu.index for gpu in wiring.gpus]
    pairs = [[None if one == other else wiring.link(one, other) for other in indices] for one in indices]
    facts = {
        "indices": indices,
        "gpus": [gpu.name or "not told" for gpu in wiring.gpus],
        "links": [[link.word if link else "X" for link in row] for row in pairs],
        "peers": [[link.peers if link else True for link in row] for row in pairs],
        "numa_nodes": [gpu.numa_node for gpu in wiring.gpus],
        "islands": [list(island) for island in wiring.islands],
        "ring": wiring.ring,
        "broken": list(wiring.broken),
    }
    return {"topology": facts}


def of_run(addresses: Sequence[str] | None) -> dict[str, list[int]]:
    """NVML's numbers of the GPUs with these PCI `addresses` as a record has them; nothing where one is not told."""
    wiring = known() if addresses else ""
    if isinstance(wiring, str) or not addresses:
        return {}
    numbers = [gpu.index for gpu in wiring.gpus if gpu.bus in addresses]
    return {"gpus_of_run": numbers} if len(numbers) == len(addresses) else {}


def matrix(wiring: Wiring) -> str:
    """A row and a column for each GPU, with what is between them, and what the GPU is near to."""
    names = [f"GPU{gpu.index}" for gpu in wiring.gpus]
    rows = [["", *names, "NUMA node", "cores"]]
    for gpu, name in zip(wiring.gpus, names, strict=True):
        words = ["X" if gpu is other else wiring.link(gpu.index, other.index).word for other in wiring.gpus]
        rows.append(
            [
                name,
                *words,
                "?" if gpu.numa_node is None else str(gpu.numa_node),
                "?" if gpu.cores is None else spans(gpu.cores),
            ]
        )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _read(nvml: ModuleType) -> Wiring:
    found = {index: _handle(nvml, index) for index in range(ask(nvml.nvmlDeviceGetCount) or 0)}
    broken = tuple(f"GPU {index}: {failure}" for index, (_, failure) in found.items() if failure)
    handles = {index: handle for index, (handle, failure) in found.items() if not failure}
    gpus = tuple(_gpu(nvml, index, handle) for index, handle in handles.items())
    by_bus: dict[str | None, int] = {gpu.bus: gpu.index for gpu in gpus if gpu.bus is not None}
    strangers = UNKNOWN_END if broken else TO_A_SWITCH
    nvlinks = {index: list(_nvlink_ends(nvml, handle, by_bus, strangers)) for index, handle in handles.items()}
    links = {
        (first, second): _link(nvml, handles[first], handles[second], *_between(nvlinks, first, second))
        for first, second in itertools.combinations(handles, 2)
    }
    return Wiring(gpus, links, broken)


def _handle(nvml: ModuleType, index: int) -> tuple[Any, str]:
    """The handle of a GPU, or why there is none."""
    try:
        return nvml.nvmlDeviceGetHandleByIndex(index), ""
    except nvml.NVMLError as error:
        return None, str(error)


def _gpu(nvml: ModuleType, index: int, handle: Any) -> Gpu:
    pci = ask(nvml.nvmlDeviceGetPciInfo, handle)
    cores = _bits(ask(nvml.nvmlDeviceGetCpuAffinity, handle, _MOST // _WORD))
    nodes = _bits(ask(nvml.nvmlDeviceGetMemoryAffinity, handle, _MOST // _WORD, nvml.NVML_AFFINITY_SCOPE_NODE))
    name, uuid = ask(nvml.nvmlDeviceGetName, handle), ask(nvml.nvmlDeviceGetUUID, handle)
    return Gpu(index, name, bus(pci), nodes[0] if nodes else None, cores, uuid, len(mig_parts(nvml, handle)))


def _bits(masks: Any) -> tuple[int, ...] | None:
    """The numbers of the bits that are set in `masks`, words of 64 bits, lowest first; None where there are none."""
    if masks is None:
        return None
    return tuple(number for number in range(_MOST) if masks[number // _WORD] >> number % _WORD & 1) or None


def _nvlink_ends(nvml: ModuleType, handle: Any, by_bus: Mapping[str | None, int], strangers: int) -> Iterator[int]:
    """What is at the other end of each active NVLink: a GPU's index, TO_A_SWITCH (NVSwitch), or UNKNOWN_END.

    Old drivers do not tell what is neither: `strangers` is what that is then.
    """
    ends = {nvml.NVML_NVLINK_DEVICE_TYPE_SWITCH: TO_A_SWITCH, None: strangers}
    for link in range(nvml.NVML_NVLINK_MAX_LINKS):
        if ask(nvml.nvmlDeviceGetNvLinkState, handle, link) == 1:
            remote = ask(nvml.nvmlDeviceGetNvLinkRemotePciInfo, handle, link)
            kind = ask(nvml.nvmlDeviceGetNvLinkRemoteDeviceType, handle, link)
            yield by_bus.get(bus(remote), ends.get(kind, UNKNOWN_END))


def _between(nvlinks: Mapping[int, list[int]], first: int, second: int) -> tuple[int, bool]:
    """NVLinks from the first GPU to the second: their own, or as many as both have to switches; whether it is those."""
    own = nvlinks[first].count(second)
    to_switches = min(nvlinks[gpu].count(TO_A_SWITCH) for gpu in (first, second))
    return own or to_switches, to_switches > 0 and not own


def _link(nvml: ModuleType, first: Any, second: Any, nvlinks: int, switched: bool) -> Link:
    level = _LEVELS.get(ask(nvml.nvmlDeviceGetTopologyCommonAncestor, first, second), UNKNOWN)
    # To write: nvidia-ml-py's constant for reading is a tuple by mistake, which NVML does not take.
    status = ask(nvml.nvmlDeviceGetP2PStatus, first, second, nvml.NVML_P2P_CAPS_INDEX_WRITE)
    if status in (None, nvml.NVML_P2P_STATUS_UNKNOWN):
        return Link(level, nvlinks, None, switched=switched)
    return Link(level, nvlinks, status == nvml.NVML_P2P_STATUS_OK, _PEER_PROBLEMS.get(status), switched)
