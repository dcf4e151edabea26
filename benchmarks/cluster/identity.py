"""What a process runs: versions, source code and flags, to be compared across a cluster. No TensorFlow."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks import environment
from benchmarks.cluster.cluster import Cluster
from benchmarks.params import Params, configuration

_PROJECT = Path(__file__).resolve().parents[2]
# No part of what is measured, but done by all processes together: who does not take part would be waited for.
_TOGETHER = ("verify_variable_update", "measure_exchange")
_SOURCES = ("run_benchmark.py", "benchmarks", "models", "variable_mgr", "results")


def identity(params: Params, cluster: Cluster) -> dict[str, Any]:
    """What this process runs, in plain values."""
    software = environment.environment({}, names=True)
    return {
        "tensorflow": software["packages"]["tensorflow"],
        "python": software["python"],
        "hostname": software["hostname"],
        "commit": software["git"]["commit"],
        "source": source_digest(),
        "hosts": {job: list(addresses) for job, addresses in cluster.hosts.items()},
        "flags": configuration(params) | {name: getattr(params, name) for name in _TOGETHER},
    }


def differences(driver: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """How the identity of another process differs from the driver's where it must not, in words."""
    found = []
    if other.get("tensorflow") != driver["tensorflow"]:
        found.append(f"it has TensorFlow {other.get('tensorflow')}, and the driver {driver['tensorflow']}")
    if other.get("source") != driver["source"]:
        found.append(
            f"it has other source code of this project (commit {_short(other)}, and the driver {_short(driver)})"
        )
    for name, hosts in sorted(_union(driver["hosts"], other.get("hosts") or {}).items()):
        found.append(f"it has {name} processes {hosts[1]}, and the driver {hosts[0]}")
    for name, (here, there) in sorted(_union(driver["flags"], other.get("flags") or {}).items()):
        found.append(f"it has --{name}={there}, and the driver --{name}={here}")
    return found


def _union(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Both values of each entry that is not equal in the two."""
    return {
        name: (first.get(name), second.get(name)) for name in {*first, *second} if first.get(name) != second.get(name)
    }


def _short(identity: Mapping[str, Any]) -> str:
    return str(identity.get("commit") or "unknown")[:12]


def source_digest() -> str:
    """A digest of this project's Python files: a name for the version, with local changes."""
    digest = hashlib.sha256()
    for source in _SOURCES:
        path = _PROJECT / source
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            digest.update(file.relative_to(_PROJECT).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:16]
