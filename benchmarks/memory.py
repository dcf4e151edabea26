"""Memory: what there is of it, what a process takes, and when it has run out. No TensorFlow in it."""

from __future__ import annotations

import contextlib
import re
import resource
import sys
from collections.abc import Sequence
from pathlib import Path

import psutil

from benchmarks.machine.answers import answer
from benchmarks.machine.control_groups import control_groups
from benchmarks.machine.files import read_text, whole_number

MIB = 2**20
OUT_OF_MEMORY = "out of memory"  # what a record calls it
# As libraries say it: CUDA_ERROR_OUT_OF_MEMORY, std::bad_alloc, RESOURCE_EXHAUSTED (XLA), CUDNN_STATUS_ALLOC_FAILED.
_SAID = re.compile(r"out[ _]of[ _]memory|bad_alloc|RESOURCE_EXHAUSTED|ALLOC_FAILED|OOM when", re.IGNORECASE)
_MAXRSS = 1 if sys.platform == "darwin" else 2**10  # bytes in a unit of ru_maxrss


def says_out_of_memory(text: str) -> bool:
    """Whether `text`, the message of an error, is about memory that ran out."""
    return bool(_SAID.search(text))


def resident(process: psutil.Process) -> int:
    """Bytes that `process` and those that it started hold in memory; 0 once it has ended."""
    total = 0
    with contextlib.suppress(psutil.Error):
        for each in (process, *process.children(recursive=True)):
            with contextlib.suppress(psutil.Error):
                total += each.memory_info().rss
    return total


def peak_resident() -> int:
    """The most bytes that this process has held in memory so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _MAXRSS


def available(groups: Sequence[Path] | None = None) -> int | None:
    """Bytes that can be had without swapping: of the machine, or of the tightest of this process's control `groups`.

    None where neither tells.
    """
    groups = control_groups("memory") if groups is None else groups
    left = [bytes_left for group in groups if (bytes_left := _left(group)) is not None]
    if whole := answer(psutil.virtual_memory):
        left.append(int(whole.available))
    return max(0, min(left)) if left else None


def _left(group: Path) -> int | None:
    """What a control group may still take; None where it has no limit. Files that are only cached can be dropped."""
    for limit_file, usage_file, cached in (
        ("memory.max", "memory.current", "inactive_file"),
        ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),  # of version 1
    ):
        limit, usage = whole_number(group / limit_file), whole_number(group / usage_file)
        if limit is not None and usage is not None:
            found = re.search(rf"^{cached} (\d{{1,19}})$", read_text(group / "memory.stat"), re.MULTILINE)
            return limit - usage + (int(found[1]) if found else 0)
    return None
