"""What a run ran on: software, environment variables, processor, memory and GPUs.

Nothing here fails a run. What cannot be found out is None, or comes with the reason. TensorFlow is not imported.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import psutil

from benchmarks import discretion
from benchmarks.machine.answers import answer
from benchmarks.machine.main_memory import memory
from benchmarks.machine.processors import numa_nodes, processors
from benchmarks.machine.software import build, packages
from benchmarks.machine.virtualisation import container, virtualisation

_STEERING = re.compile(
    "(TF|CUDA|XLA|OMP|KMP|GOMP|MKL|DNNL|ONEDNN|NCCL|NVIDIA|CUDNN|HOROVOD|MALLOC|TCMALLOC|JEMALLOC)_.+"
    "|LD_LIBRARY_PATH|LD_PRELOAD|GLIBC_TUNABLES"
)
# Terraform's, which begin with TF_ too: https://developer.hashicorp.com/terraform/cli/config/environment-variables
_OF_ANOTHER = re.compile(
    "TF_(VAR_.*|TOKEN_.*|CLI_.*|LOG|LOG_.*|INPUT|DATA_DIR|WORKSPACE|IN_AUTOMATION|REGISTRY_.*|PLUGIN_CACHE_.*|IGNORE"
    "|STATE_.*|CLOUD_.*|ENCRYPTION|APPEND_USER_AGENT|REATTACH_PROVIDERS|ACC|ACC_.*)"
)
_left: list[str] = []  # why NVML is asked no more
_GIT_SECONDS = 10  # a checkout on a slow network disk; a hanging one must not hold up the run


def environment(variables: Mapping[str, str] = os.environ, *, names: bool = False) -> dict[str, Any]:
    """Return the software of this machine, and those of `variables` that steer it, secrets hidden.

    `names`: with names of hosts, its own and those in variables. `machine` tells it from others in any case.
    """
    own = {"hostname": platform.node()} if names else {}
    return own | {
        "machine": discretion.machine_id(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "kernel": platform.release(),
        "container": container(variables=variables),
        "packages": packages(),
        "tensorflow_build": build(),
        "git": checkout(Path(__file__).resolve().parents[1]),
        "variables": {
            name: discretion.variable(name, value, names)
            for name, value in sorted(variables.items())
            if _STEERING.fullmatch(name) and not _OF_ANOTHER.fullmatch(name)
        },
    }


def hardware() -> dict[str, Any]:
    """Return processors, memory, whether this is a guest, and the GPUs that the NVIDIA driver shows.

    Where there is no driver, `gpus` is empty and `nvml` says why.
    """
    whole = answer(psutil.virtual_memory)
    return {
        "cpu": processors(),
        "numa_nodes": numa_nodes(),
        "memory_bytes": whole and whole.total,
        "memory": memory(),
        "virtualisation": virtualisation(),
        **gpus(),
    }


def checkout(folder: Path) -> dict[str, Any]:
    """Return the commit that `folder` is a checkout of, and whether tracked files were changed since.

    Where it is no checkout of its own, or git cannot say, `commit` is None and `reason` says why.
    """
    try:
        if not Path(_git(folder, "rev-parse", "--show-toplevel")).samefile(folder):
            return {"commit": None, "reason": "not a checkout of its own"}
        commit = _git(folder, "rev-parse", "--verify", "HEAD")
        changes = _git(folder, "status", "--porcelain", "--untracked-files=no")
    except subprocess.CalledProcessError as error:
        lines = error.stderr.decode(errors="replace").strip().splitlines()
        return {"commit": None, "reason": lines[0] if lines else f"git ended with exit code {error.returncode}"}
    except (OSError, subprocess.TimeoutExpired) as error:
        return {"commit": None, "reason": f"git cannot be used: {error}"}
    return {"commit": commit, "dirty": bool(changes)}


def digest_of_changes(folder: Path) -> str:
    """Return 8 hex digits that stand for what tracked files have other than the commit; "" where git cannot say."""
    try:
        found = _git_bytes(folder, "diff", "--binary", "--no-ext-diff", "--no-textconv", "--no-color", "HEAD")
    except (OSError, subprocess.SubprocessError):
        return ""
    return hashlib.sha256(found).hexdigest()[:8]


def started_nvml(nvml: ModuleType | None = None) -> ModuleType | str:
    """Return NVML, ready to be asked until its nvmlShutdown, or why it cannot be; `nvml` stands in for it in tests.

    One that does not tell how many GPUs there are tells nothing: that is not the same as that there are none.
    """
    try:
        import pynvml  # absent where only the CPU is of interest
    except ImportError:
        return "the package nvidia-ml-py is not installed"
    if _left and nvml is None:
        return _left[0]
    nvml = nvml or pynvml
    try:
        nvml.nvmlInit()
    except pynvml.NVMLError as error:
        return str(error)
    try:
        nvml.nvmlDeviceGetCount()
    except pynvml.NVMLError as error:
        ask(nvml.nvmlShutdown)
        return f"it does not tell how many GPUs there are: {error}"
    return nvml


def leave_nvml(reason: str) -> None:
    """Let NVML be asked no more in this process: it holds whoever asks."""
    _left.append(reason)


def gpus(nvml: ModuleType | None = None) -> dict[str, Any]:
    """Return the GPUs, the driver and the CUDA version it supports, as NVML tells; `nvml` stands in for it in tests."""
    started = started_nvml(nvml)
    if isinstance(started, str):
        return {"gpus": [], "nvml": started}
    try:
        cuda = ask(started.nvmlSystemGetCudaDriverVersion_v2)
        return {
            "gpus": [_gpu(started, index) for index in range(ask(started.nvmlDeviceGetCount) or 0)],
            "nvml": "ok",
            "driver": ask(started.nvmlSystemGetDriverVersion),
            "cuda_driver": cuda and f"{cuda // 1000}.{cuda % 1000 // 10}",  # 12040 is 12.4
        }
    finally:
        ask(started.nvmlShutdown)


def _gpu(nvml: ModuleType, index: int) -> dict[str, Any]:
    handle = ask(nvml.nvmlDeviceGetHandleByIndex, index)
    if handle is None:
        return {"index": index, "name": None, "uuid": None, "memory_bytes": None}
    memory = ask(nvml.nvmlDeviceGetMemoryInfo, handle)  # refused where GPU and processor share their memory
    capability = ask(nvml.nvmlDeviceGetCudaComputeCapability, handle)
    return {
        "index": index,
        "name": ask(nvml.nvmlDeviceGetName, handle),
        "uuid": ask(nvml.nvmlDeviceGetUUID, handle),
        "memory_bytes": memory and memory.total,
        "compute_capability": capability and "{}.{}".format(*capability),
        "power_limit_watts": _watts(ask(nvml.nvmlDeviceGetEnforcedPowerLimit, handle)),
        "default_power_limit_watts": _watts(ask(nvml.nvmlDeviceGetPowerManagementDefaultLimit, handle)),
        **_mig(nvml, handle),
    }


def _mig(nvml: ModuleType, handle: Any) -> dict[str, Any]:
    """Whether MIG splits a GPU, and into which parts; nothing where NVML does not tell, as of a GPU without MIG."""
    mode = ask(nvml.nvmlDeviceGetMigMode, handle)
    if mode is None or not mode[0]:
        return {} if mode is None else {"mig": False}
    parts = [
        {"name": ask(nvml.nvmlDeviceGetName, part), "uuid": ask(nvml.nvmlDeviceGetUUID, part)}
        for part in mig_parts(nvml, handle)
    ]
    return {"mig": True, "mig_parts": parts}


def mig_parts(nvml: ModuleType, handle: Any) -> list[Any]:
    """Handles of the parts of a GPU on which CUDA can compute; none of a whole one, or where NVML does not tell."""
    most = ask(nvml.nvmlDeviceGetMaxMigDeviceCount, handle) or 0
    found = [ask(nvml.nvmlDeviceGetMigDeviceHandleByIndex, handle, number) for number in range(most)]
    return [part for part in found if part is not None]


def _watts(milliwatts: int | None) -> float | None:
    return None if milliwatts is None else milliwatts / 1000


def ask(question: Callable[..., Any], *arguments: Any) -> Any:
    """Return NVML's answer, or None where the driver or the device has none, or no text that can be read."""
    from pynvml import NVMLError, NVMLLibraryMismatchError  # which is none: the driver is older than the question

    try:
        answer = question(*arguments)
        return answer.decode() if isinstance(answer, bytes) else answer  # bytes before release 11.515 of the package
    except (NVMLError, NVMLLibraryMismatchError, UnicodeDecodeError):
        return None


def processes(nvml: ModuleType, handle: Any) -> list[Any] | None:
    """Return the processes that compute on a GPU (`pid`, `usedGpuMemory`); None where the driver does not tell.

    Drivers before 510, K80's last among them, know the question only as it was before.
    """
    found: list[Any] | None = ask(nvml.nvmlDeviceGetComputeRunningProcesses, handle)
    older = getattr(nvml, "nvmlDeviceGetComputeRunningProcesses_v2", None)
    return ask(older, handle) if found is None and older else found


def _git(folder: Path, *arguments: str) -> str:
    return _git_bytes(folder, *arguments).decode(errors="replace").strip()


def _git_bytes(folder: Path, *arguments: str) -> bytes:
    command = ["git", "--no-optional-locks", "-C", str(folder), *arguments]
    return subprocess.run(command, capture_output=True, timeout=_GIT_SECONDS, check=True).stdout
