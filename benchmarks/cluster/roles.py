"""From flags and TF_CONFIG to the `Cluster` of this process, or to everything that is wrong with it. No TensorFlow."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.cluster.cluster import JOBS, MULTI_CLIENT, Cluster, Task, host_and_port, is_host_and_port

if TYPE_CHECKING:
    from benchmarks.params.params import Params

HOST_FLAGS = {"controller": "controller_host", "ps": "ps_hosts", "worker": "worker_hosts"}
RESOLVERS = ("slurm", "kubernetes")  # these need TensorFlow: benchmarks/cluster/resolvers.py
WAY_OUT = "--cluster_resolver=flags heeds flags only"


class TFConfigError(ValueError):
    """TF_CONFIG cannot be used; says why."""


@dataclass(frozen=True)
class Roles:
    """What was given of a cluster, by flags or TF_CONFIG: not checked yet, and open where it was left out."""

    hosts: Mapping[str, tuple[str, ...]]
    job: str
    index: int
    source: str


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
    malformed = _malformed(roles)
    found = [*malformed, *_duplicates(roles), *_own_role(roles), *_unfit(roles.hosts, variable_update, roles.source)]
    return found or [*_unresolvable(roles), *_port_in_use(roles)]


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


def from_tf_config(text: str, variable_update: str) -> Roles | None:
    """The roles in TF_CONFIG's `text`; None where it names no cluster, or one of a single process.

    A `chief` is the controller where the strategy has one, else the first of the workers. Raises TFConfigError.
    """
    if not text.strip():
        return None
    try:
        config = json.loads(text)
        cluster, task = config.get("cluster") or {}, config.get("task") or {}
        hosts = {str(job): tuple(map(str, _addresses(addresses))) for job, addresses in cluster.items()}
        job, index = str(task.get("type", "")), int(task.get("index", 0))
    except (ValueError, TypeError, AttributeError):
        shape = '{"cluster": {"worker": ["host:port", ...]}, "task": {"type": "worker", "index": 0}}'
        raise TFConfigError(f"is not of the form {shape}") from None
    if sum(map(len, hosts.values())) <= 1:
        return None
    if "chief" in hosts:
        hosts, job, index = _without_chief(hosts, job, index, variable_update)
    unknown = [name for name in [*hosts, job] if name not in HOST_FLAGS]
    if unknown:
        raise TFConfigError(f"has the job {unknown[0]!r}, and here there are {', '.join(HOST_FLAGS)} (and chief)")
    return Roles(hosts, job, index, "TF_CONFIG")


def _addresses(given: Any) -> Sequence[Any]:
    """The addresses of a job: a list, or a mapping from numbers."""
    if isinstance(given, dict):
        return [given[key] for key in sorted(given, key=int)]
    if not isinstance(given, list):
        raise TypeError
    return given


def _without_chief(
    hosts: dict[str, tuple[str, ...]], job: str, index: int, variable_update: str
) -> tuple[dict[str, tuple[str, ...]], str, int]:
    chief = hosts.pop("chief")
    if "controller" in JOBS.get(variable_update, ()):
        return hosts | {"controller": chief}, "controller" if job == "chief" else job, index
    hosts["worker"] = chief + hosts.get("worker", ())
    if job == "worker":
        index += len(chief)
    return hosts, "worker" if job == "chief" else job, index


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
    if variable_update == "parameter_server":
        return []
    needed = " and ".join(f"--{HOST_FLAGS[job]}" for job in JOBS[variable_update])
    return [
        f"--variable_update={variable_update} runs on several processes: add {needed}, --job_name and --task_index, or "
        "start them all with python -m benchmarks.launch."
    ]


def _malformed(roles: Roles) -> list[str]:
    return [
        f"{_flag(roles, job)} names {address!r}, which is not host:port. Write it as in "
        f"{address.partition(':')[0] or 'host'}:2222."
        for job, addresses in roles.hosts.items()
        for address in addresses
        if not is_host_and_port(address)
    ]


def _duplicates(roles: Roles) -> list[str]:
    every = [address for addresses in roles.hosts.values() for address in addresses]
    twice = sorted({address for address in every if every.count(address) > 1})
    return [f"{address} stands twice among the hosts: each process needs a port of its own." for address in twice]


def _own_role(roles: Roles) -> list[str]:
    if not roles.job:
        given = " and ".join(f"--{HOST_FLAGS[job]}" for job, addresses in roles.hosts.items() if addresses)
        return [f"{given} without --job_name: say which process this is, with --job_name and --task_index."]
    addresses = roles.hosts.get(roles.job, ())
    if not addresses:
        where = "" if roles.source != "flags" else f": add {_flag(roles, roles.job)}=host:port"
        return [f"--job_name={roles.job} without hosts of that role{where}."]
    if not 0 <= roles.index < len(addresses):
        return [
            f"--task_index={roles.index} is out of range: {_flag(roles, roles.job)} has {len(addresses)} "
            f"host{'s' * (len(addresses) > 1)}, numbered from 0."
        ]
    return []


def _unfit(hosts: Mapping[str, Sequence[str]], variable_update: str, source: str) -> list[str]:
    """What the strategy cannot do with a cluster of these jobs."""
    if variable_update not in JOBS:
        apart = f"; {WAY_OUT}" if source == "TF_CONFIG" else ""
        return [
            f"--variable_update={variable_update} keeps to one process, and {source} ask{'s' * (source != 'flags')} "
            f"for several. Take one of {', '.join(JOBS)}, or leave the cluster out{apart}."
        ]
    needed = JOBS[variable_update]
    missing = [job for job in needed if not hosts.get(job)]
    surplus = [job for job, addresses in hosts.items() if addresses and job not in needed]
    found = [
        f"--variable_update={variable_update} needs --{HOST_FLAGS[job]}: it has a {job} process." for job in missing
    ]
    found += [
        f"--variable_update={variable_update} has no {job} process: leave --{HOST_FLAGS[job]} out." for job in surplus
    ]
    if len(hosts.get("controller", ())) > 1:
        found.append("--controller_host names more than one: there is one controller.")
    return found


def _unresolvable(roles: Roles) -> list[str]:
    found = []
    for job, addresses in roles.hosts.items():
        for address in addresses:
            host, port = host_and_port(address)
            try:
                socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            except OSError as error:
                reason = error.strerror or error
                found.append(f"{_flag(roles, job)} names {address}, and {host} cannot be resolved here: {reason}.")
    return found


def _port_in_use(roles: Roles) -> list[str]:
    address = roles.hosts[roles.job][roles.index]
    _, port = host_and_port(address)
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # what TensorFlow's server does
        try:
            probe.bind(("", port))
            probe.listen(1)
        except OSError as error:
            return [
                f"port {port} of {address}, where this process is to listen, cannot be had: {error.strerror}. End what "
                "uses it, or give another."
            ]
    return []


def _problems_with_counts(params: Params) -> list[str]:
    """What is wrong with the flags of a resolver that finds the hosts by itself."""
    resolver = f"--cluster_resolver={params.cluster_resolver}"
    found = [
        f"{resolver} finds the hosts: leave --{flag} out." for flag in HOST_FLAGS.values() if getattr(params, flag)
    ]
    try:
        counts = {job: int(count) for job, count in pairs(params.cluster_jobs).items()}
    except ValueError:
        counts = {}
    if not counts or min(counts.values()) < 1 or not set(counts) <= set(HOST_FLAGS):
        shape = f"--cluster_jobs={params.cluster_jobs} is not of the form ps:1,worker:2, which {resolver} needs."
        return [*found, shape]
    found += _unfit({job: ("",) * count for job, count in counts.items()}, params.variable_update, "flags")
    if params.cluster_resolver == "kubernetes":
        unlabelled = set(counts) - set(pairs(params.kubernetes_labels))
        found += [f"--kubernetes_labels has no label of the {job} pods: add {job}:key=value." for job in unlabelled]
    return found


def pairs(text: str) -> dict[str, str]:
    """What stands behind each job in text such as ps:1,worker:2."""
    return {job.strip(): value.strip() for job, _, value in (each.partition(":") for each in _split(text))}


def _flag(roles: Roles, job: str) -> str:
    return f"--{HOST_FLAGS[job]}" if roles.source == "flags" else f"job {job!r} of {roles.source}"


def _split(text: str | None) -> tuple[str, ...]:
    return tuple(_stripped((text or "").split(",")))


def _stripped(parts: Iterable[str]) -> Iterable[str]:
    return (part.strip() for part in parts if part.strip())
