"""Options of where variables live and how the towers' gradients become one update."""

from dataclasses import dataclass
from typing import ClassVar

from benchmarks.params.conditions import (
    WITH_EXCHANGE,
    WITH_NARROW_EXCHANGE,
    WITH_PARAMETER_DEVICES,
    WITH_PARAMETER_SERVER,
    WITH_REPLICATED,
    WITH_SMALL_GRADIENTS,
    WITH_WIRING,
)
from benchmarks.params.option import option
from variable_mgr.all_reduce_spec import ALGORITHMS, TWO_LEVELS

_TWO_LEVELS = [f"{first}/{second}" for first, seconds in TWO_LEVELS.items() for second in seconds]


@dataclass(frozen=True, kw_only=True)
class VariableOptions:
    """How the towers are kept in step."""

    TITLE: ClassVar[str] = "Variable updates and gradient exchange"

    variable_update: str = option(
        "parameter_server",
        "How towers share variables: one copy for all (parameter_server); a copy each, and an all-reduce of the "
        "gradients (replicated; over several machines distributed_all_reduce, driven by a controller, and "
        "collective_all_reduce, by TensorFlow's collective operations); a copy each, refreshed from a master copy on "
        "the parameter devices (distributed_replicated) or on the towers, each of which updates its share (sharded); a "
        "copy each and no exchange (independent); TensorFlow's own MirroredStrategy, over several processes "
        "MultiWorkerMirroredStrategy, to compare with (mirrored); Horovod's all-reduce between processes of one tower "
        "each that horovodrun starts, where the package horovod is installed (horovod). auto: by rules, from the "
        "GPUs' wiring and the model's bytes of variables for each FLOP; with it --local_parameter_device and "
        "--all_reduce_spec too, where they are not given.",
        choices=(
            "auto",
            "parameter_server",
            "replicated",
            "distributed_replicated",
            "sharded",
            "independent",
            "mirrored",
            "distributed_all_reduce",
            "collective_all_reduce",
            "horovod",
        ),
        tcb="some modes added gradients up; here every mode takes their mean",
    )
    local_parameter_device: str | None = option(
        None,
        "Where parameter_server keeps the variables, and distributed_replicated the master copy; where it is not "
        "given: balanced over the GPUs of the towers, or on the CPU if they run there. auto: by rules, from the GPUs' "
        "wiring.",
        choices=("auto", "cpu", "gpu"),
        tcb="its default is gpu",
        acts=WITH_PARAMETER_DEVICES,
    )
    advised: bool = option(
        False,
        "This run is a trial of python -m benchmarks.advise --measure, which gives it to those that it starts.",
        run_only=True,
        internal=True,
    )
    staged_vars: bool = option(
        False,
        "Let no tower wait for the parameters: each reads them a step late, and its gradients are applied a step late.",
        acts=WITH_PARAMETER_SERVER,
    )
    variable_consistency: str = option(
        "strong",
        "Whether a step exchanges and applies its own gradients (strong), or, so that the exchange need not wait for "
        "them, those of the step before (relaxed).",
        choices=("strong", "relaxed"),
        acts=WITH_REPLICATED,
    )
    verify_variable_update: bool = option(
        True,
        "Before the run, update a small network once under the same strategy on the same devices, and hold the result "
        "against one device alone: a difference beyond rounding makes the run invalid.",
        run_only=True,
    )
    measure_exchange: bool = option(
        False,
        "After the run, time its step in turn with one under independent, which exchanges nothing, and record the "
        "difference: the part of the exchange that no computation hides. Takes the memory of both.",
        run_only=True,
    )
    all_reduce_spec: str | None = option(
        None,
        f"How the towers add their gradients up: {', '.join(ALGORITHMS)}; nccl and collective are libraries, xring is "
        "a ring, rechd recursive halving and doubling, tree a binomial tree, pscpu and psgpu send all to the CPU or to "
        "a GPU and back, hierarchical_copy does so in two groups first. Two algorithms do it in two levels, within "
        f"machines (or halves of the only one) and between them: {', '.join(_TWO_LEVELS)}. psgpu#4 cuts each exchange "
        "into 4 (collective into 2 at most). Ranges by size: in pscpu:2k:psgpu#4:64k:xring, pscpu is for up to 2048 "
        "elements, psgpu#4 for up to 65536, xring for the rest. Limits are in elements (2000, 2k, 1M, 1G, 1T; powers "
        "of 1024), or with a B in bytes as they travel (2000B, 64kB, 1MB): 64k are 65536 numbers, 64kB are 16384 "
        "in float32. Where it is not given: each mean is taken on one tower's device, balanced by bytes, and copied to "
        "the others. auto: by rules.",
        tcb="more than one range needed distributed_all_reduce; tree, hierarchical_copy and limits in bytes are new",
        acts=WITH_EXCHANGE,
    )
    hierarchical_copy: bool = option(
        False,
        "The same as --all_reduce_spec=hierarchical_copy: add up in two groups of towers first.",
        acts=WITH_EXCHANGE,
    )
    network_topology: str = option(
        "dgx1",
        "Wiring of the towers for hierarchical_copy: two halves and each tower's opposite number (dgx1; any number "
        "of towers), the links of a Google Cloud machine with 8 V100 (gcp_v100), or groups and pairs derived from how "
        "the GPUs are linked, as the NVIDIA driver tells (auto), and then also the order of the towers in xring.",
        choices=("dgx1", "gcp_v100", "auto"),
        tcb="it had no auto",
        acts=WITH_WIRING,
    )
    gradient_repacking: int = option(
        0,
        "Exchange all gradients as this many packs of equal size; 0: each by itself.",
        lower_bound=0,
        acts=WITH_EXCHANGE,
    )
    bytes_per_pack: int | None = option(
        None,
        "Exchange consecutive gradients together until they have this many bytes (in float32); 0: each by itself. "
        "Where neither this nor another packing is given: 0, but 25 MiB under collective_all_reduce.",
        lower_bound=0,
        tcb="it had no such flag",
        acts=WITH_EXCHANGE,
    )
    agg_small_grads_max_bytes: int = option(
        0,
        "Exchange consecutive gradients of at most this size (in float32) together; 0: each by itself.",
        lower_bound=0,
        acts=WITH_EXCHANGE,
    )
    agg_small_grads_max_group: int = option(
        10, "Most small gradients to exchange together.", lower_bound=1, acts=WITH_SMALL_GRADIENTS
    )
    allreduce_merge_scope: int = option(
        1,
        "Consecutive gradients to exchange together; 1: each by itself.",
        lower_bound=1,
        tcb="it allowed TensorFlow's scoped allocator to merge their collectives",
        acts=WITH_EXCHANGE,
    )
    compact_gradient_transfer: bool = option(
        True,
        "Send gradients between towers in the float16 or bfloat16 that the towers compute in; their mean is float32.",
        tcb="it knew float16 only",
        acts=WITH_NARROW_EXCHANGE,
    )
    gradient_transfer: str | None = option(
        None,
        "Numbers in which gradients travel between towers; where it is not given: as --compact_gradient_transfer says.",
        choices=("fp32", "fp16", "bf16"),
        tcb="it had no such flag",
        acts=WITH_EXCHANGE,
    )
    iters_per_step: int = option(
        5,
        "All-reduces per step of the all-reduce benchmark.",
        lower_bound=1,
        ignored="python -m benchmarks.all_reduce is that benchmark, and has this flag",
    )
    sparse_to_dense_grads: bool = option(
        False, "Turn sparse gradients into dense ones.", ignored="no model here has sparse gradients"
    )
