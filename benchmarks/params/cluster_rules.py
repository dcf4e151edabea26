"""What the options of a cluster must be to one another, to TF_CONFIG and to this machine."""

from __future__ import annotations

import os

from benchmarks.cluster import roles
from benchmarks.params.params import Params
from benchmarks.params.rules import rule

_HOSTS = ("job_name", "task_index", "ps_hosts", "worker_hosts", "controller_host")
_RESOLVERS = ("cluster_resolver", "cluster_jobs", "kubernetes_labels")


@rule(*_HOSTS, *_RESOLVERS, "variable_update")
def cluster_that_can_run(params: Params) -> list[str]:
    """The processes are named, reachable by name, and what the strategy needs."""
    return roles.problems(params, os.environ)


@rule("cross_replica_sync", "job_name", "measure_exchange", "staged_vars")
def step_by_all(params: Params) -> str | None:
    """Workers that do not wait for each other have no step together that could be compared or delayed."""
    for name in ("measure_exchange", "staged_vars"):
        if not params.cross_replica_sync and getattr(params, name):
            return (
                f"--{name} with --cross_replica_sync=false: the workers make no step together. Leave one of them out."
            )
    return None


@rule("target_precision", "variable_update")
def length_for_all(params: Params) -> str | None:
    """Processes that all run the step must all end after the same one."""
    if params.target_precision is None or params.variable_update != "collective_all_reduce":
        return None
    return (
        f"--target_precision={params.target_precision} with --variable_update=collective_all_reduce: each process "
        "would end when its own steps are precise enough. Give --num_batches alone."
    )


@rule("cross_replica_sync", "variable_update")
def asynchronous_parameter_servers(params: Params) -> str | None:
    """Only parameter servers can be updated by each worker on its own."""
    if params.cross_replica_sync or params.variable_update == "parameter_server":
        return None
    return (
        f"--cross_replica_sync=false with --variable_update={params.variable_update}: only parameter_server can go "
        "without. Leave it out."
    )
