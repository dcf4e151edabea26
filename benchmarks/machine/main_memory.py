"""Memory of this machine: how much, how much of it this process may take, and in which pages."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from benchmarks.machine.control_groups import GROUPS, MEMBERSHIP, control_groups, memory_limit
from benchmarks.machine.files import ROOT, bytes_of, read_text


def memory(root: Path = ROOT) -> dict[str, Any]:
    """Return bytes in all, of swap (and of it in use), what control groups allow (None: no limit), and pages.

    `transparent_huge_pages`: always, madvise or never. `huge_pages` are those set aside, each of `huge_page_bytes`.
    """
    found = meminfo(root)
    free, swap = found.get("SwapFree"), found.get("SwapTotal")
    chosen = re.search(r"\[(\w+)\]", read_text(root / "sys/kernel/mm/transparent_hugepage/enabled"))
    return {
        "total_bytes": found.get("MemTotal"),
        "limit_bytes": memory_limit(control_groups("memory", root / MEMBERSHIP, root / GROUPS)),
        "swap_bytes": swap,
        "swap_used_bytes": None if swap is None or free is None else max(0, swap - free),
        "transparent_huge_pages": chosen[1] if chosen else None,
        "huge_pages": found.get("HugePages_Total"),
        "huge_page_bytes": found.get("Hugepagesize"),
    }


def meminfo(root: Path = ROOT) -> dict[str, int]:
    """Return what /proc/meminfo counts, in bytes where it has a unit."""
    lines = (line.partition(":") for line in read_text(root / "proc/meminfo").splitlines())
    return {name.strip(): count for name, _, text in lines if (count := bytes_of(text)) is not None}
