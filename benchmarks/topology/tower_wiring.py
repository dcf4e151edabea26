"""What `--network_topology=auto` means for the towers of a run: groups and a ring, from how their devices are wired."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from benchmarks.params import Params
from benchmarks.params.conditions import exchanges_gradients
from benchmarks.telemetry import wiring
from benchmarks.telemetry.cuda_order import bus_addresses
from benchmarks.telemetry.wiring import Wiring
from variable_mgr import topology
from variable_mgr.all_reduce_spec import parse
from variable_mgr.link_graph import Derived, LinkGraph, best_ring, derive
from variable_mgr.topology import is_gpu

_HEED_IT = {"hierarchical_copy", "xring"}


def topology_of_run(params: Params, towers: Sequence[str], numbers: Callable[[], Sequence[int]]) -> Derived | None:
    """`derived_topology`; None also where the run has no exchange in groups or in a ring."""
    spec = params.all_reduce_spec or ("hierarchical_copy" if params.hierarchical_copy else None)
    if not spec or not exchanges_gradients(params) or not _HEED_IT & set(parse(spec).algorithms):
        return None
    return derived_topology(params, towers, numbers)


def derived_topology(params: Params, towers: Sequence[str], numbers: Callable[[], Sequence[int]]) -> Derived | None:
    """The groups of the devices `towers`, and their ring; None where `params` ask for others than derived ones.

    `numbers` tells TensorFlow's of the towers' GPUs, and is asked where they are this process's own.
    """
    if params.network_topology != topology.AUTO:
        return None
    machines = topology.machines(towers)
    if len(machines) > 1:
        return Derived(topology.by_turns(machines), "each group is one machine")
    found = _graph(towers, numbers)
    if isinstance(found, str):
        return Derived(topology.halves(len(towers)), f"{found}, so the halves are by number")
    return replace(derive(found), ring=best_ring(found).order)


def told(derived: Derived) -> str:
    """The groups, and the ring, in words."""
    groups = "; ".join(" ".join(map(str, group)) for group in derived.topology.groups)
    mains = ", ".join("-".join(map(str, row)) for row in derived.topology.mains)
    ring = f"; rings in the order {' '.join(map(str, derived.ring))}" if derived.ring else ""
    return f"towers in groups {groups}, exchanging between {mains} in turn: {derived.why}{ring}."


def facts(derived: Derived | None) -> dict[str, Any]:
    """What the `exchange` section of a record has of it."""
    if derived is None:
        return {}
    groups, mains = ([list(row) for row in rows] for rows in (derived.topology.groups, derived.topology.mains))
    return {"topology": {"groups": groups, "mains": mains, "ring": list(derived.ring), "why": derived.why}}


def numbered_by_nvml(found: Wiring, numbers: Sequence[int]) -> list[int] | str:
    """NVML's indices of the GPUs that TensorFlow gives these `numbers`; or why they cannot be told."""
    addresses = bus_addresses()
    if isinstance(addresses, str):
        return f"which GPU is which cannot be told ({addresses})"
    by_bus = {gpu.bus: gpu.index for gpu in found.gpus if gpu.bus}
    indices = []
    for number in numbers:
        index = by_bus.get(addresses[number] or "") if number < len(addresses) else None
        if index is None:
            return f"NVML does not tell of the GPU that TensorFlow numbers {number}"
        indices.append(index)
    return indices if len(set(indices)) == len(indices) else "several towers are on one GPU"


def _graph(towers: Sequence[str], numbers: Callable[[], Sequence[int]]) -> LinkGraph | str:
    """What is between the towers' devices, or why it is not known."""
    if not all(map(is_gpu, towers)):
        return "CPU devices have no links"
    if any("/job:" in tower for tower in towers):
        return "the towers are on another machine"
    found = wiring.known()
    if isinstance(found, str):
        return f"the NVIDIA driver tells nothing of GPUs ({found})"
    indices = numbered_by_nvml(found, numbers())
    return indices if isinstance(indices, str) else found.graph(indices)
