"""What the options of a cluster must be to one another, to TF_CONFIG and to this machine."""

from __future__ import annotations

import os

from benchmarks.cluster import roles
from benchmarks.cluster.cluster import MULTI_CLIENT
from benchmarks.cluster.tf_config import TFConfigError
from benchmarks.params.params import Params
from benchmarks.params.rules import rule

_HOSTS = ("job_name", "task_index", "ps_hosts", "worker_hosts", "controller_host")
_RESOLVERS = ("cluster_resolver", "cluster_jobs", "kubernetes_labels")
ROLES = (*_HOSTS, *_RESOLVERS)


@rule(*_HOSTS, *_RESOLVERS, "variable_update")
def cluster_that_can_run(params: Params) -> list[str]:
    """The processes are named, reachable by name, and what the strategy needs; those of Horovod are its own."""
    if params.variable_update == "horovod":
        return []
    return roles.problems(params, os.environ)


@rule("cross_replica_sync", *_HOSTS, *_RESOLVERS, "variable_update", "measure_exchange", "staged_vars")
def step_by_all(params: Params) -> str | None:
    """Workers that do not wait for each other have no step together that could be compared or delayed."""
    if params.cross_replica_sync or not in_cluster(params):
        return None
    for name in ("measure_exchange", "staged_vars"):
        if getattr(params, name):
            return (
                f"--{name} with --cross_replica_sync=false: the workers make no step together. Leave one of them out."
            )
    return None


def several_processes(params: Params) -> bool:
    """Whether the run is one of several processes, Horovod's or a cluster's."""
    return params.variable_update == "horovod" or in_cluster(params)


def in_cluster(params: Params) -> bool:
    """Whether the run is one of several processes that flags, TF_CONFIG or a resolver name."""
    if params.variable_update == "horovod":
        return False
    if params.cluster_resolver in roles.RESOLVERS:
        return True
    try:
        return roles.find(params, os.environ) is not None
    except TFConfigError:
        return False  # which is another rule's to say


@rule(*_HOSTS, *_RESOLVERS, "variable_update", "device", "num_gpus")
def replica_per_process(params: Params) -> str | None:
    """TensorFlow's strategy over several processes knows no logical CPU devices."""
    on_cpus = params.device == "cpu" and params.num_gpus > 1
    if params.variable_update != "mirrored" or not on_cpus or not in_cluster(params):
        return None
    return (
        f"--num_gpus={params.num_gpus} with --variable_update=mirrored over several processes and --device=cpu: "
        "TensorFlow's MultiWorkerMirroredStrategy has one tower on the CPU of a process. Take --num_gpus=1 and more "
        "workers, or --variable_update=collective_all_reduce."
    )


@rule(*_HOSTS, *_RESOLVERS, "target_precision", "variable_update")
def length_for_all(params: Params) -> str | None:
    """Processes that all run the step must all end after the same one."""
    strategy = params.variable_update
    by_all = strategy == "horovod" or (strategy in MULTI_CLIENT and in_cluster(params))
    if params.target_precision is None or not by_all:
        return None
    return (
        f"--target_precision={params.target_precision} with --variable_update={strategy} over several processes: each "
        "would end when its own steps are precise enough. Give --num_batches alone."
    )


@rule(*_HOSTS, *_RESOLVERS, "repeats", "variable_update")
def repeated_from_outside(params: Params) -> str | None:
    """A process cannot start the others anew."""
    if params.repeats == 1:
        return None
    if params.variable_update == "horovod":
        return (
            f"--repeats={params.repeats} with --variable_update=horovod: repeat the horovodrun command that starts all "
            "processes."
        )
    if not in_cluster(params):
        return None
    return (
        f"--repeats={params.repeats} in a cluster: only a run of one process can be repeated. Repeat the command that "
        "starts all processes."
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
