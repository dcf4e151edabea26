"""What checks look at: the machine and the run that it is to make, read once."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.load import LEAST_SECONDS, HostLoad
from benchmarks.machine.control_groups import GROUPS, MEMBERSHIP, cpu_quota
from benchmarks.machine.files import ROOT, exists, read_text
from benchmarks.machine.main_memory import memory
from benchmarks.machine.processors import clocks, throttle_events, usable_cores
from benchmarks.machine.software import build, packages
from benchmarks.machine.virtualisation import virtualisation
from benchmarks.memory import available
from benchmarks.params import Params
from benchmarks.preflight import gpu_facts
from benchmarks.preflight.gpu_facts import Gpus
from benchmarks.preflight.need import Need, need


@dataclass(frozen=True, kw_only=True)
class HostFacts:
    """The host; None where it does not tell. Shares are of the processors' time just now, where they were watched."""

    usable_cores: int | None = None
    quota_cores: float | None = None
    governor: str | None = None
    turbo: bool | None = None
    most_mhz: float | None = None
    limit_mhz: float | None = None
    throttle_events: int | None = None
    swap_used_bytes: int | None = None
    available_bytes: int | None = None
    guest: str | None = None
    driver_files: bool = False
    iommu: bool = False
    cpu_share_of_others: float | None = None
    stolen_share: float | None = None


@dataclass(frozen=True)
class Disk:
    """Where the flag `flag` lets the run write, and the bytes that are free there."""

    flag: str
    folder: str
    free_bytes: int


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Everything. `gpus` are none where the run computes on the CPU; `built` and `version` are TensorFlow's.

    `data_bytes` are those of the training files, where they were counted.
    """

    params: Params
    host: HostFacts = field(default_factory=HostFacts)
    gpus: Gpus = field(default_factory=Gpus)
    version: str | None = None
    built: Mapping[str, Any] = field(default_factory=dict)
    disks: tuple[Disk, ...] = ()
    need: Need | None = None
    data_bytes: int | None = None

    @property
    def surely_on_gpus(self) -> bool:
        """Whether the run would not fall back on the CPU (devices.py: kind_of_towers)."""
        asked = self.params
        return asked.device == "gpu" or (asked.device == "auto" and (asked.num_gpus > 1 or bool(asked.gpu_indices)))

    @property
    def surely_on_cpu(self) -> bool:
        """Whether the run computes on the CPU: it was told to, or there is no sign of a GPU, so that it falls back."""
        if self.params.device != "auto":
            return self.params.device == "cpu"
        signs = self.surely_on_gpus or self.gpus.used or self.host.driver_files
        return not signs and not self.built.get("is_rocm_build")

    @property
    def surely_on_these(self) -> bool:
        """Whether the run would take the GPUs that `gpus` names, and not fall back on others or the CPU."""
        return self.surely_on_gpus and self.gpus.certain

    @property
    def alone(self) -> bool:
        """Whether this process is all of the run: processes of the same run are no strangers."""
        return not self.params.job_name and self.params.variable_update != "horovod"


def read(params: Params, *, thorough: bool = False, variables: Mapping[str, str] = os.environ) -> Facts:
    """Return the facts of this machine and of the run of `params`.

    `thorough`: with those that take time, the load of half a second and the size of the data.
    """
    return Facts(
        params=params,
        host=host(watch=thorough),
        gpus=gpu_facts.read(params, variables) if params.device != "cpu" and _computes(params) else Gpus(),
        version=packages()["tensorflow"],
        built=build(),
        disks=_disks(params),
        need=need(params) if _computes(params) else None,
        data_bytes=_data_bytes(params) if thorough else None,
    )


def _computes(params: Params) -> bool:
    """Whether this process has towers: parameter servers and controllers have none."""
    return params.job_name in ("", "worker")


def host(root: Path = ROOT, *, watch: bool = False) -> HostFacts:
    """Return the facts of the host; with `watch` the load too, which is looked at for a moment."""
    load: dict[str, Any] = {}
    if watch:
        before = HostLoad()
        time.sleep(1.2 * LEAST_SECONDS)
        load = before.facts()
    known = clocks(root)
    return HostFacts(
        usable_cores=usable_cores(),
        quota_cores=cpu_quota(root / MEMBERSHIP, root / GROUPS),
        governor=known["governor"],
        turbo=known["turbo"],
        most_mhz=known["most_mhz"],
        limit_mhz=known["limit_mhz"],
        throttle_events=throttle_events(root),
        swap_used_bytes=memory(root)["swap_used_bytes"],
        available_bytes=available(),
        guest=virtualisation(root)["kind"],
        driver_files=exists(root / "proc/driver/nvidia/version"),
        iommu=_translates(root),
        cpu_share_of_others=load.get("cpu_share_of_others"),
        stolen_share=load.get("stolen_share"),
    )


def _translates(root: Path) -> bool:
    """Whether an IOMMU translates what devices send to one another: it is on, and not told to pass it through."""
    try:
        on = any((root / "sys/class/iommu").iterdir())
    except OSError:
        return False
    words = read_text(root / "proc/cmdline").split()
    return on and not {"iommu=pt", "iommu.passthrough=1"} & set(words)


def _disks(params: Params) -> tuple[Disk, ...]:
    folders = {"results_dir": params.results_dir, "train_dir": None if params.eval else params.train_dir}
    found = []
    for flag, folder in folders.items():
        if folder and (free := _free(Path(folder).expanduser().absolute())) is not None:
            found.append(Disk(flag, folder, free))
    return tuple(found)


def _free(folder: Path) -> int | None:
    """Bytes that are free where `folder` is or would be made; None where the file system does not tell."""
    for place in (folder, *folder.parents):
        if exists(place):
            try:
                usage = shutil.disk_usage(place)
            except OSError:
                return None
            return usage.free if usage.total else None
    return None


def _data_bytes(params: Params) -> int | None:
    """Bytes of the files to train on, which lie in --data_dir itself."""
    if not params.data_dir:
        return None
    try:
        files = [path for path in Path(params.data_dir).expanduser().glob("train*") if path.is_file()]
        return sum(path.stat().st_size for path in files) or None
    except OSError:
        return None
