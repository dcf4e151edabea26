"""What there is on this machine that a case may need."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.machine.processors import usable_cores
from benchmarks.studies.fresh_runs import finish

_PROGRAM = """\
import json, tensorflow as tf
print(json.dumps([tf.config.experimental.get_device_details(gpu) for gpu in tf.config.list_physical_devices("GPU")]))
"""


@dataclass(frozen=True)
class Machine:
    """`cores`: that this process may use. `gpus`: name of each GPU that TensorFlow sees, `capabilities` their own.

    `work`: a folder for files that ways read; it is removed at the end. `threads_per_core`: how many of the cores are
    one physical core.
    """

    cores: int
    gpus: tuple[str, ...]
    work: Path
    capabilities: tuple[tuple[int, int], ...] = ()
    threads_per_core: int = 1

    @property
    def device(self) -> str:
        """The kind of device that runs are on: "gpu" where there is one."""
        return "gpu" if self.gpus else "cpu"

    @property
    def physical_cores(self) -> int:
        """The physical cores that this process may use."""
        return max(1, self.cores // self.threads_per_core)

    @property
    def towers(self) -> int:
        """The towers that make sense at once: the GPUs, or, on the CPU, two where there are cores for them."""
        return len(self.gpus) or min(2, self.cores)


def look(work: Path) -> Machine:
    """What this machine has. TensorFlow is asked in a process of its own. Raises UserError where it does not start."""
    details = json.loads(finish([sys.executable, "-c", _PROGRAM], hide_gpus=False).output.splitlines()[-1])
    return Machine(
        cores=usable_cores() or 1,
        gpus=tuple(each.get("device_name", "unknown") for each in details),
        work=work,
        capabilities=tuple(tuple(each["compute_capability"]) for each in details if "compute_capability" in each),
        threads_per_core=(psutil.cpu_count() or 1) // (psutil.cpu_count(logical=False) or 1) or 1,
    )
