"""The gradient exchange that a run asks for, in the terms of `variable_mgr`."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.errors import UserError
from benchmarks.params import ResolvedParams
from variable_mgr.exchange_plan import Plan, ReduceOptions, make_plan
from variable_mgr.link_graph import Derived
from variable_mgr.packs import Sizes

TRANSFER_FORMAT = {"fp32": "float32", "fp16": "float16", "bf16": "bfloat16"}


def reduce_options(params: ResolvedParams, derived: Derived | None = None) -> ReduceOptions:
    """How gradients are exchanged between the towers; `derived` is what --network_topology=auto is for them."""
    return ReduceOptions(
        spec=params.all_reduce_spec or ("hierarchical_copy" if params.hierarchical_copy else None),
        topology=derived.topology if derived else params.network_topology,
        ring=derived.ring if derived else (),
        repacking=params.gradient_repacking,
        bytes_per_pack=params.bytes_per_pack,
        small_bytes=params.agg_small_grads_max_bytes,
        small_group=params.agg_small_grads_max_group,
        gradients_per_pack=params.allreduce_merge_scope,
        transfer_format=TRANSFER_FORMAT[params.gradient_transfer],
    )


def plan_exchange(options: ReduceOptions, sizes: Sizes, towers: Sequence[str]) -> Plan:
    """The plan for gradients of `sizes` (name -> elements), for `variable_mgr.reduction.reduce_of`.

    Raises UserError where the towers cannot exchange so.
    """
    try:
        return make_plan(options, sizes, towers)
    except ValueError as error:  # CannotReduceError, and SpecError where no rule has seen the spec
        raise UserError(str(error)) from error
