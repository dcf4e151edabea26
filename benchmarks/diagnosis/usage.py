"""What this process uses of the machine: processors, files, and the GPUs that it computes on. No TensorFlow in it."""

from __future__ import annotations

import statistics
import threading
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.telemetry.host import Host

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
        self._host = Host()
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
        found = self._host.sample()
        return Usage(
            cpus=found["processors_of_process"],
            read_bytes_per_second=found["read_bytes_per_second"],
            gpu_utilisation=statistics.fmean(self._seen) if self._seen else None,
        )

    def _sample(self, gpus: Callable[[], float | None]) -> None:
        while not self._ended.wait(_SAMPLES_EVERY):
            seen = gpus()
            if seen is not None:
                self._seen.append(seen)
