"""Options of where variables live and how the towers' gradients become one update."""

from dataclasses import dataclass
from typing import ClassVar

from benchmarks.params.conditions import WITH_PARAMETER_SERVER
from benchmarks.params.option import option

# The names are those of tf_cnn_benchmarks; a rule says which of them cannot be chosen yet.
BUILT = ("parameter_server", "replicated", "independent", "distributed_all_reduce", "collective_all_reduce")
NOT_BUILT = ("distributed_replicated", "horovod")

_PLAIN_REDUCE = "gradients are reduced one by one in the one way that is built"
_NO_STALE_VARIABLES = "every step reads the variables as the last step left them"


@dataclass(frozen=True, kw_only=True)
class VariableOptions:
    """How the towers are kept in step."""

    TITLE: ClassVar[str] = "Variable updates and gradient exchange"

    variable_update: str = option(
        "parameter_server",
        "How towers share variables: one copy for all (parameter_server), a copy each and a mean "
        "of the gradients (replicated), a copy each and no exchange (independent); over several processes also "
        "replicated from a controller (distributed_all_reduce) or by collective operations (collective_all_reduce). "
        "The others are not built yet.",
        choices=BUILT + NOT_BUILT,
        tcb="some modes added gradients up; here every mode takes their mean",
    )
    local_parameter_device: str | None = option(
        None,
        "Where parameter_server keeps the variables; where it is not given: balanced over the GPUs of the "
        "towers, or on the CPU if they run there.",
        choices=("cpu", "gpu"),
        tcb="its default is gpu",
        acts=WITH_PARAMETER_SERVER,
    )
    staged_vars: bool = option(False, "Read the variables one step late.", not_yet=_NO_STALE_VARIABLES)
    variable_consistency: str = option(
        "strong",
        "Whether a step waits for the last update (strong) or may miss it (relaxed).",
        choices=("strong", "relaxed"),
        not_yet=_NO_STALE_VARIABLES,
    )
    all_reduce_spec: str | None = option(
        None, "Algorithm of the all-reduce, as in nccl or pscpu:32k:xring.", not_yet=_PLAIN_REDUCE
    )
    hierarchical_copy: bool = option(False, "Reduce within groups of GPUs first.", not_yet=_PLAIN_REDUCE)
    network_topology: str = option(
        "dgx1", "Wiring of the GPUs for --hierarchical_copy.", choices=("dgx1", "gcp_v100"), not_yet=_PLAIN_REDUCE
    )
    gradient_repacking: int = option(
        0, "Packs to reduce all gradients in; 0 reduces each by itself.", lower_bound=0, not_yet=_PLAIN_REDUCE
    )
    compact_gradient_transfer: bool = option(
        True,
        "Send gradients between devices in float16 where the towers compute in it.",
        not_yet="gradients travel in float32",
    )
    agg_small_grads_max_bytes: int = option(
        0, "Gradients below this size are reduced together; 0: none.", lower_bound=0, not_yet=_PLAIN_REDUCE
    )
    agg_small_grads_max_group: int = option(
        10, "Most gradients to reduce together.", lower_bound=0, not_yet=_PLAIN_REDUCE
    )
    allreduce_merge_scope: int = option(
        1, "Gradients whose reductions may be merged.", lower_bound=1, not_yet=_PLAIN_REDUCE
    )
    iters_per_step: int = option(
        5,
        "All-reduces per step of the all-reduce benchmark.",
        lower_bound=1,
        not_yet="the all-reduce benchmark is not built yet",
    )
    sparse_to_dense_grads: bool = option(
        False, "Turn sparse gradients into dense ones.", ignored="no model here has sparse gradients"
    )
