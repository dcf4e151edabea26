"""What links achieve: rates of the reference data times the share that was measured of them, each with its source."""

from __future__ import annotations

import csv
import functools
import re
from typing import NamedTuple

from results.reference import FOLDER
from results.reference.hardware import listed, matches, words

GIGA = 1e9
GIGABIT = 1e9 / 8
PCIE_SHARE = 12 / 16  # of the rate of 16 lanes: NCCL's PCI_BW (src/graph/topo.h), made from measurements
ETHERNET_SHARE = 1448 / 1538  # payload of a TCP segment in a full Ethernet frame with its gap
# GB/s between two processors' sockets, in one direction: NCCL's BDW_QPI_BW and SKL_QPI_BW (src/graph/topo.h).
BROADWELL_SOCKETS = 6 * GIGA
LATER_SOCKETS = 10 * GIGA
_WITH_BROADWELL = 2017  # V100: the processors of NVIDIA's DGX-1 and Amazon's P3
# What a processor reads of its memory: STREAM on one Broadwell with 4 channels of DDR4-2400 (76.8 GB/s rated).
HOST_MEMORY = 60 * GIGA
# Bytes/s of one process over gRPC. TensorFlow's users measured 0.29 and 0.8 GB/s (tensorflow/tensorflow issue 6116) and
# 0.72 to 1.88 GB/s (issue 6256) over one connection; a server has several at once, which is taken as twice as much.
GRPC = (2 * 0.3 * GIGA, 2 * 1.9 * GIGA)
MESSAGE_SECONDS = 1e-4  # of a server for one tensor over gRPC: the round trip in a zone of EC2 is about 100 us
_PCIE = re.compile(r"PCIe (\d)\.0")
_NVLINKS = re.compile(r"NVLink [\d.]+ .*?\(?(\d+) links")


class Links(NamedTuple):
    """What one accelerator has: bytes/s of its own PCIe link, and of each of its `nvlinks`; as achieved."""

    pcie: float
    nvlinks: int
    nvlink: float


def accelerators() -> list[str]:
    """The names of hardware.csv."""
    return list(_hardware())


def known(accelerator: str) -> str | None:
    """The name in hardware.csv that `accelerator` ("Tesla P100-SXM2-16GB") means; None where there is none.

    A part of a card (MIG) is not that card.
    """
    if "mig" in words(accelerator):
        return None
    names = [name for name in _hardware() if words(name) == words(listed(accelerator))]
    return next(iter(names or [name for name in _hardware() if matches(name, accelerator)]), None)


def one_card(first: str, second: str) -> bool:
    """Whether two names, of hardware.csv or of a driver, are those of one kind of card."""
    one, other = known(first), known(second)
    return one == other if one or other else bool(words(first)) and words(first) == words(second)


def links(accelerator: str) -> Links:
    """The links of one accelerator that `known` knows; of others, a PCIe 3.0 link of 16 lanes and no NVLink."""
    row = _hardware().get(known(accelerator) or "", {})
    interconnect = row.get("interconnect", "")
    generation = _PCIE.search(interconnect)
    pcie = float(_network(f"PCIe {generation[1] if generation else _host_generation(row)}.0 x16")) * GIGA * PCIE_SHARE
    if "NVLink" not in interconnect:
        return Links(pcie, 0, 0.0)
    total = float(row["interconnect_GBs_per_direction"]) * GIGA
    counted = _NVLINKS.search(interconnect)
    nvlinks = int(counted[1]) if counted else round(total / 25 / GIGA)  # NVLink 2.0 to 4.0 have 25 GB/s each
    return Links(pcie, nvlinks, total / nvlinks * _nvlink_share())


def sockets(accelerator: str) -> float:
    """Bytes/s between two processors of a machine with such cards: those of up to 2017 were put beside Broadwells."""
    year = int(_hardware().get(known(accelerator) or "", {}).get("year") or 0)
    return BROADWELL_SOCKETS if 0 < year <= _WITH_BROADWELL else LATER_SOCKETS


def network(system: str) -> float | None:
    """Bytes/s of one machine of `system` in network.csv, in one direction, as achieved; None where it has no figure."""
    for row in _rows():
        if row["system"] == system and row["unit"] == "Gbit/s" and row["value"]:
            return float(row["value"]) * GIGABIT * ETHERNET_SHARE
    return None


def _host_generation(row: dict[str, str]) -> int:
    """The PCIe generation of an accelerator whose interconnect is NVLink: A100 of 2020 has 4.0, H100 of 2022 5.0."""
    year = int(row.get("year") or 0)
    return 5 if year >= 2022 else 4 if year >= 2020 else 3


def _nvlink_share() -> float:
    """What a copy achieved of one NVLink 1.0, measured on a pair of P100; 0.92."""
    return float(_network("P100-SXM2 pair on 1 NVLink")) / float(_network("NVLink 1.0"))


def _network(system: str) -> str:
    return next(row["value"] for row in _rows() if row["system"] == system)


@functools.cache
def _rows() -> list[dict[str, str]]:
    with (FOLDER / "network.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@functools.cache
def _hardware() -> dict[str, dict[str, str]]:
    with (FOLDER / "hardware.csv").open(encoding="utf-8", newline="") as stream:
        return {row["accelerator"]: row for row in csv.DictReader(stream)}
