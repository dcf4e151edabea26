"""Checks of the GPUs that a run would compute on: what they are set to, and who else is there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from benchmarks.absent_gpus import asking_flag, counted, way_out
from benchmarks.preflight.facts import Facts
from benchmarks.preflight.finding import Finding, alike, in_bytes, listed, stops, tells, warns
from benchmarks.preflight.gpu_facts import NOT_ASKED, GpuFacts, Process

_LEAST_CUT = 0.01  # of a limit: less is rounding
_RESET = "Reset the GPU (nvidia-smi --gpu-reset, with nothing running on it) or restart the machine"


def driver(facts: Facts) -> Iterator[Finding]:
    """The driver answers."""
    found = facts.gpus
    if found.nvml in (NOT_ASKED, "ok"):
        return
    if found.without_cuda and facts.surely_on_gpus and facts.alone and not facts.built.get("is_rocm_build"):
        yield stops(
            f"{asking_flag(facts.params, 0)}: this process sees no GPU",
            f"NVIDIA's driver is not there (of CUDA: {found.without_cuda}; of NVML: {found.nvml})",
            f"{way_out(facts.params, 0)}. If the machine has a GPU, see whether nvidia-smi works; in a container, "
            "start it with the NVIDIA runtime",
        )
    elif facts.surely_on_gpus or facts.host.driver_files:
        yield warns(
            f"NVML tells nothing of the GPUs ({found.nvml})",
            "whether they are free, and how they are set, is not known",
            "See whether nvidia-smi works; in a container, start it with the NVIDIA runtime and the capability utility",
        )


def there(facts: Facts) -> Iterator[Finding]:
    """All GPUs that were asked for are there, and answer."""
    found = facts.gpus
    if found.nvml == "ok" and found.missing and facts.surely_on_gpus:
        params, count = facts.params, found.visible or 0
        yield stops(
            f"{asking_flag(params, count)}: this process sees {counted(params, count)}",
            "a tower needs a GPU of its own",
            f"{way_out(params, count)}, or see what CUDA_VISIBLE_DEVICES leaves out",
        )
    if found.no_gpu:
        yield warns(
            f"CUDA_VISIBLE_DEVICES names {found.no_gpu[:20]}, which is no further GPU of this machine",
            "neither it nor what follows it is seen",
            "Leave it out, or name others: nvidia-smi --list-gpus has numbers and UUIDs",
        )
    severe = stops if found.certain else warns
    for gpu in found.used:
        if gpu.failure:
            yield severe(
                f"GPU {gpu.index} does not answer ({gpu.failure})",
                "a run that computes on it would fail or hang",
                f"{_RESET}; dmesg may say what happened (Xid)",
            )


def prohibited(facts: Facts) -> Iterator[Finding]:
    """Computing is allowed, and where one process alone may compute, none does yet."""
    severe = stops if facts.gpus.certain else warns
    for label, _ in _with(facts, lambda gpu: gpu.prohibited or None):
        yield severe(
            f"{label} in compute mode Prohibited",
            "no process may compute there",
            "nvidia-smi --compute-mode=DEFAULT sets it back, as root",
        )
    for label, gpu in _with(facts, _taken) if facts.alone else ():
        yield severe(
            f"{label} in compute mode Exclusive Process, and taken by {_processes(gpu)}",
            "no second process may compute there",
            "Wait for it, end it, take other GPUs with --gpu_indices, or let several in: nvidia-smi "
            "--compute-mode=DEFAULT, as root",
        )


def others(facts: Facts) -> Iterator[Finding]:
    """Nobody else computes there."""
    if not facts.alone:
        return
    for group in alike(facts.gpus.used, lambda gpu: gpu.name if gpu.processes else None):
        parts = alike(group, lambda gpu: gpu.processes)
        told = [f"on {_numbered(same)} " * (len(parts) > 1) + _processes(same[0]) for same in parts]
        yield warns(
            f"Other processes compute on {named(group)}: {'; '.join(told)}",
            "they take time and memory from the run",
            "Wait for them, end them, or take other GPUs with --gpu_indices",
        )


def power(facts: Facts) -> Iterator[Finding]:
    """The GPUs may take the power that they were made for."""
    for label, gpu in _with(facts, _cut_power):
        yield warns(
            f"{label} limited to {gpu.power_limit_watts:g} W of {gpu.default_power_limit_watts:g} W",
            "clocks fall where more would be needed",
            f"nvidia-smi --power-limit={gpu.default_power_limit_watts:g} sets it back, as root; or keep the limit, "
            "which the record has",
        )


def clock(facts: Facts) -> Iterator[Finding]:
    """No clock below the usual one was set."""
    for label, gpu in _with(facts, _cut_clock):
        yield warns(
            f"{label} set to {gpu.clock_mhz} MHz, where {gpu.default_clock_mhz} MHz are usual",
            "the run computes that much more slowly",
            "nvidia-smi --reset-applications-clocks sets it back",
        )


def slowed(facts: Facts) -> Iterator[Finding]:
    """Nothing slows them down already now."""
    for label, gpu in _with(facts, lambda gpu: gpu.slowed_for or None):
        yield warns(
            f"{label} slowed down now, for {', '.join(gpu.slowed_for)}",
            "before the run has begun, and it will not be less then",
            "See to cooling, power supply and cables; nvidia-smi -q -d PERFORMANCE,TEMPERATURE says more",
        )


def memory_to_mend(facts: Facts) -> Iterator[Finding]:
    """No memory waits to be replaced, and no mode of ECC to change."""
    for label, _ in _with(facts, lambda gpu: gpu.repair_pending or None):
        yield warns(f"{label} about to replace memory that failed", "errors may end a run until then", _RESET)
    for label, _ in _with(facts, lambda gpu: gpu.ecc_pending or None):
        yield warns(
            f"{label} to change ECC at the next reset",
            "runs before and after it differ in memory and speed",
            _RESET,
        )


def mig(facts: Facts) -> Iterator[Finding]:
    """They are whole."""
    for label, _ in _with(facts, lambda gpu: gpu.mig or None):
        yield warns(
            f"{label} split by MIG",
            "a process computes on one part only and sees no whole GPU beside it, and others may compute on the rest",
            "nvidia-smi --multi-instance-gpu=0 makes it whole again, as root, at the next reset; or name whole GPUs by "
            "their UUIDs in CUDA_VISIBLE_DEVICES, or compare with such parts only",
        )


def lanes(facts: Facts) -> Iterator[Finding]:
    """PCIe has all lanes. Its generation says nothing: it falls while a GPU is idle."""
    for label, gpu in _with(facts, _cut_lanes):
        yield warns(
            f"{label} connected by {gpu.pcie_width} PCIe lanes of {gpu.most_pcie_width}",
            "images and gradients travel more slowly",
            "See whether the card sits well, and in a slot that has all lanes",
        )


def persistence(facts: Facts) -> Iterator[Finding]:
    """The driver stays loaded."""
    for label, _ in _with(facts, lambda gpu: True if gpu.persistent is False else None):
        yield tells(
            f"{label} without persistence mode",
            "the driver unloads between runs, which start seconds later, and settings are lost",
            "Start nvidia-persistenced, or nvidia-smi --persistence-mode=1, as root",
        )


def _taken(gpu: GpuFacts) -> tuple[Process, ...] | None:
    """Who has a GPU that takes one process only, and lets no others in."""
    return (gpu.processes or None) if gpu.exclusive and not any(each.shares for each in gpu.processes or ()) else None


def _processes(gpu: GpuFacts) -> str:
    """The others on `gpu`: 4711 with 34.4 GB, 12."""
    return ", ".join(
        f"{each.pid}" + (f" with {in_bytes(each.memory_bytes)}" if each.memory_bytes else "")
        for each in gpu.processes or ()
    )


def _cut_power(gpu: GpuFacts) -> float | None:
    limit, usual = gpu.power_limit_watts, gpu.default_power_limit_watts
    return limit if limit and usual and limit < (1 - _LEAST_CUT) * usual else None


def _cut_clock(gpu: GpuFacts) -> int | None:
    clock, usual = gpu.clock_mhz, gpu.default_clock_mhz
    return clock if clock and usual and clock < (1 - _LEAST_CUT) * usual else None


def _cut_lanes(gpu: GpuFacts) -> int | None:
    width, most = gpu.pcie_width, gpu.most_pcie_width
    return width if width and most and width < most else None


def _with(facts: Facts, same: Callable[[GpuFacts], object]) -> Iterator[tuple[str, GpuFacts]]:
    """The GPUs for which `same` is something, those of one model with the same of it together: "GPUs 0-3 (...) are"."""

    def key(gpu: GpuFacts) -> tuple[object, ...] | None:
        found = same(gpu)
        return None if found is None else (gpu.name, found)

    for group in alike(facts.gpus.used, key):
        yield f"{named(group)} {'is' if len(group) == 1 else 'are'}", group[0]


def named(group: Sequence[GpuFacts]) -> str:
    """GPUs of one model, by their numbers."""
    return f"{_numbered(group)} ({group[0].name or 'of an unknown model'})"


def _numbered(group: Sequence[GpuFacts]) -> str:
    return f"GPU{'s' * (len(group) > 1)} {listed([gpu.index for gpu in group])}"
