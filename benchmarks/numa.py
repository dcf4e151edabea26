"""NUMA nodes: which there are, and this process bound to one of them. No TensorFlow in it."""

from __future__ import annotations

import ctypes
import os
import platform
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.machine.files import numbers, read_text
from benchmarks.params.params import Params

NODES = Path("/sys/devices/system/node")
# Where a process stands among those of its machine, as who has started them tells it.
_OF_HOROVOD = ("HOROVOD_LOCAL_RANK", "OMPI_COMM_WORLD_LOCAL_RANK")
_OF_SLURM = ("SLURM_LOCALID",)
# Numbers of the system calls, for which the C library has no functions.
_SET_MEMPOLICY = {"x86_64": 238, "aarch64": 237}
_GET_MEMPOLICY = {"x86_64": 239, "aarch64": 236}
_PREFERRED = 1  # of <linux/mempolicy.h>: another node where this one is full, rather than an end of the process
_POLICIES = {0: "default", 1: "preferred", 2: "bind", 3: "interleave", 4: "local", 5: "preferred", 6: "interleave"}
_MASK_BITS = 1024
_WORD = 8 * ctypes.sizeof(ctypes.c_ulong)


class Bound(NamedTuple):
    """What a process is bound to: the processors of `node`, one of `nodes`, and its memory, or why not."""

    node: int
    nodes: int
    processors: int
    memory: str = ""

    def __str__(self) -> str:
        told = f"bound to NUMA node {self.node} with its {self.processors} processor(s)"
        if self.nodes == 1:
            told += ", the only node of the machine: that changes nothing"
        if self.memory:
            told += (
                f"; its memory could not be ({self.memory}): it is where it is first written, there too as long as "
                "some is left"
            )
        return f"{told}."


def nodes(root: Path = NODES) -> dict[int, frozenset[int]]:
    """The processors of each NUMA node that has some, by their numbers; {} where the system does not tell."""
    folders = [folder for folder in root.glob("node[0-9]*") if folder.name[4:].isdigit()]
    found = {int(folder.name[4:]): processors(read_text(folder / "cpulist")) for folder in folders}
    return {node: cpus for node, cpus in sorted(found.items()) if cpus}


def processors(text: str) -> frozenset[int]:
    """The numbers in a list of the kernel's, such as 0-3,8."""
    return frozenset(numbers(text))


def usable(of: Mapping[int, frozenset[int]]) -> dict[int, frozenset[int]]:
    """The nodes of which this process may use processors, and those."""
    allowed = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else frozenset[int]()
    return {node: cpus & allowed for node, cpus in of.items() if cpus & allowed}


def node_of(params: Params, environment: Mapping[str, str], of: Mapping[int, frozenset[int]]) -> int | None:
    """The node that this process is to be bound to, of the usable ones; None for none."""
    if params.numa_node is not None:
        return params.numa_node
    if not params.use_numa_affinity:
        return None
    by_slurm = params.cluster_resolver == "slurm"
    told_by = _OF_HOROVOD if params.variable_update == "horovod" else _OF_SLURM if by_slurm else ()
    places = [environment[name] for name in told_by if environment.get(name, "").isdigit()]
    return list(of)[int(places[0] if places else params.task_index) % len(of)]


def bind(node: int) -> Bound:
    """Bind the calling thread, and those that it starts from now on, to the usable processors of `node`."""
    all_nodes = nodes()
    cpus = usable(all_nodes)[node]
    os.sched_setaffinity(0, cpus)
    return Bound(node, len(all_nodes), len(cpus), _prefer_memory_of(node))


def state() -> dict[str, Any]:
    """Where this thread computes and has its memory, as the system tells: whoever bound it, this program or numactl.

    `processors`: the numbers of those that it may use, by node. `memory`: the policy, with its nodes if it has some.
    """
    return {
        "processors": {str(node): sorted(cpus) for node, cpus in usable(nodes()).items()},
        "memory": _memory_policy(),
    }


def _prefer_memory_of(node: int) -> str:
    """Have memory that is asked for from now on come from `node`; returns why it does not, "" where it does."""
    mask = _mask()
    mask[node // _WORD] = 1 << node % _WORD
    return _call(_SET_MEMPOLICY, ctypes.c_long(_PREFERRED), mask, ctypes.c_ulong(_MASK_BITS))


def _memory_policy() -> str:
    mode, mask = ctypes.c_int(), _mask()
    failed = _call(_GET_MEMPOLICY, ctypes.byref(mode), mask, ctypes.c_ulong(_MASK_BITS), None, ctypes.c_ulong(0))
    if failed:
        return f"not known: {failed}"
    chosen = [str(bit) for bit in range(_MASK_BITS) if mask[bit // _WORD] >> bit % _WORD & 1]
    name = _POLICIES.get(mode.value & 0xFF, str(mode.value))  # above it there are flags
    return f"{name} {','.join(chosen)}".strip()


def _mask() -> ctypes.Array[ctypes.c_ulong]:
    return (ctypes.c_ulong * (_MASK_BITS // _WORD))()


def _call(numbers: Mapping[str, int], *arguments: Any) -> str:
    """Make the system call that has its number here in `numbers`; returns why it failed, "" where it did not."""
    call = numbers.get(platform.machine())
    if sys.platform != "linux" or call is None:
        return f"there is no such call known on {sys.platform} {platform.machine()}"
    failed = ctypes.CDLL(None, use_errno=True).syscall(ctypes.c_long(call), *arguments)
    return os.strerror(ctypes.get_errno()) if failed else ""
