"""Control groups of this process: what a container or a batch system lets it have."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.machine.files import ROOT, read_text, whole_number

MEMBERSHIP, GROUPS = "proc/self/cgroup", "sys/fs/cgroup"  # below the root of a machine
_MEMBERSHIP, _ROOT = ROOT / MEMBERSHIP, ROOT / GROUPS
_NO_LIMIT = 2**60  # bytes: version 1 writes a number near 2**63 where there is none


def control_groups(controller: str, membership: Path = _MEMBERSHIP, root: Path = _ROOT) -> list[Path]:
    """Return the folders of the control groups of this process that `controller` ("cpu", "memory") may limit."""
    groups = []
    for line in read_text(membership).splitlines():
        _, controllers, path = [*line.split(":", 2), "", ""][:3]
        if controllers and controller not in controllers.split(","):
            continue
        top = root / controller if controllers else root
        group = top / path.lstrip("/")
        # In a container the path may be the host's and lead nowhere; the root is then the container's own group.
        groups += [folder for folder in (group, *group.parents) if folder == top or top in folder.parents]
    return groups


def cpu_quota(membership: Path = _MEMBERSHIP, root: Path = _ROOT) -> float | None:
    """Return how many cores' time the control groups of this process allow; None where there is no limit or no group.

    Control groups nest, and the tightest limit holds. Version 2 writes "quota period" or "max period" into cpu.max;
    version 1 has a file for each, and a quota of -1 for no limit.
    """
    return min(filter(None, map(_cores, control_groups("cpu", membership, root))), default=None)


def memory_limit(groups: Sequence[Path] | None = None) -> int | None:
    """Return the bytes that the tightest of this process's control `groups` may take; None where there is no limit."""
    groups = control_groups("memory") if groups is None else groups
    limits = [whole_number(group / name) for group in groups for name in ("memory.max", "memory.limit_in_bytes")]
    return min((limit for limit in limits if limit and limit < _NO_LIMIT), default=None)


def _cores(group: Path) -> float | None:
    quota, _, period = read_text(group / "cpu.max").strip().partition(" ")
    if not period:
        quota = read_text(group / "cpu.cfs_quota_us").strip()
        period = read_text(group / "cpu.cfs_period_us").strip()
    return int(quota) / int(period) if quota.isdigit() and period.isdigit() and int(period) else None
