"""Options of runs over several processes and machines."""

from dataclasses import dataclass
from typing import ClassVar

from benchmarks.params.conditions import (
    IN_CLUSTER,
    SEVERAL_WORKERS,
    WITH_HOROVOD,
    WITH_KUBERNETES,
    WITH_SLURM_OR_KUBERNETES,
)
from benchmarks.params.option import option


@dataclass(frozen=True, kw_only=True)
class ClusterOptions:
    """The part of this process in a cluster. Where the processes run is no part of what is measured; how many, is."""

    TITLE: ClassVar[str] = "Several processes and machines"

    job_name: str = option(
        "",
        "Role of this process: it keeps variables (ps), computes towers (worker), or drives those that do "
        "(controller). Every process of a run gets the same other flags.",
        choices=("", "ps", "worker", "controller"),
        run_only=True,
    )
    ps_hosts: str = option(
        "",
        "Parameter servers, host:port with commas; an IPv6 host in brackets, as in [::1]:2222.",
        run_only=True,
        hosts=True,
    )
    worker_hosts: str = option(
        "", "Workers, host:port with commas; the first leaves the record.", run_only=True, hosts=True
    )
    controller_host: str | None = option(
        None, "Controller of distributed_all_reduce, host:port; it leaves the record.", run_only=True, hosts=True
    )
    task_index: int = option(
        0, "Number of this process within its role.", lower_bound=0, acts=IN_CLUSTER, run_only=True
    )
    cluster_resolver: str = option(
        "auto",
        "What says which processes there are: the flags above, TF_CONFIG, Slurm or Kubernetes; auto: TF_CONFIG where "
        "the environment has one that names several, else the flags.",
        choices=("auto", "flags", "tf_config", "slurm", "kubernetes"),
        run_only=True,
    )
    cluster_jobs: str = option(
        "", "How many processes of each role there are, as in ps:1,worker:2.", acts=WITH_SLURM_OR_KUBERNETES
    )
    cluster_port: int = option(
        8470,
        "First port that the processes of a machine listen on.",
        lower_bound=1,
        upper_bound=65535,
        acts=WITH_SLURM_OR_KUBERNETES,
        run_only=True,
    )
    kubernetes_labels: str = option(
        "", "Label of the pods of each role, as in ps:app=ps,worker:app=worker.", acts=WITH_KUBERNETES, run_only=True
    )
    cluster_timeout_secs: float = option(
        60.0,
        "Every process ends within this time after one of them fails or falls silent; also how long each waits for the "
        "others at the start.",
        lower_bound=5.0,
        run_only=True,
    )
    setup_timeout_secs: float = option(
        1800.0,
        "A process of a cluster that is alive counts as stuck after this time at one stage before its first step has "
        "ended (set-up, building, compilation, the first step); later after --cluster_timeout_secs, or 20 median steps "
        "where that is longer.",
        lower_bound=5.0,
        tcb="it had no such flag",
        acts=IN_CLUSTER,
        run_only=True,
    )
    server_protocol: str = option(
        "grpc", "Protocol between processes.", choices=("grpc",), tcb="it had more, which TensorFlow 2 has not"
    )
    cross_replica_sync: bool = option(
        True,
        "Let all workers make a step together; without it each updates the parameter servers as soon as it can.",
        acts=SEVERAL_WORKERS,
    )
    horovod_device: str = option(
        "",
        "Where Horovod adds gradients up; empty: where it was built to.",
        choices=("", "cpu", "gpu"),
        acts=WITH_HOROVOD,
    )
