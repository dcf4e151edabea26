"""What this process uses of the machine: processors, files, and the GPUs that it computes on. No TensorFlow in it."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType

import psutil

from benchmarks.environment import ask, started_nvml
from benchmarks.load import own_gpus

_SAMPLES_EVERY = 0.1  # seconds; NVML itself averages over 1/6 to 1 s


@dataclass(frozen=True)
class Usage:
    """Processors that this process kept busy, bytes a second that it read from files, share of time its GPUs computed.

    None where that is not known. Of the bytes, those that the system had in memory count too.
    """

    cpus: float | None
    read_bytes_per_second: float | None
    gpu_utilisation: float | None


class Meter:
    """Usage from its construction until `usage` is called. `gpus` tells their utilisation now, None where unknown."""

    def __init__(self, gpus: Callable[[], float | None] | None = None) -> None:
        self._process = psutil.Process()
        self._begin = time.monotonic(), self._cpu_seconds(), self._bytes_read()
        self._seen: list[float] = []
        self._ended = threading.Event()
        self._sampler = threading.Thread(target=self._sample, args=(gpus,), name="GPU utilisation", daemon=True)
        if gpus:
            self._sampler.start()

    def usage(self) -> Usage:
        """What was used since; ends the measurement."""
        self._ended.set()
        if self._sampler.is_alive():
            self._sampler.join()
        began, cpu_seconds, read = self._begin
        seconds = time.monotonic() - began
        read_now = self._bytes_read()
        return Usage(
            cpus=(self._cpu_seconds() - cpu_seconds) / seconds,
            read_bytes_per_second=None if read is None or read_now is None else (read_now - read) / seconds,
            gpu_utilisation=statistics.fmean(self._seen) if self._seen else None,
        )

    def _sample(self, gpus: Callable[[], float | None]) -> None:
        while not self._ended.wait(_SAMPLES_EVERY):
            seen = gpus()
            if seen is not None:
                self._seen.append(seen)

    def _cpu_seconds(self) -> float:
        times = self._process.cpu_times()
        return float(times.user + times.system)

    def _bytes_read(self) -> int | None:
        """Bytes of all read calls so far; None where the system does not count, or not tell."""
        try:
            counters = self._process.io_counters()
        except (AttributeError, OSError, psutil.Error):  # macOS has none; a container may hide them
            return None
        return getattr(counters, "read_chars", counters.read_bytes)  # type: ignore[no-any-return]


class GpuUtilisation:
    """The share of time in which this process's GPUs computed: their mean over NVML's last sampling period, at a call.

    None where there is no NVML, or no answer. `nvml` stands in for NVML in tests.
    """

    def __init__(self, nvml: ModuleType | None = None) -> None:
        self._nvml = started_nvml(nvml)
        known = {} if isinstance(self._nvml, str) else own_gpus(self._nvml)
        self._handles = [handle for handle, _ in known.values()]

    def __call__(self) -> float | None:
        """As the class says."""
        if isinstance(self._nvml, str):
            return None
        rates = [ask(self._nvml.nvmlDeviceGetUtilizationRates, handle) for handle in self._handles]
        known = [rate.gpu / 100 for rate in rates if rate is not None]
        return statistics.fmean(known) if known else None
