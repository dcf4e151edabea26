"""Machines as the cost model sees them: which bytes cross which link, and how many a second each carries."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.advice import rates
from benchmarks.advice.platforms import PLATFORMS, UNLISTED_NETWORKS, Platform, mesh, named
from benchmarks.errors import UserError
from benchmarks.params.option import closest
from results.reference.hardware import matches
from variable_mgr.link_graph import components

if TYPE_CHECKING:
    from benchmarks.telemetry.wiring import Wiring

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
    connected. `sharing_known`: whether `shared` has all links that GPUs share. `source` says where the figures come
    from, for readers.
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
        raise UserError(
            f"The platform {platform!r} is not known; there are {', '.join(PLATFORMS)}. For another, tell "
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


def of_wiring(wiring: Wiring, network: Network | None = None) -> Machine:
    """The machine at hand from what NVML tells, with the rates of its kind of links from the reference data.

    GPUs are numbered from 0 in the order of `wiring`. A switch carries what one GPU's link does.
    """
    indices = [gpu.index for gpu in wiring.gpus]
    accelerator = next((gpu.name for gpu in wiring.gpus if gpu.name), "")
    links = rates.links(accelerator)
    between = {
        (first, second): wiring.link(indices[first], indices[second])
        for first, second in itertools.combinations(range(len(indices)), 2)
    }
    counted = {pair: link.nvlinks for pair, link in between.items() if link.nvlinks}
    # More links to all others together than a GPU has are links to a switch, counted once for each other GPU.
    switched = bool(counted) and sum(n for pair, n in counted.items() if 0 in pair) > links.nvlinks

    def joined(near: Callable[[str], bool]) -> tuple[tuple[int, ...], ...]:
        return components(len(indices), lambda one, other: near(wiring.link(indices[one], indices[other]).level))

    nearest = joined(lambda level: level == "PIX")
    near = [group for group in joined(lambda level: level in ("PIX", "PXB")) if group not in nearest]
    near_processor = joined(lambda level: level not in ("SYS", "NODE", "?"))
    what = "board" if rates.known(accelerator) == "K80" else "switch"
    return Machine(
        "this machine",
        rates.known(accelerator) or accelerator,
        len(indices),
        nvlinks={} if switched else {pair: n * links.nvlink for pair, n in counted.items()},
        switched=max(counted.values()) * links.nvlink if switched else 0.0,
        shared=(
            *(Shared("GPU's link", (gpu,), links.pcie) for gpu in range(len(indices))),
            *(Shared(what, group, links.pcie) for group in nearest if len(group) > 1),
            *(Shared("switch", group, links.pcie) for group in near),
        ),
        peers=all(link.peers is not False for link in between.values() if link.level not in ("SYS", "NODE")),
        sockets=near_processor if len(near_processor) > 1 else (),
        between_sockets=rates.LATER_SOCKETS,
        network=network,
        source="NVML; rates from results/reference",
    )


def of_measurements(path: Path, network: Network | None = None) -> Machine:
    """A machine from measured links, the JSON of `python -m benchmarks.topology --measure --output FILE`.

    `{"devices": [...], "links": [{"from": ..., "to": ..., "bytes_per_second": ..., "latency_seconds": ...}]}`, with
    devices named as TensorFlow does, "/gpu:0", and "/cpu:0" for the host; a link whose bytes_per_second is null is not
    known. Each was measured alone, so what links share is not known of it. Raise UserError for a file that is no such
    thing.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        speeds = {
            (str(link["from"]), str(link["to"])): float(link["bytes_per_second"])
            for link in document["links"]
            if link["bytes_per_second"]
        }
        names = [str(device) for device in document["devices"]]
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}. Give another file.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path}: is no file of measured links ({error!r}): it needs devices and links.") from error
    gpus = [name for name in names if "GPU" in name.upper()]
    if not gpus:
        raise UserError(f"{path}: has no GPU among its devices: {', '.join(names) or 'none'}. Measure where there are.")
    return replace(_measured(gpus, speeds, path), network=network)


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
            raise UserError(f"{path}: knows no link of {name}. Measure again.")
    return Machine(
        "measured machine",
        "",
        len(gpus),
        nvlinks={(a, b): speed for (a, b), speed in pairs.items() if speed > _FASTER * max(own[a], own[b])},
        shared=tuple(Shared("GPU's link", (gpu,), speed) for gpu, speed in enumerate(own)),
        # Through the host a copy takes its way twice, at half the pace.
        peers=all(speed > min(own[a], own[b]) / _FASTER for (a, b), speed in pairs.items()),
        sharing_known=False,
        source=str(path),
    )


def _tree(wires: Platform, rate: float) -> tuple[Shared, ...]:
    sizes = (("GPU's link", 1), ("board", wires.board), ("switch", wires.switch))
    return tuple(Shared(what, group, rate) for what, size in sizes if size for group in _groups(wires.gpus, size))


def _groups(gpus: int, size: int) -> list[tuple[int, ...]]:
    """The numbers below `gpus` in groups of `size`; none where all are in one."""
    if not size or (size >= gpus and size > 1):
        return []
    return [tuple(range(first, min(first + size, gpus))) for first in range(0, gpus, size)]
