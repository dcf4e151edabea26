"""Checks of the host: who else is busy there, and what its processors may do."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.machine.virtualisation import NONE
from benchmarks.preflight.facts import Facts
from benchmarks.preflight.finding import Finding, in_bytes, tells, warns
from results.checks import FOREIGN_CPU_SHARE, STOLEN_SHARE

_FAST = "performance"
_SWAPPED = 2**28  # bytes that are out of memory without a word of concern
_LEAST_CUT = 0.01


def load(facts: Facts) -> Iterator[Finding]:
    """Nobody else is busy."""
    others, stolen = facts.host.cpu_share_of_others, facts.host.stolen_share
    if others is not None and others > FOREIGN_CPU_SHARE:
        yield warns(
            f"Other processes take {others:.0%} of the processors now",
            f"of a run beside them the figure is not valid, from {FOREIGN_CPU_SHARE:.0%} on",
            "Wait for them (top shows which), or give the run processors of its own (taskset, a cpuset)",
        )
    if stolen is not None and stolen > STOLEN_SHARE:
        yield warns(
            f"The hypervisor takes {stolen:.0%} of the processors now",
            f"other guests get that time, and the figure is not valid from {STOLEN_SHARE:.0%} on",
            "Take a machine with processors of its own (dedicated, bare metal), or another time",
        )


def quota(facts: Facts) -> Iterator[Finding]:
    """The control group has the time of all processors that it may use."""
    allowed, cores = facts.host.quota_cores, facts.host.usable_cores
    if allowed is not None and cores is not None and allowed < cores:
        yield warns(
            f"Control groups allow the time of {allowed:g} processors, and {cores} may be used",
            "TensorFlow starts as many threads as may be used, and all are stopped together when the time is spent",
            f"Raise the limit, or give whole processors: --cpuset-cpus in place of --cpus, or {_threads(allowed)}",
        )


def governor(facts: Facts) -> Iterator[Finding]:
    """Clocks do not wait for load."""
    found = facts.host.governor
    if found is not None and found != _FAST:
        yield warns(
            f"The governor of the processors' clocks is {found}",
            "they rise late and fall between steps, and runs differ for it",
            f"cpupower frequency-set --governor {_FAST}, as root",
        )


def clock_limit(facts: Facts) -> Iterator[Finding]:
    """No clock is kept below what the processor can do."""
    limit, most = facts.host.limit_mhz, facts.host.most_mhz
    if limit and most and limit < (1 - _LEAST_CUT) * most:
        yield warns(
            f"The processors are limited to {limit:g} MHz of {most:g} MHz",
            "whatever they do takes longer",
            f"cpupower frequency-set --max {most:g}MHz, as root; or keep the limit in all runs that are compared",
        )


def turbo(facts: Facts) -> Iterator[Finding]:
    """Clocks that depend on heat are known of."""
    if facts.host.turbo:
        yield tells(
            "Turbo is on",
            "how fast processors are depends on their heat and on how many are busy",
            "For runs that are alike to the percent, turn it off (intel_pstate/no_turbo, cpufreq/boost)",
        )


def heat(facts: Facts) -> Iterator[Finding]:
    """Processors have not been too hot."""
    if events := facts.host.throttle_events:
        yield tells(
            f"Processors were slowed down for heat {events:,} times since the machine was started",
            "that may happen during the run too",
            "See to fans and dust; compare the number after the run",
        )


def swap(facts: Facts) -> Iterator[Finding]:
    """Nothing much is out of memory."""
    used = facts.host.swap_used_bytes
    if used is not None and used > _SWAPPED:
        yield warns(
            f"{in_bytes(used)} of memory are swapped out",
            "memory was short, and steps that wait for it are slow",
            "End what takes it, then swapoff -a && swapon -a, as root",
        )


def guest(facts: Facts) -> Iterator[Finding]:
    """That the machine is shared is known of."""
    if facts.host.guest not in (None, NONE):
        yield tells(
            f"This machine is a guest ({facts.host.guest})",
            "others may use the same processors, caches and memory",
            "Repeat runs (--repeats), on another day too, before figures are quoted",
        )


def _threads(allowed: float) -> str:
    return f"--num_intra_threads={max(1, int(allowed))} --num_inter_threads={max(1, int(allowed))}"
