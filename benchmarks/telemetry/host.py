"""What the host and this process do: processors, memory, files and network. Units stand in the names."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

import psutil

from benchmarks.load import processor_seconds

_RAPL = Path("/sys/class/powercap")

Sample = dict[str, float | None]


class Host:
    """To be asked again and again; rates are those since the question before."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._before = self._counts()

    def sample(self) -> Sample:
        """Momentary quantities, and rates since the last sample; None where the system does not tell."""
        before, now = self._before, self._counts()
        self._before = now
        passed = {name: _difference(now[name], before[name]) for name in now}
        seconds, cpu = passed.pop("at") or None, passed.pop("cpu_total") or None
        rates = {f"{name}_per_second": _over(value, seconds) for name, value in passed.items() if "bytes" in name}
        return {
            "cpu_utilisation": _over(passed["cpu_busy"], cpu),
            "stolen_share": _over(passed["cpu_stolen"], cpu),
            "processors_of_process": _over(passed["process_cpu"], seconds),
            "running_tasks": _running(),
            "resident_bytes": float(self._process.memory_info().rss),
            **rates,
        }

    def counters(self) -> Sample:
        """Counters as they stand; only what is between two looks means something."""
        return {"package_energy_joules": rapl_joules()}

    def _counts(self) -> Sample:
        total, busy, stolen = processor_seconds(psutil.cpu_times()._asdict())
        own = self._process.cpu_times()
        read, written = self._files()
        network = _network()
        return {
            "at": time.monotonic(),
            "cpu_total": total,
            "cpu_busy": busy,
            "cpu_stolen": stolen,
            "process_cpu": own.user + own.system,
            "read_bytes": read,
            "written_bytes": written,
            "network_sent_bytes": network[0],
            "network_received_bytes": network[1],
        }

    def _files(self) -> tuple[float | None, float | None]:
        """Bytes that this process read and wrote, those in the system's memory too; None where it does not tell."""
        try:
            counters = self._process.io_counters()
        except (AttributeError, OSError, psutil.Error):  # macOS has none; a container may hide them
            return None, None
        return getattr(counters, "read_chars", counters.read_bytes), getattr(
            counters, "write_chars", counters.write_bytes
        )


def rapl_joules(root: Path = _RAPL) -> float | None:
    """Energy of all processor packages since some moment (Linux powercap's energy_uj); None where it is not readable.

    The counters wrap around about once an hour under load; a difference below zero is none.
    """
    found = []
    for package in sorted(root.glob("intel-rapl:[0-9]")):
        with contextlib.suppress(OSError, ValueError):
            found.append(int((package / "energy_uj").read_text()) / 1e6)
    return sum(found) if found else None


def _network() -> tuple[float | None, float | None]:
    with contextlib.suppress(OSError, psutil.Error, AttributeError):
        counters = psutil.net_io_counters()
        if counters is not None:
            return counters.bytes_sent, counters.bytes_recv
    return None, None


def _running() -> float | None:
    """Tasks that run or wait for a processor now (Linux: procs_running of /proc/stat)."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in Path("/proc/stat").read_text().splitlines():
            if line.startswith("procs_running "):
                return float(line.split()[1])
    with contextlib.suppress(OSError, AttributeError):
        return os.getloadavg()[0]
    return None


def _difference(now: float | None, before: float | None) -> float | None:
    return None if now is None or before is None or now < before else now - before


def _over(value: float | None, whole: float | None) -> float | None:
    return None if value is None or not whole else value / whole
