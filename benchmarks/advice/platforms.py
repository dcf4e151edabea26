"""Machines of published figures: how their GPUs are wired. Rates are in `rates`; this is who shares what with whom."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Platform:
    """How the `gpus` of one machine are wired.

    `board` GPUs share a board's link of PCIe, `switch` GPUs a switch's link to the processor, `socket` GPUs are near
    one processor; 0: none do. `mesh`: NVLinks are those of the hybrid cube mesh; `nvswitch`: they all lead to switches.
    `peers`: whether GPUs reach each other's memory over PCIe within a socket. `network` is the system of network.csv.
    """

    gpus: int
    accelerator: str
    network: str = ""
    board: int = 0
    switch: int = 0
    socket: int = 0
    mesh: bool = False
    nvswitch: bool = False
    peers: bool = True


# Sources: the DGX-1 white paper (WP-08437) has its mesh, and two GPUs on a switch; a processor of the P2 hosts
# (E5-2686 v4) and of Compute Engine has 40 lanes, which is two links of 16: on P2, with 8 boards, two boards share one;
# a machine of Compute Engine has two boards a processor. Peers on P2: network.csv. P3 is wired as a DGX-1 is.
PLATFORMS = {
    "NVIDIA DGX-1": Platform(8, "P100-SXM2-16GB", "NVIDIA DGX-1", switch=2, socket=4, mesh=True),
    "NVIDIA DGX-2": Platform(16, "V100-SXM3-32GB", switch=2, socket=8, nvswitch=True),
    "NVIDIA DGX A100": Platform(8, "A100-SXM4-40GB", "NVIDIA DGX A100", switch=2, socket=4, nvswitch=True),
    "HGX/DGX H200": Platform(8, "H200-SXM-141GB", "HGX/DGX H200 (8 GPUs)", socket=4, nvswitch=True),
    "Google Compute Engine n1-standard-32-k80x8": Platform(8, "K80", board=2, socket=4, peers=False),
    "Amazon EC2 p2.xlarge": Platform(1, "K80", "Amazon EC2 p2.xlarge"),
    "Amazon EC2 p2.8xlarge": Platform(8, "K80", "Amazon EC2 p2.8xlarge", board=2, switch=4),
    "Amazon EC2 p2.16xlarge": Platform(16, "K80", "Amazon EC2 p2.16xlarge", board=2, switch=4, socket=8),
    "Amazon EC2 p3.2xlarge": Platform(1, "V100-SXM2-16GB", "Amazon EC2 p3.2xlarge"),
    "Amazon EC2 p3.8xlarge": Platform(4, "V100-SXM2-16GB", "Amazon EC2 p3.8xlarge", switch=2, mesh=True),
    "Amazon EC2 p3.16xlarge": Platform(8, "V100-SXM2-16GB", "Amazon EC2 p3.16xlarge", switch=2, socket=4, mesh=True),
    "ABCI": Platform(4, "V100-SXM2-16GB", "ABCI (AIST)", switch=2, socket=2, mesh=True),
    "Uber cluster of the Horovod benchmark": Platform(
        4, "P100-PCIE-16GB", "Uber cluster of the Horovod benchmark", socket=2
    ),
    "CSCS Piz Daint": Platform(1, "P100-PCIE-16GB", "CSCS Piz Daint"),
}
# GB/s of a machine where network.csv has no figure: 10 GB/s are what a Cray Aries network card injects.
UNLISTED_NETWORKS = {"CSCS Piz Daint": 10.0}


def named(platform: str) -> str | None:
    """The name of PLATFORMS that `platform` begins with or has in it, the longest; None where there is none."""
    text = platform.lower()
    return max((name for name in PLATFORMS if name.lower() in text), key=len, default=None)


def mesh(gpus: int, nvlinks: int) -> dict[tuple[int, int], int]:
    """NVLinks between two GPUs of the hybrid cube mesh: of each GPU to the three others of its half, and one across.

    With six of them (V100) some are double, as a DGX-1 shows (NVIDIA/nccl issue 671).
    """
    pairs = {(a, b): 1 for half in (0, 4) for a in range(half, half + 4) for b in range(a + 1, half + 4)}
    pairs |= {(a, a + 4): 1 for a in range(4)}
    if nvlinks == 6:
        doubled = [(0, 3), (0, 4), (1, 2), (1, 5), (2, 3), (6, 7), (4, 7), (5, 6)]
        pairs |= dict.fromkeys(doubled, 2)
    return {pair: count for pair, count in pairs.items() if max(pair) < gpus}
