"""From flags and TF_CONFIG to the `Cluster` of this process, or to everything that is wrong with it. No TensorFlow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from benchmarks.cluster.cluster import HOST_FLAGS, JOBS, MULTI_CLIENT, Cluster, Roles, Task
from benchmarks.cluster.host_problems import duplicates, malformed, unusable
from benchmarks.cluster.tf_config import TFConfigError, from_tf_config

if TYPE_CHECKING:
    from benchmarks.params.params import Params

RESOLVERS = ("slurm", "kubernetes")  # these need TensorFlow: benchmarks/cluster/resolvers.py
COUNTED = ("--cluster_jobs", "Slurm", "Kubernetes")  # sources that are told how many processes there are, not where
WAY_OUT = "--cluster_resolver=flags heeds flags only"


def find(params: Params, environment: Mapping[str, str]) -> Cluster | None:
    """The cluster that valid `params` and TF_CONFIG in `environment` ask for; None for a process on its own."""
    roles = _roles(params, environment)
    if roles is None or not roles.job:
        return None
    return make(roles, params.variable_update)


def make(roles: Roles, variable_update: str) -> Cluster:
    """The cluster of valid `roles`."""
    return Cluster(
        {job: roles.hosts[job] for job in HOST_FLAGS if roles.hosts.get(job)},
        Task(roles.job, roles.index),
        roles.source,
        variable_update in MULTI_CLIENT,
    )


def workers(params: Params, environment: Mapping[str, str]) -> int:
    """How many workers `params` and TF_CONFIG in `environment` ask for; 0 where that is not told well."""
    return counts(params, environment).get("worker", 0)


def counts(params: Params, environment: Mapping[str, str]) -> dict[str, int]:
    """How many processes of each job `params` and TF_CONFIG ask for; {} where that is not told well, or for none."""
    if params.cluster_resolver in RESOLVERS:
        return counted(params)
    try:
        roles = _roles(params, environment)
    except TFConfigError:
        return {}
    return {job: count for job, count in roles.counts.items() if count} if roles else {}


def problems(params: Params, environment: Mapping[str, str]) -> list[str]:
    """Everything that is wrong with the cluster that `params` and TF_CONFIG ask for.

    Nothing is started, but names are resolved and this process's own port is tried.
    """
    if params.cluster_resolver in RESOLVERS:
        return _problems_with_counts(params)
    try:
        roles = _roles(params, environment)
        contradictions = _contradictions(params, environment)
    except TFConfigError as error:
        return [f"TF_CONFIG in the environment {error}. Mend or unset it; {WAY_OUT}."]
    if roles is None:
        return _problems_alone(params.variable_update)
    return contradictions + problems_of(roles, params.variable_update)


def problems_of(roles: Roles, variable_update: str) -> list[str]:
    """Everything that is wrong with `roles` for a strategy."""
    found = [
        *malformed(roles),
        *duplicates(roles),
        *_own_role(roles),
        *_unfit(roles.counts, variable_update, roles.source),
    ]
    return found or unusable(roles)


def _roles(params: Params, environment: Mapping[str, str]) -> Roles | None:
    """What is to be checked: TF_CONFIG where it is to be heeded and names more than this process, else the flags."""
    if params.cluster_resolver in ("auto", "tf_config"):
        roles = from_tf_config(environment.get("TF_CONFIG", ""), params.variable_update)
        if roles is not None:
            return roles
        if params.cluster_resolver == "tf_config":
            raise TFConfigError("is not set, or names no cluster, and --cluster_resolver=tf_config asks for one")
    hosts = {job: _split(getattr(params, flag)) for job, flag in HOST_FLAGS.items()}
    if not params.job_name and not any(hosts.values()):
        return None
    return Roles(hosts, params.job_name, params.task_index, "flags")


def _contradictions(params: Params, environment: Mapping[str, str]) -> list[str]:
    """Where flags that were given disagree with a TF_CONFIG that is heeded."""
    if params.cluster_resolver == "flags":
        return []
    roles = from_tf_config(environment.get("TF_CONFIG", ""), params.variable_update)
    if roles is None:
        return []
    pairs: list[tuple[str, Any, Any]] = [
        (flag, getattr(params, flag), ",".join(roles.hosts.get(job, ()))) for job, flag in HOST_FLAGS.items()
    ]
    pairs += [("job_name", params.job_name, roles.job), ("task_index", params.task_index, roles.index)]
    return [
        f"--{flag}={flag_value} and TF_CONFIG, which has {configured!r}, contradict each other: leave one of them out "
        f"({WAY_OUT})."
        for flag, flag_value, configured in pairs
        if flag_value and flag_value != configured
    ]


def _problems_alone(variable_update: str) -> list[str]:
    if variable_update in MULTI_CLIENT or "worker" not in JOBS.get(variable_update, ()):
        return []
    if variable_update in ("parameter_server", "distributed_replicated", "sharded"):
        return []
    needed = " and ".join(f"--{HOST_FLAGS[job]}" for job in JOBS[variable_update])
    return [
        f"--variable_update={variable_update} runs on several processes: add {needed}, --job_name and --task_index, or "
        "start them all with python -m benchmarks.launch."
    ]


def _own_role(roles: Roles) -> list[str]:
    if not roles.job:
        given = " and ".join(f"--{HOST_FLAGS[job]}" for job, addresses in roles.hosts.items() if addresses)
        return [f"{given} without --job_name: say which process this is, with --job_name and --task_index."]
    addresses = roles.hosts.get(roles.job, ())
    if not addresses:
        where = "" if roles.source != "flags" else f": add {roles.place_of(roles.job)}=host:port"
        return [f"--job_name={roles.job} without hosts of that role{where}."]
    if not 0 <= roles.index < len(addresses):
        return [
            f"--task_index={roles.index} is out of range: {roles.place_of(roles.job)} has {len(addresses)} "
            f"host{'s' * (len(addresses) > 1)}, numbered from 0."
        ]
    return []


def _unfit(counts: Mapping[str, int], variable_update: str, source: str) -> list[str]:
    """What the strategy cannot do with so many processes of each job, which `source` names."""
    if variable_update not in JOBS:
        asks = "flags ask" if source == "flags" else f"{source} asks"
        apart = f"; {WAY_OUT}" if source == "TF_CONFIG" else ""
        return [
            f"--variable_update={variable_update} keeps to one process, and {asks} for several. "
            f"Take one of {', '.join(JOBS)}, or leave the cluster out{apart}."
        ]
    needed = JOBS[variable_update]
    missing = [job for job in needed if not counts.get(job)]
    surplus = [job for job, count in counts.items() if count and job not in needed]
    found = [
        f"--variable_update={variable_update} needs a {job} process: {_how_to_add(job, source)}." for job in missing
    ]
    found += [
        f"--variable_update={variable_update} has no {job} process: {_how_to_leave_out(job, source)}."
        for job in surplus
    ]
    if counts.get("controller", 0) > 1:
        found.append(f"--variable_update={variable_update} has one controller, and {source} names more.")
    return found


def _how_to_add(job: str, source: str) -> str:
    if source in COUNTED:
        return f"add {job}:1 to --cluster_jobs"
    return f"add --{HOST_FLAGS[job]}=host:port" if source == "flags" else f"add the job {job!r} to {source}"


def _how_to_leave_out(job: str, source: str) -> str:
    if source in COUNTED:
        return f"leave {job} out of --cluster_jobs"
    return f"leave --{HOST_FLAGS[job]} out" if source == "flags" else f"leave the job {job!r} out of {source}"


def _problems_with_counts(params: Params) -> list[str]:
    """What is wrong with the flags of a resolver that finds the hosts by itself."""
    resolver = f"--cluster_resolver={params.cluster_resolver}"
    found = [
        f"{resolver} finds the hosts: leave --{flag} out." for flag in HOST_FLAGS.values() if getattr(params, flag)
    ]
    if params.cluster_resolver == "slurm":
        found += [
            f"--{flag}={given} with {resolver}: Slurm says which process this is. Leave --{flag} out."
            for flag in ("job_name", "task_index")
            if (given := getattr(params, flag))
        ]
    counts = counted(params)
    if not counts or min(counts.values()) < 1 or not set(counts) <= set(HOST_FLAGS):
        shape = f"--cluster_jobs={params.cluster_jobs} is not of the form ps:1,worker:2, which {resolver} needs."
        return [*found, shape]
    found += _unfit(counts, params.variable_update, "--cluster_jobs")
    if params.cluster_resolver == "kubernetes":
        unlabelled = set(counts) - set(pairs(params.kubernetes_labels))
        found += [f"--kubernetes_labels has no label of the {job} pods: add {job}:key=value." for job in unlabelled]
    return found


def counted(params: Params) -> dict[str, int]:
    """The number of processes by job in --cluster_jobs; empty where it is not of that form."""
    try:
        return {job: int(count) for job, count in pairs(params.cluster_jobs).items()}
    except ValueError:
        return {}


def pairs(text: str) -> dict[str, str]:
    """What stands behind each job in text such as ps:1,worker:2."""
    return {job.strip(): value.strip() for job, _, value in (each.partition(":") for each in _split(text))}


def _split(text: str | None) -> tuple[str, ...]:
    return tuple(_stripped((text or "").split(",")))


def _stripped(parts: Iterable[str]) -> Iterable[str]:
    return (part.strip() for part in parts if part.strip())
