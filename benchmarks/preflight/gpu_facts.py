"""The GPUs that a run would compute on, and how they are set, as NVML tells.

Source: NVML's API reference, https://docs.nvidia.com/deploy/nvml-api, group "Device Queries". What a GPU or its driver
does not tell, for want of support or of rights, is None.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import psutil

from benchmarks.environment import ask, mig_parts, processes, started_nvml
from benchmarks.machine.answers import answer
from benchmarks.params import Params
from benchmarks.params.conditions import asked_gpus
from benchmarks.telemetry import wiring
from benchmarks.telemetry.cuda_order import shown, unloadable
from benchmarks.telemetry.wiring import Wiring
from results.telemetry import SLOWED

NOT_ASKED = "not asked"
_EXCLUSIVE = (1, 3)  # of nvmlComputeMode_t: EXCLUSIVE_THREAD, which drivers take for EXCLUSIVE_PROCESS
_NO_MEMORY_TOLD = 2**62  # NVML's "not available" for the memory of a process is the largest number


@dataclass(frozen=True)
class Process:
    """A process that computes on a GPU; `memory_bytes` is None where the driver does not tell, as in a container.

    `shares`: it is the server of CUDA's MPS, through which other processes may compute there too.
    """

    pid: int
    memory_bytes: int | None
    shares: bool = False


@dataclass(frozen=True, kw_only=True)
class GpuFacts:
    """One GPU. `failure` says why NVML tells nothing of it. Clocks are those of graphics; `nvlinks` are on or off."""

    index: int
    name: str | None = None
    uuid: str | None = None
    failure: str = ""
    capability: tuple[int, int] | None = None
    memory_bytes: int | None = None
    memory_used_bytes: int | None = None
    power_limit_watts: float | None = None
    default_power_limit_watts: float | None = None
    clock_mhz: int | None = None
    default_clock_mhz: int | None = None
    slowed_for: tuple[str, ...] = ()
    persistent: bool | None = None
    prohibited: bool | None = None
    exclusive: bool | None = None
    mig: bool | None = None
    mig_parts: int = 0
    ecc_pending: bool | None = None
    repair_pending: bool | None = None
    pcie_width: int | None = None
    most_pcie_width: int | None = None
    nvlinks: tuple[bool, ...] = ()
    processes: tuple[Process, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class Gpus:
    """`used` are those that a run would take, of `visible` that its process sees; None where that is not known.

    `certain`: it would take these. Else those that it would take are among them.

    `nvml` is "ok", or why NVML tells nothing; it is not asked for a run on the CPU. `without_cuda` says then why CUDA
    does not work either, where that is sure before it is started. `missing` are numbers of GPUs that
    were asked for and are not there; `no_gpu` is what of CUDA_VISIBLE_DEVICES names none.
    """

    nvml: str = NOT_ASKED
    without_cuda: str = ""
    driver: str | None = None
    cuda: tuple[int, int] | None = None
    used: tuple[GpuFacts, ...] = ()
    certain: bool = True
    visible: int | None = None
    missing: tuple[int, ...] = ()
    no_gpu: str = ""
    wiring: Wiring | None = None


def read(params: Params, variables: Mapping[str, str]) -> Gpus:
    """Return the GPUs that a run of `params` would use, given CUDA's environment `variables`."""
    nvml = started_nvml()
    if isinstance(nvml, str):
        return Gpus(nvml=nvml, without_cuda=unloadable())
    try:
        cuda = ask(nvml.nvmlSystemGetCudaDriverVersion_v2)
        gpus = [_gpu(nvml, index) for index in range(ask(nvml.nvmlDeviceGetCount) or 0)]
        driver = ask(nvml.nvmlSystemGetDriverVersion)
        seen = shown(gpus, variables)
        used, missing = chosen(params, seen.gpus) if seen else (gpus, [])
        if seen is not None and not seen.in_order:
            used = seen.gpus
        found = wiring.known() if len(used) > 1 else None
    finally:
        ask(nvml.nvmlShutdown)
    return Gpus(
        nvml="ok",
        driver=driver,
        cuda=(cuda // 1000, cuda % 1000 // 10) if cuda else None,
        used=tuple(used),
        certain=seen is not None and seen.in_order,
        visible=None if seen is None else len(seen.gpus),
        missing=tuple(missing),
        no_gpu=seen.no_gpu if seen else "",
        wiring=found if isinstance(found, Wiring) else None,
    )


def chosen(params: Params, seen: Sequence[GpuFacts]) -> tuple[list[GpuFacts], list[int]]:
    """Return those of the GPUs `seen`, in CUDA's order, that the towers of `params` are on, and numbers of none.

    Horovod gives each of its processes another.
    """
    if params.variable_update == "horovod":
        return list(seen), []
    indices = asked_gpus(params)
    return [seen[index] for index in indices if index < len(seen)], [index for index in indices if index >= len(seen)]


def _gpu(nvml: ModuleType, index: int) -> GpuFacts:
    try:
        handle = nvml.nvmlDeviceGetHandleByIndex(index)
    except nvml.NVMLError as error:
        return GpuFacts(index=index, failure=str(error))
    memory = ask(nvml.nvmlDeviceGetMemoryInfo, handle)
    capability = ask(nvml.nvmlDeviceGetCudaComputeCapability, handle)
    reasons = ask(nvml.nvmlDeviceGetCurrentClocksThrottleReasons, handle) or 0
    ecc, mig = ask(nvml.nvmlDeviceGetEccMode, handle), ask(nvml.nvmlDeviceGetMigMode, handle)
    mode = ask(nvml.nvmlDeviceGetComputeMode, handle)
    graphics = nvml.NVML_CLOCK_GRAPHICS
    return GpuFacts(
        index=index,
        name=ask(nvml.nvmlDeviceGetName, handle),
        uuid=ask(nvml.nvmlDeviceGetUUID, handle),
        capability=capability and (capability[0], capability[1]),
        memory_bytes=memory and memory.total,
        memory_used_bytes=memory and memory.used,
        power_limit_watts=_thousandth(ask(nvml.nvmlDeviceGetEnforcedPowerLimit, handle)),
        default_power_limit_watts=_thousandth(ask(nvml.nvmlDeviceGetPowerManagementDefaultLimit, handle)),
        clock_mhz=ask(nvml.nvmlDeviceGetApplicationsClock, handle, graphics),
        default_clock_mhz=ask(nvml.nvmlDeviceGetDefaultApplicationsClock, handle, graphics),
        slowed_for=tuple(word for bit, word in SLOWED.items() if reasons & bit),
        persistent=_yes(ask(nvml.nvmlDeviceGetPersistenceMode, handle)),
        prohibited=None if mode is None else mode == nvml.NVML_COMPUTEMODE_PROHIBITED,
        exclusive=None if mode is None else mode in _EXCLUSIVE,
        mig=mig and _yes(mig[0]),
        mig_parts=len(mig_parts(nvml, handle)),
        ecc_pending=ecc and ecc[0] != ecc[1],
        repair_pending=_repair_pending(nvml, handle),
        pcie_width=ask(nvml.nvmlDeviceGetCurrPcieLinkWidth, handle),
        most_pcie_width=ask(nvml.nvmlDeviceGetMaxPcieLinkWidth, handle),
        nvlinks=_nvlinks(nvml, handle),
        processes=_processes(nvml, handle),
    )


def _processes(nvml: ModuleType, handle: Any) -> tuple[Process, ...] | None:
    """The others that compute there."""
    found = processes(nvml, handle)
    if found is None:
        return None
    known = {each.pid: each.usedGpuMemory for each in found if each.pid != os.getpid()}
    return tuple(
        Process(pid, held if held and held < _NO_MEMORY_TOLD else None, _is_server(pid))
        for pid, held in sorted(known.items())
    )


def _is_server(pid: int) -> bool:
    return (answer(lambda: psutil.Process(pid).name()) or "").startswith("nvidia-cuda-mps")


def _nvlinks(nvml: ModuleType, handle: Any) -> tuple[bool, ...]:
    states = [ask(nvml.nvmlDeviceGetNvLinkState, handle, link) for link in range(nvml.NVML_NVLINK_MAX_LINKS)]
    return tuple(bool(state) for state in states if state is not None)


def _repair_pending(nvml: ModuleType, handle: Any) -> bool | None:
    """Whether memory that has failed is replaced at the next reset: pages, or from Ampere on rows."""
    pages = ask(nvml.nvmlDeviceGetRetiredPagesPendingStatus, handle)
    rows = ask(nvml.nvmlDeviceGetRemappedRows, handle)
    known = [*([pages] if pages is not None else []), *([rows[2]] if rows is not None else [])]
    return any(known) if known else None


def _yes(state: int | None) -> bool | None:
    return None if state is None else bool(state)


def _thousandth(number: int | None) -> float | None:
    return None if number is None else number / 1000
