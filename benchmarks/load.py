"""What else the machine did during the measured window: processors, and GPUs that the run computes on."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any, NamedTuple

import psutil

from benchmarks.environment import ask, processes, started_nvml
from benchmarks.machine.answers import answer
from benchmarks.telemetry.cuda_order import bus
from results.checks import TOO_SHORT
from results.telemetry import SLOWED

LEAST_SECONDS = 0.5  # the kernel counts in hundredths of a second
_IDLE = ("idle", "iowait")
_WITHIN_OTHERS = ("guest", "guest_nice")  # Linux counts them in user and nice too


class _Times(NamedTuple):
    """Seconds on the processors that this process may use, up to now; `own` are those of this process anywhere."""

    at: float
    total: float
    busy: float
    stolen: float
    own: float


class HostLoad:
    """From its construction on, who has the processors that this process may use.

    `alone` says that this process is all of the run; else the others of the run cannot be told from strangers.
    """

    def __init__(self, alone: bool = True) -> None:
        self._alone = alone
        self._begin = _times()

    def facts(self) -> dict[str, Any]:
        """Shares of the processors' time since then: of other processes, and of what a hypervisor took.

        None where it cannot be known.
        """
        begin, end = self._begin, _times()
        if begin is None or end is None:
            reason = "the system does not tell how busy its processors are"
            return {"cpu_share_of_others": None, "stolen_share": None, "reason": reason}
        passed = _Times(*(after - before for before, after in zip(begin, end, strict=True)))
        if passed.at < LEAST_SECONDS or passed.total <= 0:
            return {"cpu_share_of_others": None, "stolen_share": None, "reason": TOO_SHORT}
        others = max(0.0, passed.busy - passed.own) / passed.total
        facts: dict[str, Any] = {"stolen_share": passed.stolen / passed.total}
        if not self._alone:
            return facts | {"cpu_share_of_others": None, "reason": "the run has processes beside this one"}
        return facts | {"cpu_share_of_others": others}


def _times() -> _Times | None:
    cores = [core._asdict() for core in answer(psutil.cpu_times, percpu=True) or ()]
    if not cores:
        return None
    usable = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set(range(len(cores)))
    chosen = [cores[number] for number in usable if number < len(cores)] or cores
    by_kind = {kind: sum(core[kind] for core in chosen) for kind in chosen[0]}
    return _Times(time.monotonic(), *processor_seconds(by_kind), time.process_time())


def processor_seconds(by_kind: Mapping[str, float]) -> tuple[float, float, float]:
    """Seconds of processors in all, busy, and stolen by a hypervisor, from psutil's times by their kind."""
    total = sum(seconds for kind, seconds in by_kind.items() if kind not in _WITHIN_OTHERS)
    stolen = by_kind.get("steal", 0.0)
    return total, total - stolen - sum(by_kind.get(kind, 0.0) for kind in _IDLE), stolen


def gpu_state(nvml: ModuleType | None = None, addresses: Sequence[str] | None = None) -> dict[str, dict[str, Any]]:
    """Return, by GPU that this process computes on, why its clocks are slowed down now and who else computes there.

    `slowed_for` and `other_processes` are None where the driver does not tell. `addresses` as for `own_gpus`; `nvml`
    stands in for NVML in tests.
    """
    started = started_nvml(nvml)
    if isinstance(started, str):
        return {}
    try:
        return {f"GPU {i}": _state(started, *found) for i, found in own_gpus(started, addresses).items()}
    finally:
        ask(started.nvmlShutdown)


def over_window(state: Mapping[str, Mapping[str, Any]], telemetry: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What `gpu_state` has told, with what the record's `telemetry` saw of the same GPUs during the window.

    `slowed_shares` has shares of its time by reason of SLOWED, `uncorrected_ecc_errors` their number; where not told
    they are left out.
    """
    found = {name: dict(facts) for name, facts in state.items()}
    for name, gpu in telemetry.get("gpus", {}).items():
        facts, shares = found.setdefault(name, {}), gpu["slowed_shares"]
        if shares is not None:
            facts["slowed_shares"] = {word: share for word, share in shares.items() if word in SLOWED.values()}
        if (errors := gpu["counted"].get("uncorrected_ecc_errors")) is not None:
            facts["uncorrected_ecc_errors"] = errors
    return found


def own_gpus(nvml: ModuleType, addresses: Sequence[str] | None = None) -> dict[int, tuple[Any, list[int] | None]]:
    """Handle and processes of each GPU that this process computes on, by its number, in order; NVML is initialised.

    These are the ones with the PCI `addresses`. Where those are not told (None), the ones that have this process among
    theirs; and where none has, as process numbers in a container are those of another namespace, all that have any.
    """
    asked = {i: ask(nvml.nvmlDeviceGetHandleByIndex, i) for i in range(ask(nvml.nvmlDeviceGetCount) or 0)}
    handles = {i: handle for i, handle in asked.items() if handle is not None}
    pids = {i: _pids(nvml, handle) for i, handle in handles.items()}
    if addresses is not None:
        ours = {i for i, handle in handles.items() if bus(ask(nvml.nvmlDeviceGetPciInfo, handle)) in addresses}
    else:
        ours = {i for i, found in pids.items() if found and os.getpid() in found} or {i for i in pids if pids[i]}
    return {i: (handles[i], pids[i]) for i in sorted(ours)}


def _pids(nvml: ModuleType, handle: Any) -> list[int] | None:
    found = processes(nvml, handle)
    return None if found is None else [process.pid for process in found]


def _state(nvml: ModuleType, handle: Any, pids: list[int] | None) -> dict[str, Any]:
    reasons = ask(nvml.nvmlDeviceGetCurrentClocksThrottleReasons, handle)
    return {
        "slowed_for": None if reasons is None else [word for bit, word in SLOWED.items() if reasons & bit],
        "other_processes": _others(pids),
    }


def _others(pids: Sequence[int] | None) -> int | None:
    """How many processes beside this one compute there; None where it is not known.

    In a container this process may stand there by another number, or not at all: of one alone it is not known then
    whether it is this one, and of several all but one are others for sure.
    """
    numbers = set(pids or ())
    if os.getpid() in numbers or len(numbers) > 1:
        return len(numbers) - 1
    return None
