"""What NVML tells of a GPU at a moment, and since an earlier one. Units stand in the names.

Source: NVML's API reference, https://docs.nvidia.com/deploy/nvml-api, groups "Device Queries" and "Device Structs".
"""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any

from benchmarks.environment import ask, leave_nvml, started_nvml
from benchmarks.load import own_gpus
from benchmarks.telemetry.series import Part, Sample

Question = Callable[[ModuleType, Any], float]

MOMENTARY: Mapping[str, Question] = {
    "utilisation": lambda nvml, gpu: nvml.nvmlDeviceGetUtilizationRates(gpu).gpu / 100,
    "memory_utilisation": lambda nvml, gpu: nvml.nvmlDeviceGetUtilizationRates(gpu).memory / 100,
    "memory_used_bytes": lambda nvml, gpu: nvml.nvmlDeviceGetMemoryInfo(gpu).used,
    "power_watts": lambda nvml, gpu: nvml.nvmlDeviceGetPowerUsage(gpu) / 1000,
    "temperature_celsius": lambda nvml, gpu: nvml.nvmlDeviceGetTemperature(gpu, nvml.NVML_TEMPERATURE_GPU),
    "sm_clock_mhz": lambda nvml, gpu: nvml.nvmlDeviceGetClockInfo(gpu, nvml.NVML_CLOCK_SM),
    "memory_clock_mhz": lambda nvml, gpu: nvml.nvmlDeviceGetClockInfo(gpu, nvml.NVML_CLOCK_MEM),
    "throttle_reasons": lambda nvml, gpu: nvml.nvmlDeviceGetCurrentClocksThrottleReasons(gpu),
}
# PCIe's figures are taken over 20 ms, for which NVML holds the thread that asks; they are in thousands of bytes.
# What must not wait another thread asks for meanwhile: NVML is thread-safe (API reference, its first page).
HOLDING: Mapping[str, Question] = {
    "pcie_sent_bytes_per_second": lambda nvml, gpu: (
        1000 * nvml.nvmlDeviceGetPcieThroughput(gpu, nvml.NVML_PCIE_UTIL_TX_BYTES)
    ),
    "pcie_received_bytes_per_second": lambda nvml, gpu: (
        1000 * nvml.nvmlDeviceGetPcieThroughput(gpu, nvml.NVML_PCIE_UTIL_RX_BYTES)
    ),
}
COUNTED: Mapping[str, Question] = {
    "energy_joules": lambda nvml, gpu: nvml.nvmlDeviceGetTotalEnergyConsumption(gpu) / 1000,
    "corrected_ecc_errors": lambda nvml, gpu: nvml.nvmlDeviceGetTotalEccErrors(
        gpu, nvml.NVML_MEMORY_ERROR_TYPE_CORRECTED, nvml.NVML_VOLATILE_ECC
    ),
    "uncorrected_ecc_errors": lambda nvml, gpu: nvml.nvmlDeviceGetTotalEccErrors(
        gpu, nvml.NVML_MEMORY_ERROR_TYPE_UNCORRECTED, nvml.NVML_VOLATILE_ECC
    ),
}


# Errors after which nothing more is to be had of a GPU: NVML or the driver is gone, or the GPU.
_LAST = frozenset({1, 9, 15, 16, 17, 18, 28})  # of nvmlReturn_t: from NVML_ERROR_UNINITIALIZED to GPU_NOT_FOUND


class Gpu:
    """One GPU to be asked again and again. What it does not support is asked once; after it is lost nothing is."""

    def __init__(self, nvml: ModuleType, handle: Any) -> None:
        self._lost: str | None = None
        self._errors: dict[str, str] = {}  # the first of each quantity: others, such as a timeout, may pass
        self._nvml = nvml
        self._handle = handle
        self._unsupported: set[str] = set()
        self._latest: dict[str, float | None] = {}  # of what holds who asks

    def lose(self, reason: str) -> None:
        """Ask nothing more."""
        self._lost = reason

    @property
    def failure(self) -> str | None:
        """What went wrong, beside what is not supported; None for nothing."""
        told = [f"NVML did not always tell {name}: {error}" for name, error in self._errors.items()]
        return "; ".join([*told, *([self._lost] if self._lost else [])]) or None

    def sample(self) -> Sample:
        """The momentary quantities, and the latest that `listen` has heard of others; None where there is no answer."""
        now = {name: self._answer(name, question) for name, question in MOMENTARY.items()}
        return now | {name: None if self._lost else self._latest.get(name) for name in HOLDING}

    def forget(self) -> None:
        """Take what was heard in another part of the window for nothing."""
        self._latest = {}

    def listen(self, part: Part) -> None:
        """Ask, until the `part` of the window is over, for quantities that take their time."""
        for name, question in HOLDING.items():
            if part.over:
                return
            self._latest[name] = self._answer(name, question)

    def utilisation(self) -> float | None:
        """That one of them alone, which takes no time."""
        return self._answer("utilisation", MOMENTARY["utilisation"])

    def counters(self) -> Sample:
        """The counters as they stand; only what is between two looks means something."""
        return {name: self._answer(name, question) for name, question in COUNTED.items()}

    def _answer(self, name: str, question: Question) -> float | None:
        if self._lost or name in self._unsupported:
            return None
        nvml = self._nvml
        try:
            return question(nvml, self._handle)
        except (nvml.NVMLError_NotSupported, nvml.NVMLError_FunctionNotFound, nvml.NVMLError_NoPermission):
            self._unsupported.add(name)
        except nvml.NVMLError as error:
            if error.value in _LAST:
                self._lost = f"NVML told nothing more, from {name} on: {error}"
            else:
                self._errors.setdefault(name, str(error))
        return None


class Gpus:
    """The GPUs that this process computes on, by name, to be asked until `close`; `addresses` as for `own_gpus`.

    `nvml`: "ok", or why NVML tells nothing at all. `sure`: these are all of them, and no others'; of a GPU
    in parts (MIG) NVML counts what all parts take.
    """

    def __init__(self, addresses: Sequence[str] | None = None) -> None:
        started = started_nvml()
        self.by_name: dict[str, Gpu] = {}
        self._started = None if isinstance(started, str) else started
        self.nvml = started if isinstance(started, str) else "ok"
        self.sure = False
        if self._started:
            found = own_gpus(self._started, addresses)
            if addresses is None:
                all_found = all(os.getpid() in (pids or ()) for _, pids in found.values())
            else:
                all_found = len(found) == len(addresses)
            self.sure = all_found and not any(_in_parts(self._started, handle) for handle, _ in found.values())
            self.by_name = {f"GPU {index}": Gpu(self._started, handle) for index, (handle, _) in found.items()}

    def utilisation(self) -> float | None:
        """The share of NVML's last sampling period in which they computed, their mean; None where it is not known."""
        known = [share for gpu in self.by_name.values() if (share := gpu.utilisation()) is not None]
        return statistics.fmean(known) if known else None

    def give_up(self, reason: str) -> None:
        """Ask NVML nothing more in this process, as it does not answer: not even to end."""
        leave_nvml(reason)
        self._started = None
        for gpu in self.by_name.values():
            gpu.lose(reason)

    def close(self) -> None:
        """End the use of NVML."""
        if self._started:
            ask(self._started.nvmlShutdown)
            self._started = None


def _in_parts(nvml: ModuleType, handle: Any) -> bool:
    mode = ask(nvml.nvmlDeviceGetMigMode, handle)
    return bool(mode and mode[0])


def total_memory(address: str) -> int | str:
    """Bytes of memory of the GPU at the PCI `address`; or why NVML does not tell."""
    nvml = started_nvml()
    if isinstance(nvml, str):
        return nvml
    try:
        told = [ask(nvml.nvmlDeviceGetMemoryInfo, handle) for handle, _ in own_gpus(nvml, [address]).values()]
    finally:
        ask(nvml.nvmlShutdown)
    return int(told[0].total) if told and told[0] else f"NVML does not tell of the GPU at {address}"
