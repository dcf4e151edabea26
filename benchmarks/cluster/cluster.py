"""A cluster as a value: which processes there are, where each listens, and which of them this one is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

# variable_update -> the jobs that its cluster must have; it may have no others.
JOBS = {
    "parameter_server": ("ps", "worker"),
    "distributed_replicated": ("ps", "worker"),
    "sharded": ("worker",),
    "distributed_all_reduce": ("controller", "worker"),
    "collective_all_reduce": ("worker",),
    "mirrored": ("worker",),
}
HOST_FLAGS = {
    "controller": "controller_host",
    "ps": "ps_hosts",
    "worker": "worker_hosts",
}  # the flags that name the processes of each job
# Every worker runs the step itself, in place of one process for all.
MULTI_CLIENT = ("collective_all_reduce", "mirrored")


@dataclass(frozen=True, order=True)
class Task:
    """One process: its job, and its number within it."""

    job: str
    index: int

    def __str__(self) -> str:
        return f"/job:{self.job}/task:{self.index}"


@dataclass(frozen=True)
class Cluster:
    """All processes of a run and this one, `task`.

    `hosts` are the addresses, host:port, by job, in the order of their numbers; jobs without processes are left out.
    `source` says where all this is from.
    """

    hosts: Mapping[str, tuple[str, ...]]
    task: Task
    source: str
    multi_client: bool = False

    @property
    def tasks(self) -> list[Task]:
        """Every process, job by job."""
        return [Task(job, index) for job, addresses in self.hosts.items() for index in range(len(addresses))]

    @property
    def workers(self) -> list[Task]:
        """The processes that compute towers."""
        return [task for task in self.tasks if task.job == "worker"]

    @property
    def driver(self) -> Task:
        """The process that knows the run's figures and leaves its record: the controller, or else worker 0."""
        return Task("controller" if "controller" in self.hosts else "worker", 0)

    @property
    def drives(self) -> bool:
        """Whether this process is the driver."""
        return self.task == self.driver

    @property
    def others(self) -> list[Task]:
        """Every process but the driver."""
        return [task for task in self.tasks if task != self.driver]

    def address(self, task: Task) -> str:
        """host:port of `task`."""
        return self.hosts[task.job][task.index]

    def name(self, task: Task) -> str:
        """`task` for people, as in /job:worker/task:1 at host:port."""
        return f"{task} at {self.address(task)}"

    def counts(self) -> dict[str, int]:
        """The number of processes by job."""
        return {job: len(addresses) for job, addresses in self.hosts.items()}

    def __str__(self) -> str:
        return ", ".join(f"{count} {job}" for job, count in self.counts().items())


@dataclass(frozen=True)
class Roles:
    """What was given of a cluster, by `source`: not checked yet, and open where it was left out."""

    hosts: Mapping[str, tuple[str, ...]]
    job: str
    index: int
    source: str

    @property
    def counts(self) -> dict[str, int]:
        """The number of processes by job."""
        return {job: len(hosts) for job, hosts in self.hosts.items()}

    def place_of(self, job: str) -> str:
        """Where the hosts of `job` were given."""
        return f"--{HOST_FLAGS[job]}" if self.source == "flags" else f"job {job!r} of {self.source}"
