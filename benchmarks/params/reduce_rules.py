"""Rules of the gradient exchange: what its options must be to one another, and what flags alone say of the hardware.

What only the devices tell is refused when they are known, by `variable_mgr.exchange_plan`.
"""

from __future__ import annotations

import os

from benchmarks.cluster import roles
from benchmarks.params.conditions import exchanges_gradients
from benchmarks.params.params import Params
from benchmarks.params.resolve import gradient_transfer
from benchmarks.params.rules import rule
from variable_mgr.all_reduce_spec import NEED_GPUS, SpecError, parse
from variable_mgr.topology import AUTO, topology

PACKINGS = ("gradient_repacking", "bytes_per_pack", "agg_small_grads_max_bytes", "allreduce_merge_scope")
_EXCHANGE = ("variable_update", "num_gpus")
_WORKERS = ("worker_hosts", "cluster_resolver", "cluster_jobs")


@rule("all_reduce_spec")
def spec_parses(params: Params) -> str | None:
    """The spec is one."""
    try:
        parse(params.all_reduce_spec or "xring")
    except SpecError as error:
        return f"--all_reduce_spec={params.all_reduce_spec}: {error}"
    return None


@rule("all_reduce_spec", "hierarchical_copy")
def one_algorithm(params: Params) -> str | None:
    """The two ways to ask for an algorithm agree."""
    if params.hierarchical_copy and params.all_reduce_spec not in (None, "", "hierarchical_copy"):
        return (
            f"--hierarchical_copy and --all_reduce_spec={params.all_reduce_spec} both choose the algorithm: give one "
            "of them. hierarchical_copy may also be an algorithm of the spec."
        )
    return None


@rule("all_reduce_spec", "hierarchical_copy", "variable_update")
def collective_has_one_algorithm(params: Params) -> str | None:
    """What TensorFlow's collective operations do is theirs to choose; how an exchange is cut is not."""
    if params.variable_update != "collective_all_reduce" or set(_algorithms(params)) <= {"collective"}:
        return None
    asked = f"--all_reduce_spec={params.all_reduce_spec}" if params.all_reduce_spec else "--hierarchical_copy"
    return (
        f"{asked} with --variable_update=collective_all_reduce: its algorithm is collective, which may be cut and have "
        "ranges, as in collective:64k:collective#2. Leave the flag out, or take "
        "--variable_update=distributed_all_reduce."
    )


@rule("all_reduce_spec", "device", *_EXCHANGE)
def algorithm_on_cpu(params: Params) -> str | None:
    """Some algorithms need GPUs."""
    lacking = [name for name in _algorithms(params) if name in NEED_GPUS]
    if params.device != "cpu" or not lacking:
        return None
    return (
        f"--all_reduce_spec={params.all_reduce_spec} with --device=cpu: {' and '.join(lacking)} needs GPUs. On CPU "
        "devices there are xring, rechd, tree, pscpu, hierarchical_copy and collective."
    )


@rule("all_reduce_spec", "device", *_EXCHANGE, *_WORKERS)
def algorithm_between_machines(params: Params) -> str | None:
    """Some algorithms stay within a machine."""
    if params.device == "cpu" or "nccl" not in _algorithms(params):  # on the CPU it is refused as it is
        return None
    alone = [each for each in parse(params.all_reduce_spec or "").ranges if str(each).partition("#")[0] == "nccl"]
    count = _machines(params)
    if not alone or count < 2:
        return None
    return (
        f"--all_reduce_spec={params.all_reduce_spec}: nccl joins the GPUs of one worker, and there are {count} workers."
        " Between them there are nccl/xring, nccl/rechd, nccl/pscpu and collective."
    )


@rule("all_reduce_spec", "hierarchical_copy", "network_topology", *_EXCHANGE, *_WORKERS)
def wiring_fits(params: Params) -> str | None:
    """The wiring is one of so many GPUs."""
    machines = _machines(params)
    if not machines or "hierarchical_copy" not in _algorithms(params) or params.network_topology == AUTO:
        return None
    try:
        topology(params.network_topology, params.num_gpus * machines)
    except ValueError as error:
        return str(error)
    return None


@rule(*PACKINGS)
def one_packing(params: Params) -> str | None:
    """Only one option says what is exchanged together."""
    off = {"allreduce_merge_scope": 1}
    asked = [name for name in PACKINGS if (getattr(params, name) or 0) > off.get(name, 0)]
    if len(asked) < 2:
        return None
    given = " and ".join(f"--{name}={getattr(params, name)}" for name in asked)
    return f"{given} each say what is exchanged together: give one of them."


@rule("all_reduce_spec", "gradient_transfer", "precision", "use_fp16", "compact_gradient_transfer", *_EXCHANGE)
def nccl_adds_up(params: Params) -> str | None:
    """TensorFlow's NCCL knows no bfloat16."""
    if "nccl" not in _algorithms(params) or gradient_transfer(params) != "bf16":
        return None
    return (
        f"--all_reduce_spec={params.all_reduce_spec}: TensorFlow's NCCL does not add up bfloat16, in which gradients "
        "would travel here. Add --gradient_transfer=fp32 or fp16, or take --all_reduce_spec=xring."
    )


def _machines(params: Params) -> int:
    """How many processes have towers between which an algorithm of ours exchanges; 0 where that is not known."""
    if params.variable_update == "distributed_all_reduce":
        return roles.workers(params, os.environ)
    return int(params.variable_update == "replicated")


def _algorithms(params: Params) -> list[str]:
    """The algorithms of a run that has an all-reduce; none where the spec does not parse, which is another rule's."""
    if not exchanges_gradients(params):
        return []
    if not params.all_reduce_spec:
        return ["hierarchical_copy"] if params.hierarchical_copy else []
    try:
        return parse(params.all_reduce_spec).algorithms
    except SpecError:
        return []
