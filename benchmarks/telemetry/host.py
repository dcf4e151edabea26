"""What the host and this process do: processors, memory, files and network. Units stand in the names."""

from __future__ import annotations

import re
import time
from pathlib import Path

import psutil

from benchmarks.load import processor_seconds
from benchmarks.machine.answers import answer
from benchmarks.machine.files import read_text, whole_number, word
from benchmarks.telemetry.series import Sample

_RAPL = Path("/sys/class/powercap")
_STATISTICS = Path("/proc/stat")


class Host:
    """To be asked again and again; rates are those since the question before."""

    def __init__(self) -> None:
        self._process = answer(psutil.Process)
        self._before = self._counts()

    def sample(self) -> Sample:
        """Momentary quantities, and rates since the last sample; None where the system does not tell."""
        before, now = self._before, self._counts()
        self._before = now
        passed = {name: _difference(now[name], before[name]) for name in now}
        seconds, cpu = passed.pop("at") or None, passed.pop("cpu_total") or None
        rates = {f"{name}_per_second": _over(value, seconds) for name, value in passed.items() if "bytes" in name}
        return {
            "cpu_utilisation": _share(passed["cpu_busy"], cpu),
            "stolen_share": _share(passed["cpu_stolen"], cpu),
            "processors_of_process": _over(passed["process_cpu"], seconds),
            "running_tasks": _running(),
            "resident_bytes": self._resident(),
            **rates,
        }

    def counters(self) -> Sample:
        """Counters as they stand; only what is between two looks means something."""
        return {"package_energy_joules": rapl_joules()}

    def _counts(self) -> Sample:
        by_kind = answer(psutil.cpu_times)
        total, busy, stolen = processor_seconds(by_kind._asdict()) if by_kind else (None, None, None)
        read, written = self._files()
        network = answer(psutil.net_io_counters)
        return {
            "at": time.monotonic(),
            "cpu_total": total,
            "cpu_busy": busy,
            "cpu_stolen": stolen,
            "process_cpu": time.process_time(),
            "read_bytes": read,
            "written_bytes": written,
            "network_sent_bytes": network and network.bytes_sent,
            "network_received_bytes": network and network.bytes_recv,
        }

    def _files(self) -> tuple[float | None, float | None]:
        """Bytes that this process read and wrote, those in the system's memory too; None where it does not tell."""
        counters = answer(lambda: self._process.io_counters())  # macOS has none; a container may hide them
        if counters is None:
            return None, None
        return getattr(counters, "read_chars", counters.read_bytes), getattr(
            counters, "write_chars", counters.write_bytes
        )

    def _resident(self) -> float | None:
        found = answer(lambda: self._process.memory_info())
        return found and float(found.rss)


def rapl_joules(root: Path = _RAPL) -> float | None:
    """Energy of all processor packages since some moment (Linux powercap's energy_uj); None where one is not readable.

    Laptops have the energy of the whole platform ("psys") beside that of the packages in it. The counters wrap around
    about once an hour under load; a difference below zero is none.
    """
    zones = [zone for zone in root.glob("intel-rapl:*") if re.fullmatch(r"intel-rapl:\d+", zone.name)]
    found = [whole_number(zone / "energy_uj") for zone in zones if word(zone / "name") != "psys"]
    known = [microjoules / 1e6 for microjoules in found if microjoules is not None]
    return sum(known) if known and len(known) == len(found) else None


def _running() -> float | None:
    """Tasks that run or wait for a processor now (procs_running of Linux's /proc/stat); None where it is not told."""
    found = re.search(r"^procs_running (\d+)$", read_text(_STATISTICS), re.MULTILINE)
    return float(found[1]) if found else None


def _difference(now: float | None, before: float | None) -> float | None:
    return None if now is None or before is None or now < before else now - before


def _over(value: float | None, whole: float | None) -> float | None:
    return None if value is None or not whole else value / whole


def _share(part: float | None, whole: float | None) -> float | None:
    """A part of a whole; of sums of hundredths of seconds it may come out as a little more."""
    share = _over(part, whole)
    return None if share is None else min(1.0, share)
