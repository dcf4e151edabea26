"""What a look at where operations were placed needs."""

from __future__ import annotations

from benchmarks.params.cluster_rules import ROLES, in_cluster
from benchmarks.params.params import Params
from benchmarks.params.resolve import warmup_batches
from benchmarks.params.rules import rule

_LOOKS = ("log_device_placement", "device_policy")


@rule(*_LOOKS, "num_warmup_batches", "autotune_threshold", "eval", "cross_replica_sync", "variable_update", *ROLES)
def placement_to_look_at(params: Params) -> list[str]:
    """There is a first step of a warm-up, which places the operations of all."""
    reasons = []
    if params.eval:
        reasons.append("--eval: no step is measured there whose operations could be told. Leave one of them out.")
    elif not warmup_batches(params):
        reasons.append(
            "--num_warmup_batches=0: the first step, which places the operations, is measured. Give "
            "--num_warmup_batches=1 or more."
        )
    if not params.cross_replica_sync and in_cluster(params):
        reasons.append(
            "--cross_replica_sync=false: each worker begins, and places its operations, at a time of its own. Leave "
            "one of them out."
        )
    return [f"{flag} with {reason}" for flag in looks(params) for reason in reasons]


def looks(params: Params) -> list[str]:
    """The flags, as given, that ask for a look at the placement."""
    logged = ["--log_device_placement"] if params.log_device_placement else []
    return [*logged, *(["--device_policy=strict"] if params.device_policy == "strict" else [])]
