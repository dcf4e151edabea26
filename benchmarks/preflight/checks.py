"""All checks, as a table: the names that programs know them by, and the functions that say what they find."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping

from benchmarks.preflight import gpu_checks, host_checks, run_checks, wheel_checks, wiring_checks
from benchmarks.preflight.facts import Facts
from benchmarks.preflight.finding import Finding, Severity

CHECKS: Mapping[str, Callable[[Facts], Iterator[Finding]]] = {
    "driver": gpu_checks.driver,
    "gpus": gpu_checks.there,
    "cuda": wheel_checks.with_cuda,
    "kernels": wheel_checks.kernels,
    "driver_cuda": wheel_checks.driver_for_cuda,
    "compute_mode": gpu_checks.prohibited,
    "gpu_processes": gpu_checks.others,
    "power_limit": gpu_checks.power,
    "gpu_clock": gpu_checks.clock,
    "gpu_slowed": gpu_checks.slowed,
    "gpu_memory_errors": gpu_checks.memory_to_mend,
    "mig": gpu_checks.mig,
    "pcie_lanes": gpu_checks.lanes,
    "persistence": gpu_checks.persistence,
    "peers": wiring_checks.peers,
    "nvlinks": wiring_checks.links_down,
    "iommu": wiring_checks.translation,
    "gpu_memory": run_checks.gpu_memory,
    "host_memory": run_checks.host_memory,
    "disk": run_checks.disk,
    "load": host_checks.load,
    "quota": host_checks.quota,
    "governor": host_checks.governor,
    "clock_limit": host_checks.clock_limit,
    "swap": host_checks.swap,
    "heat": host_checks.heat,
    "turbo": host_checks.turbo,
    "guest": host_checks.guest,
    "data": run_checks.data_in_memory,
}
# Of a GPU that these tell of, TensorFlow sees nothing.
LEAVE_GPUS_OUT = frozenset({"cuda", "kernels", "driver_cuda"})


def findings(facts: Facts) -> list[Finding]:
    """Return what all checks find, gravest first."""
    found = [dataclasses.replace(each, check=name) for name, check in CHECKS.items() for each in check(facts)]
    return sorted(found, key=lambda each: list(Severity).index(each.severity))
