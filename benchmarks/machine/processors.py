"""The processors of this machine: cores, caches, NUMA nodes, and what their clocks follow.

Source: the kernel's documentation of sysfs, Documentation/ABI/testing/sysfs-devices-system-cpu and
Documentation/admin-guide/pm.
"""

from __future__ import annotations

import os
import platform
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import psutil

from benchmarks.machine.answers import answer
from benchmarks.machine.control_groups import GROUPS, MEMBERSHIP, cpu_quota
from benchmarks.machine.files import ROOT, bytes_of, numbered, numbers, read_text, whole_number, word

_FLAGS = re.compile(r"avx2|fma|f16c|avx512f|avx512_(bf16|fp16|vnni)|avx_vnni|amx_\w+|asimd(?:hp)?|sve2?|bf16|i8mm")
_CPUS = "sys/devices/system/cpu"


def processors(root: Path = ROOT) -> dict[str, Any]:
    """Return the processors: model, cores, caches, and the settings of their clocks."""
    facts = cpuinfo(root)
    model = facts.get("model name") or _sysctl("machdep.cpu.brand_string") or platform.processor()
    return {
        "model": model or platform.machine(),
        "logical_cores": answer(psutil.cpu_count),
        "physical_cores": answer(psutil.cpu_count, logical=False),
        "usable_cores": usable_cores(),
        "quota_cores": cpu_quota(root / MEMBERSHIP, root / GROUPS),
        "smt": _switch(root / _CPUS / "smt/active"),
        "flags": sorted(flag for flag in set(instructions(facts)) if _FLAGS.fullmatch(flag)),
        "microcode": facts.get("microcode"),
        "caches": caches(root),
        **clocks(root),
        "throttle_events": throttle_events(root),
    }


def cpuinfo(root: Path = ROOT) -> dict[str, str]:
    """Return the facts of the first core of /proc/cpuinfo."""
    lines = (line.partition(":") for line in read_text(root / "proc/cpuinfo").split("\n\n", 1)[0].splitlines())
    return {name.strip(): value.strip() for name, _, value in lines}


def instructions(facts: dict[str, str]) -> list[str]:
    """Return what of instructions and features a core of /proc/cpuinfo has."""
    return (facts.get("flags") or facts.get("Features") or "").split()


def caches(root: Path = ROOT) -> list[dict[str, Any]]:
    """Return the kinds of caches, nearest first: level, type, bytes of one, how many there are."""
    found: dict[tuple[int, str, int | None], set[str]] = {}
    for folder in (root / _CPUS).glob("cpu[0-9]*/cache/index[0-9]*"):
        level, kind = whole_number(folder / "level"), word(folder / "type")
        if level is not None and kind is not None:
            shared = word(folder / "shared_cpu_list") or str(folder.parent)
            found.setdefault((level, kind, bytes_of(word(folder / "size"))), set()).add(shared)
    return [
        {"level": level, "type": kind, "bytes": size, "count": len(shared)}
        for (level, kind, size), shared in sorted(found.items(), key=lambda entry: (entry[0][0], entry[0][1]))
    ]


def clocks(root: Path = ROOT) -> dict[str, Any]:
    """Return what the clocks follow: governor(s) and driver; turbo (None: not known); the highest clock in MHz."""
    policies = list((root / _CPUS / "cpufreq").glob("policy[0-9]*"))
    fastest = [clock for policy in policies if (clock := whole_number(policy / "cpuinfo_max_freq"))]
    capped = [clock for policy in policies if (clock := whole_number(policy / "scaling_max_freq"))]
    return {
        "governor": _together(word(policy / "scaling_governor") for policy in policies),
        "frequency_driver": _together(word(policy / "scaling_driver") for policy in policies),
        "turbo": turbo(root),
        "most_mhz": max(fastest) / 1000 if fastest else None,
        "limit_mhz": max(capped) / 1000 if capped else None,
    }


def turbo(root: Path = ROOT) -> bool | None:
    """Return whether cores may run above their nominal clock; None where Linux does not tell."""
    off = _switch(root / _CPUS / "intel_pstate/no_turbo")
    return not off if off is not None else _switch(root / _CPUS / "cpufreq/boost")


def throttle_events(root: Path = ROOT) -> int | None:
    """Return how often cores were slowed down for heat since the machine started; None where that is not counted."""
    counts = [
        count
        for path in (root / _CPUS).glob("cpu[0-9]*/thermal_throttle/core_throttle_count")
        if (count := whole_number(path)) is not None
    ]
    return sum(counts) if counts else None


def numa_nodes(root: Path = ROOT) -> list[dict[str, Any]]:
    """Return the NUMA nodes: node, its processors as the kernel lists them, its memory in bytes."""
    folders = numbered((root / "sys/devices/system/node").glob("node[0-9]*"))
    return [
        {
            "node": int(folder.name.removeprefix("node")),
            "processors": word(folder / "cpulist"),
            "cores": len(numbers(word(folder / "cpulist"))),
            "memory_bytes": _total(read_text(folder / "meminfo")),
        }
        for folder in folders
        if folder.name.removeprefix("node").isdigit()
    ]


def usable_cores() -> int | None:
    """Return on how many logical cores this process may run."""
    if hasattr(os, "sched_getaffinity"):  # Linux
        return len(os.sched_getaffinity(0))
    cores: int | None = answer(psutil.cpu_count)
    return cores


def _total(meminfo: str) -> int | None:
    match = re.search(r"MemTotal:\s*(\d+ kB)", meminfo)
    return bytes_of(match[1]) if match else None


def _switch(path: Path) -> bool | None:
    return {0: False, 1: True}.get(-1 if (found := whole_number(path)) is None else found)


def _together(words: Iterable[str | None]) -> str | None:
    """The one word that all share, or the different ones."""
    return " and ".join(sorted({each for each in words if each})) or None


def _sysctl(name: str) -> str:
    """Return a fact that macOS has; "" elsewhere."""
    if platform.system() != "Darwin":
        return ""
    try:
        answer = subprocess.run(["sysctl", "-n", name], capture_output=True, text=True, timeout=5, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return answer.stdout.strip()
