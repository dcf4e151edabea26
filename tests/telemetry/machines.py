"""Machines with several GPUs, as text for the stand-in: what is between any two follows from a rule."""

from collections.abc import Callable, Mapping

BOARD, SWITCH, SWITCHES, BRIDGE, SYSTEM = 0, 10, 20, 30, 50  # NVML's common ancestors
OK, WAY_NOT_SUPPORTED = 0, 3  # and states of peer-to-peer access


def always(value: int) -> Callable[..., int]:
    return lambda *_: value


def bus(gpu: int) -> str:
    return f"00000000:{gpu + 6:02X}:00.0"


def dgx_1() -> str:
    """NVIDIA's DGX-1 with P100: two halves, all of each half linked, and each GPU to its opposite number.

    Source: NVIDIA DGX-1 System Architecture (2017), figure 4: four NVLinks a GPU, a hybrid cube mesh.
    """

    def links(gpu: int) -> list[int]:
        half = gpu // 4 * 4
        return [*(other for other in range(half, half + 4) if other != gpu), (gpu + 4) % 8]

    linked = {gpu: links(gpu) for gpu in range(8)}
    return machine(
        "Tesla P100-SXM2-16GB",
        8,
        ancestor=lambda one, other: SYSTEM if one // 4 != other // 4 else SWITCH if one // 2 == other // 2 else BRIDGE,
        peers=lambda one, other: OK if other in linked[one] or one // 4 == other // 4 else WAY_NOT_SUPPORTED,
        nvlinks=linked,
        cores=lambda gpu: 0xFFFFF << 20 * (gpu // 4),
        node=lambda gpu: gpu // 4,
    )


# NVLinks of NVIDIA's DGX-1 with V100, as its `nvidia-smi topo -m` has them.
DGX_1V = {
    (0, 1): 1, (0, 2): 1, (0, 3): 2, (0, 4): 2, (1, 2): 2, (1, 3): 1, (1, 5): 2, (2, 3): 2,
    (2, 6): 1, (3, 7): 1, (4, 5): 1, (4, 6): 1, (4, 7): 2, (5, 6): 2, (5, 7): 1, (6, 7): 2,
}  # fmt: skip
# Google's machine with 8 V100 may be the same mesh with other numbers: tf_cnn_benchmarks says that the pairs 0-5 and
# 2-7 join its two cliques. No matrix of that machine was found, so this graph is inferred from those pairs: they become
# the ways between the halves with two NVLinks.
_GCP_NUMBER = (0, 2, 1, 3, 5, 7, 4, 6)  # of each GPU of DGX_1V
GCP_V100 = {
    (min(_GCP_NUMBER[one], _GCP_NUMBER[other]), max(_GCP_NUMBER[one], _GCP_NUMBER[other])): count
    for (one, other), count in DGX_1V.items()
}


def with_v100(nvlinks: Mapping[tuple[int, int], int]) -> str:
    """Eight V100 with these NVLinks, on two NUMA nodes."""
    ends = {
        gpu: [sum(pair) - gpu for pair, count in nvlinks.items() if gpu in pair for _ in range(count)]
        for gpu in range(8)
    }
    return machine(
        "Tesla V100-SXM2-16GB",
        8,
        ancestor=lambda one, other: SYSTEM if one // 4 != other // 4 else BRIDGE,
        peers=lambda one, other: OK if other in ends[one] else WAY_NOT_SUPPORTED,
        nvlinks=ends,
        node=lambda gpu: gpu // 4,
    )


def p2_16xlarge() -> str:
    """Amazon's p2.16xlarge: 16 dies on 8 K80 boards under PCIe switches, all peers of one another, on one NUMA node."""
    return machine(
        "Tesla K80",
        16,
        ancestor=lambda one, other: BOARD if one // 2 == other // 2 else SWITCHES,
        peers=always(OK),
    )


def no_peers() -> str:
    """Eight cards behind the two processors of a server, none of which reaches another's memory."""
    return machine(
        "NVIDIA L4",
        8,
        ancestor=lambda one, other: BRIDGE if one // 4 == other // 4 else SYSTEM,
        peers=always(WAY_NOT_SUPPORTED),
        cores=lambda gpu: 0xFF << 8 * (gpu // 4),
        node=lambda gpu: gpu // 4,
    )


def nvswitch() -> str:
    """Eight GPUs with 18 NVLinks each to switches."""
    return machine(
        "NVIDIA H100 80GB HBM3",
        8,
        ancestor=lambda one, other: SYSTEM if one // 4 != other // 4 else BRIDGE,
        peers=always(OK),
        to_switches=18,
    )


def machine(
    name: str,
    count: int,
    *,
    ancestor: Callable[[int, int], int],
    peers: Callable[[int, int], int],
    nvlinks: Mapping[int, list[int]] | None = None,
    to_switches: int = 0,
    cores: Callable[[int], int] | None = None,
    node: Callable[[int], int] | None = None,
) -> str:
    lines = ["driver 470.256.02", "cuda_driver 11040", f"count {count}", f"gpu*.name {name}"]
    for gpu in range(count):
        facts: dict[str, object] = {
            "pci": bus(gpu),
            "cores": f"{cores(gpu) if cores else 0xFFFF:#x}",
            "nodes": f"{1 << (node(gpu) if node else 0):#x}",
            "processes": "PID",
        }
        for other in set(range(count)) - {gpu}:
            facts |= {f"ancestor.{other}": ancestor(gpu, other), f"p2p.{other}": peers(gpu, other)}
        ends = [bus(other) for other in (nvlinks or {}).get(gpu, [])] + ["00000000:F0:00.0"] * to_switches
        for link, end in enumerate(ends):
            facts |= {f"nvlink.{link}": 1, f"nvlink_to.{link}": end}
        lines += [f"gpu{gpu}.{key} {value}" for key, value in facts.items()]
    return "\n".join([*lines, ""])
