"""Machines as the cost model sees them: which bytes cross which link, and how many a second each carries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.telemetry.wiring import Wiring


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
    latency_seconds: float


@dataclass(frozen=True)
class Machine:
    """One kind of machine, with `gpus` of `accelerator` each, numbered from 0.

    `nvlinks` has bytes/s in each direction between two GPUs (the smaller number first) that have NVLinks of their own;
    `switched` those of each GPU to a switch that reaches all (NVSwitch), 0 where there is none. `shared` is the tree of
    PCIe. `peers`: whether GPUs reach each other's memory over PCIe, or copy through the host's. `host_bytes_per_second`
    is what the host reads in adding gradients up. `network` is None where machines are not connected. `source` says
    where the figures come from, for readers.
    """

    name: str
    accelerator: str
    gpus: int
    nvlinks: Mapping[tuple[int, int], float] = field(default_factory=dict)
    switched: float = 0.0
    shared: tuple[Shared, ...] = ()
    peers: bool = True
    host_bytes_per_second: float = 0.0
    network: Network | None = None
    source: str = ""

    def nvlink(self, first: int, second: int) -> float:
        """Bytes/s in each direction from one GPU to another without PCIe; 0 where there is no such way."""
        return self.switched or self.nvlinks.get((min(first, second), max(first, second)), 0.0)


def of_platform(platform: str) -> Machine:
    """The machine that a table of published figures calls `platform` ("NVIDIA DGX-1"), from the reference data.

    Raise UserError for one that is not known; it names those that are.
    """
    raise NotImplementedError(platform)


def of_wiring(wiring: Wiring, network: Network | None = None) -> Machine:
    """The machine at hand from what NVML tells, with the rates of its kind of links from the reference data."""
    raise NotImplementedError(wiring, network)


def of_measurements(path: Path, network: Network | None = None) -> Machine:
    """A machine from measured links, the JSON of `python -m benchmarks.topology --measure --output FILE`.

    `{"devices": [...], "links": [{"from": ..., "to": ..., "bytes_per_second": ..., "latency_seconds": ...}]}`. Raise
    UserError for a file that is no such thing.
    """
    raise NotImplementedError(path, network)
