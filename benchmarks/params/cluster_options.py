"""Options of runs over several processes and machines."""

from dataclasses import dataclass
from typing import ClassVar

from benchmarks.params.option import option

_ONE_PROCESS = "a run is one process on one machine"


@dataclass(frozen=True, kw_only=True)
class ClusterOptions:
    """The part of this process in a cluster."""

    TITLE: ClassVar[str] = "Several processes"

    job_name: str = option(
        "",
        "Role of this process.",
        choices=("", "ps", "worker", "controller"),
        not_built="this process would run alone, and its figures would pass for those of a cluster. Leave the flag out "
        "to run on this machine only.",
    )
    ps_hosts: str = option("", "Parameter servers, host:port with commas.", not_yet=_ONE_PROCESS)
    worker_hosts: str = option("", "Workers, host:port with commas.", not_yet=_ONE_PROCESS)
    controller_host: str | None = option(None, "Controller, host:port.", not_yet=_ONE_PROCESS)
    task_index: int = option(0, "Number of this process within its role.", lower_bound=0, not_yet=_ONE_PROCESS)
    server_protocol: str = option("grpc", "Protocol between processes.", not_yet=_ONE_PROCESS)
    cross_replica_sync: bool = option(True, "Let all workers make a step together.", not_yet=_ONE_PROCESS)
    horovod_device: str = option(
        "", "Device of Horovod's all-reduce.", choices=("", "cpu", "gpu"), not_yet=_ONE_PROCESS
    )
