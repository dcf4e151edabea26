"""What the options of processors and memory need of this machine."""

from __future__ import annotations

from benchmarks import numa
from benchmarks.params.params import Params
from benchmarks.params.rules import excluded, rule


@rule("numa_node", "use_numa_affinity")
def node_that_exists(params: Params) -> str | None:
    """A process can be bound to a node that is there, and of which it may use processors."""
    if params.numa_node is None and not params.use_numa_affinity:
        return None
    if params.numa_node is not None and params.use_numa_affinity:
        return f"--numa_node={params.numa_node} and --use_numa_affinity both choose a NUMA node: give one of them."
    asked = "--use_numa_affinity" if params.numa_node is None else f"--numa_node={params.numa_node}"
    known = numa.nodes()
    if not known:
        return f"{asked}: this system tells of no NUMA nodes ({numa.NODES}). Leave it out."
    usable = numa.usable(known)
    if params.numa_node is None or params.numa_node in usable:
        return None
    if params.numa_node in known:
        return (
            f"{asked}: this process may use none of that node's processors (taskset, or a container's limit). It may "
            f"use some of {_listed(usable)}."
        )
    return f"{asked}: the machine has {_listed(known)}. Give one of them, or leave it out."


@rule("onednn_verbose", "eval")
def primitives_of_a_window(params: Params) -> list[str]:
    """What is told is summed up over a window."""
    return excluded(params, "onednn_verbose", {"eval": "evaluations have no window"}) if params.onednn_verbose else []


def _listed(nodes: dict[int, frozenset[int]]) -> str:
    return f"NUMA node{'s' * (len(nodes) > 1)} {', '.join(map(str, nodes))}"
