"""Machines as the cost model sees them: which bytes cross which link, and how many a second each carries."""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from benchmarks.advice import rates, wiring_file
from benchmarks.advice.platforms import PLATFORMS, UNLISTED_NETWORKS, Platform, mesh, named
from benchmarks.errors import UserError
from benchmarks.params.option import closest
from benchmarks.telemetry.wiring import UNKNOWN, Link, Wiring
from results.naming import counted
from results.reference.hardware import matches
from variable_mgr.link_graph import components

_ASSUMED = "PCIe 3.0 with 16 lanes is assumed, and NVLinks do not count"
_LARGEST_MESH = 4  # GPUs with NVLinks of their own from each to every other; among more, those are to switches
_FASTER = 1.5  # than a GPU's link to the host: what of measured links cannot be PCIe


@dataclass(frozen=True)
class Shared:
    """A link of PCIe that several GPUs of a machine share: a board's, a switch's, or a host bridge's.

    All that `gpus` exchange with the host, or with GPUs that are not among them, crosses it: `bytes_per_second` in each
    direction, as achieved and not as rated. A GPU's own link is one that it shares with nobody.
    """

    what: str
    gpus: tuple[int, ...]
    bytes_per_second: float


@dataclass(frozen=True)
class Network:
    """What connects machines: `bytes_per_second` of each machine in each direction, as achieved; seconds a message."""

    bytes_per_second: float
    latency_seconds: float = rates.MESSAGE_SECONDS


@dataclass(frozen=True)
class Machine:
    """One kind of machine, with `gpus` of `accelerator` each, numbered from 0.

    `nvlinks` has bytes/s in each direction between two GPUs (the smaller number first) that have NVLinks of their own;
    `switched` those of each GPU to a switch that reaches all (NVSwitch), 0 where there is none. `shared` is the tree of
    PCIe. `peers`: whether GPUs reach each other's memory over PCIe, or copy through the host's. `sockets` has the GPUs
    of each processor where there are several, and `between_sockets` what those carry in each direction for GPUs.
    `host_bytes_per_second` is what the host reads in adding gradients up. `network` is None where machines are not
    connected. `sharing_known`: whether `shared` has all links that GPUs share. For readers, `source` says where the
    figures come from, and `numbers` has those that the driver gives the GPUs, where they are others.
    """

    name: str
    accelerator: str
    gpus: int
    nvlinks: Mapping[tuple[int, int], float] = field(default_factory=dict)
    switched: float = 0.0
    shared: tuple[Shared, ...] = ()
    peers: bool = True
    sockets: tuple[tuple[int, ...], ...] = ()
    between_sockets: float = 0.0
    host_bytes_per_second: float = rates.HOST_MEMORY
    network: Network | None = None
    sharing_known: bool = True
    source: str = ""
    numbers: tuple[int, ...] = ()

    def number(self, gpu: int) -> int:
        """The number by which readers know a GPU."""
        return self.numbers[gpu] if self.numbers else gpu

    def nvlink(self, first: int, second: int) -> float:
        """Bytes/s in each direction from one GPU to another without PCIe; 0 where there is no such way."""
        return self.switched or self.nvlinks.get((min(first, second), max(first, second)), 0.0)

    def apart(self, first: int, second: int) -> bool:
        """Whether two GPUs are near different processors."""
        return any((first in near) != (second in near) for near in self.sockets)

    @property
    def boards(self) -> bool:
        """Whether two GPUs are on one board, and share its power."""
        return any(link.what == "board" for link in self.shared)


def of_platform(platform: str, accelerator: str = "") -> Machine:
    """The machine that a table of published figures calls `platform` ("NVIDIA DGX-1"), from the reference data.

    With another `accelerator` than is usual there, its links are those of that one. Raise UserError for a platform or
    an accelerator that is not known; it names those that are.
    """
    name = named(platform)
    if name is None:
        near = [known for known in PLATFORMS if platform.lower() in known.lower()]
        close = near[0] if len(near) == 1 else closest(platform, PLATFORMS)
        hint = f"Did you mean {close!r}? There are" if close else "There are"
        raise UserError(
            f"The platform {platform!r} is not known. {hint} {', '.join(PLATFORMS)}. For another, tell "
            "gpus_per_machine, gpu_link_GBs and network_gbit_per_sec: see --help of benchmarks.studies.cost_model."
        )
    wires = PLATFORMS[name]
    usual = not accelerator or matches(accelerator, wires.accelerator)
    card = rates.known(wires.accelerator if usual else accelerator)
    if card is None:
        close = closest(accelerator, rates.accelerators())
        hint = f" Did you mean {close!r}?" if close else ""
        raise UserError(
            f"The accelerator {accelerator!r} is not known.{hint} There are {', '.join(rates.accelerators())}. For "
            "another, tell gpus_per_machine and gpu_link_GBs."
        )
    rate = rates.network(wires.network) or UNLISTED_NETWORKS.get(name, 0.0) * rates.GIGA
    links = rates.links(card)
    counted = mesh(wires.gpus, links.nvlinks) if wires.mesh and links.nvlinks else {}
    return Machine(
        name,
        card,
        wires.gpus,
        nvlinks={pair: count * links.nvlink for pair, count in counted.items()},
        switched=links.nvlinks * links.nvlink if wires.nvswitch else 0.0,
        shared=_tree(wires, links.pcie),
        peers=wires.peers,
        sockets=tuple(_groups(wires.gpus, wires.socket)),
        between_sockets=rates.LATER_SOCKETS if wires.nvswitch else rates.BROADWELL_SOCKETS,
        network=Network(rate) if rate else None,
        source="results/reference: hardware.csv, network.csv",
    )


def plain(name: str, accelerator: str, gpus: int, *, link: float = 0.0, network: float = 0.0) -> Machine:
    """A machine of which is known that each of its `gpus` has a link of its own, of `link` bytes/s as achieved.

    Where `link` is 0 it is the accelerator's PCIe. `network`: bytes/s of a machine, as achieved; 0: none.
    """
    own = link or rates.links(accelerator).pcie
    return Machine(
        name,
        rates.known(accelerator) or accelerator,
        gpus,
        shared=tuple(Shared("GPU's link", (gpu,), own) for gpu in range(gpus)),
        network=Network(network) if network else None,
        sharing_known=False,
        source="as told",
    )


def of_wiring(
    wiring: Wiring, network: Network | None = None, name: str = "this machine", told_by: str = "NVML"
) -> Machine:
    """The machine called `name` from what NVML, or a file (`told_by`), tells.

    Its links have the rates of their kind in the reference data.
    GPUs are numbered from 0 in the order of `wiring`. A switch carries what one GPU's link does. What NVML does not
    tell, or the reference data does not have, leaves open what GPUs share, and so the bounds of a prediction.
    """
    accelerator = next((gpu.name for gpu in wiring.gpus if gpu.name), "")
    card, links = rates.known(accelerator), rates.links(accelerator)
    indices = [gpu.index for gpu in wiring.gpus]
    between = {
        (first, second): wiring.link(indices[first], indices[second])
        for first, second in itertools.combinations(range(len(indices)), 2)
    }
    told = all(link.level != UNKNOWN and link.peers is not None for link in between.values())
    switched = [link.nvlinks for link in between.values() if link.switched]
    own = {pair: link.nvlinks for pair, link in between.items() if link.nvlinks and not link.switched}
    near_processor = _joined(between, len(indices), ("PIX", "PXB", "PHB", "NODE"))
    return Machine(
        name,
        card or accelerator,
        len(indices),
        nvlinks={pair: count * links.nvlink for pair, count in own.items() if links.nvlink},
        # Where one GPU has lost its links, rings over all of them go over PCIe.
        switched=min(switched) * links.nvlink if switched and len(switched) == len(between) else 0.0,
        shared=_shared(between, len(indices), links.pcie, "board" if card == "K80" else "switch"),
        peers=all(link.peers is not False for link in between.values() if link.level not in ("SYS", "NODE")),
        sockets=near_processor if told and len(near_processor) > 1 else (),
        between_sockets=rates.sockets(accelerator),
        network=network,
        numbers=tuple(indices) if indices != list(range(len(indices))) else (),
        sharing_known=told and card is not None,
        source=f"{told_by}; rates from results/reference"
        + ("" if card else f", which does not have {accelerator or 'the accelerator'}: {_ASSUMED}"),
    )


def _shared(between: Mapping[tuple[int, int], Link], gpus: int, rate: float, nearest: str) -> tuple[Shared, ...]:
    """The tree of PCIe; `nearest` is what those that share most have in common."""
    near = _joined(between, gpus, ("PIX",))
    switches = [group for group in _joined(between, gpus, ("PIX", "PXB")) if group not in near]
    return (
        *(Shared("GPU's link", (gpu,), rate) for gpu in range(gpus)),
        *(Shared(nearest, group, rate) for group in near if len(group) > 1),
        *(Shared("switch", group, rate) for group in switches),
    )


def _joined(between: Mapping[tuple[int, int], Link], gpus: int, levels: Collection[str]) -> tuple[tuple[int, ...], ...]:
    """Groups of GPUs with a way of one of `levels` between two, if need be over others."""
    return components(gpus, lambda one, other: between[min(one, other), max(one, other)].level in levels)


def of_measurements(path: Path, network: Network | None = None) -> Machine:
    """A machine from measured links, the JSON of `python -m benchmarks.topology --measure --output FILE`.

    `{"devices": [...], "links": [{"from": ..., "to": ..., "bytes_per_second": ..., "latency_seconds": ...}]}`, with
    devices named as TensorFlow does, "/gpu:0", and "/cpu:0" for the host; a link whose bytes_per_second is null is not
    known, nor is one that is not "valid", whose figure says too little. Each was measured alone, so what links share is
    not known of it. Raise UserError for a file that is no such thing.
    """
    try:
        document = wiring_file.document(path)
        told = {(str(link["from"]), str(link["to"])): (_speed(link), link.get("valid")) for link in document["links"]}
        speeds = {way: speed for way, (speed, valid) in told.items() if speed > 0 and valid is not False}
        names = [str(device) for device in document["devices"]]
    except OSError as error:
        raise UserError(f"--links={path}: cannot be read: {error.strerror}. Give another file.") from error
    except wiring_file.UNFIT as error:
        raise UserError(
            f"--links={path} is not what python -m benchmarks.topology --measure --output=FILE writes: "
            f"{wiring_file.told(error)}."
        ) from error
    gpus = [name for name in names if "GPU" in name.upper()]
    if not gpus:
        raise UserError(
            f"--links={path}: has no GPU among its devices: {', '.join(names) or 'none'}. Measure where there are."
        )
    doubtful = sum(speed > 0 and valid is False for speed, valid in told.values())
    left_out = f", without {doubtful} of {counted(len(told), 'link')} whose speed is not known well" if doubtful else ""
    return replace(_measured(gpus, speeds, path), network=network, source=f"{path}{left_out}")


def _speed(link: Mapping[str, Any]) -> float:
    """Bytes/s of a link in a file; 0 where it is not known."""
    told = link["bytes_per_second"]
    speed = 0.0 if told is None else float(told)
    if isinstance(told, bool) or not 0 <= speed < math.inf:
        raise ValueError(f"bytes_per_second from {link['from']} to {link['to']} must be from 0 on or null, is {told}")
    return speed


def _measured(gpus: Sequence[str], speeds: Mapping[tuple[str, str], float], path: Path) -> Machine:
    hosts = {name for pair in speeds for name in pair if name not in gpus}

    def both_ways(first: str, second: str) -> float:
        return min((speeds[pair] for pair in ((first, second), (second, first)) if pair in speeds), default=0.0)

    pairs = {
        (a, b): speed for a, b in itertools.combinations(range(len(gpus)), 2) if (speed := both_ways(gpus[a], gpus[b]))
    }
    own = []
    for number, name in enumerate(gpus):
        to_host = max((both_ways(name, host) for host in hosts), default=0.0)
        own.append(to_host or min((speed for pair, speed in pairs.items() if number in pair), default=0.0))
        if not own[-1]:
            raise UserError(
                f"--links={path}: knows no link of {name} well enough. Measure again, with more --repeats, while "
                "nothing else runs."
            )
    fast = {(a, b): speed for (a, b), speed in pairs.items() if speed > _FASTER * max(own[a], own[b])}
    switched = len(gpus) > _LARGEST_MESH and len(fast) == len(gpus) * (len(gpus) - 1) // 2
    return Machine(
        "measured machine",
        "",
        len(gpus),
        nvlinks={} if switched else fast,
        switched=min(fast.values()) if switched else 0.0,
        shared=tuple(Shared("GPU's link", (gpu,), speed) for gpu, speed in enumerate(own)),
        # Through the host a copy takes its way twice, at half the pace.
        peers=all(speed > min(own[a], own[b]) / _FASTER for (a, b), speed in pairs.items()),
        sharing_known=False,
    )


def _tree(wires: Platform, rate: float) -> tuple[Shared, ...]:
    sizes = (("GPU's link", 1), ("board", wires.board), ("switch", wires.switch))
    return tuple(Shared(what, group, rate) for what, size in sizes if size for group in _groups(wires.gpus, size))


def _groups(gpus: int, size: int) -> list[tuple[int, ...]]:
    """The numbers below `gpus` in groups of `size`; none where all are in one."""
    if not size or (size >= gpus and size > 1):
        return []
    return [tuple(range(first, min(first + size, gpus))) for first in range(0, gpus, size)]
