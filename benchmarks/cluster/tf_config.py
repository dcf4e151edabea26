"""The cluster that TensorFlow's own TF_CONFIG names. No TensorFlow."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from benchmarks.cluster.cluster import HOST_FLAGS, JOBS, Roles


class TFConfigError(ValueError):
    """TF_CONFIG cannot be used; says why."""


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
