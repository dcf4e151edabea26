"""What a run ran on: software, environment variables, processor, memory and GPUs.

Nothing here fails a run. What cannot be found out is None, or comes with the reason. TensorFlow is not imported.
"""

from __future__ import annotations

import contextlib
import os
import platform
import re
import subprocess
from collections.abc import Callable, Mapping
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

import psutil

# Each under its own name and then those under which the same module is also given out.
_PACKAGES = (
    ("tensorflow", "tensorflow-cpu", "tf-nightly", "tensorflow-rocm", "tensorflow-macos"),
    ("numpy",),
    ("absl-py",),
    ("pandas",),
)
_PREFIXES = (
    "TF_", "CUDA_", "XLA_", "ONEDNN_", "DNNL_", "OMP_", "KMP_", "GOMP_", "NCCL_", "NVIDIA_", "MALLOC_",
    "GLIBC_TUNABLES", "LD_PRELOAD", "TCMALLOC_", "JEMALLOC_",
)  # fmt: skip
# A record is made to be shared. NVIDIA_API_KEY is a secret; TF_VAR_ and TF_TOKEN_ belong to Terraform, not TensorFlow.
_SECRET = re.compile(r"KEY|TOKEN|SECRET|PASSW|CREDENTIAL|^TF_VAR_")
_CPU_FLAGS = re.compile(r"avx2|fma|f16c|avx512f|avx512_(bf16|fp16|vnni)|avx_vnni|amx_\w+|asimd|sve2?|bf16|i8mm")
_GIT_SECONDS = 10  # a checkout on a slow network disk; a hanging one must not hold up the run


def environment(variables: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """Return the software of this machine, and those of `variables` that steer it, secrets hidden."""
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "kernel": platform.release(),
        "hostname": platform.node(),
        "packages": {names[0]: _version(names) for names in _PACKAGES},
        "git": checkout(Path(__file__).resolve().parents[1]),
        "variables": {
            name: "(hidden)" if _SECRET.search(name) else value
            for name, value in sorted(variables.items())
            if name.startswith(_PREFIXES)
        },
    }


def hardware() -> dict[str, Any]:
    """Return the processor, the memory, and the GPUs that the NVIDIA driver shows.

    Where there is no driver, `gpus` is empty and `nvml` says why.
    """
    return {"cpu": _cpu(), "memory_bytes": psutil.virtual_memory().total, **gpus()}


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
        lines = error.stderr.strip().splitlines()
        return {"commit": None, "reason": lines[0] if lines else f"git ended with exit code {error.returncode}"}
    except (OSError, subprocess.TimeoutExpired) as error:
        return {"commit": None, "reason": f"git cannot be used: {error}"}
    return {"commit": commit, "dirty": bool(changes)}


def cpu_quota(membership: Path = Path("/proc/self/cgroup"), root: Path = Path("/sys/fs/cgroup")) -> float | None:
    """Return how many cores' time the control groups of this process allow; None where there is no limit or no group.

    Control groups nest, and the tightest limit holds. Version 2 writes "quota period" or "max period" into cpu.max;
    version 1 has a file for each, and a quota of -1 for no limit.
    """
    return min(filter(None, map(_limit, control_groups("cpu", membership, root))), default=None)


def control_groups(
    controller: str, membership: Path = Path("/proc/self/cgroup"), root: Path = Path("/sys/fs/cgroup")
) -> list[Path]:
    """Return the folders of the control groups of this process that `controller` ("cpu", "memory") may limit."""
    groups = []
    for line in read_text(membership).splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        top = root / controller if controllers else root
        group = top / path.lstrip("/")
        # In a container the path may be the host's and lead nowhere; the root is then the container's own group.
        groups += [folder for folder in (group, *group.parents) if folder == top or top in folder.parents]
    return groups


def started_nvml(nvml: ModuleType | None = None) -> ModuleType | str:
    """Return NVML, ready to be asked until its nvmlShutdown, or why it cannot be; `nvml` stands in for it in tests."""
    try:
        import pynvml  # absent where only the CPU is of interest
    except ImportError:
        return "the package nvidia-ml-py is not installed"
    nvml = nvml or pynvml
    try:
        nvml.nvmlInit()
    except pynvml.NVMLError as error:
        return str(error)
    return nvml


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
    return {
        "index": index,
        "name": ask(nvml.nvmlDeviceGetName, handle),
        "uuid": ask(nvml.nvmlDeviceGetUUID, handle),
        "memory_bytes": memory and memory.total,
    }


def ask(question: Callable[..., Any], *arguments: Any) -> Any:
    """Return NVML's answer, or None where the driver or the device has none."""
    from pynvml import NVMLError

    try:
        answer = question(*arguments)
    except NVMLError:
        return None
    return answer.decode() if isinstance(answer, bytes) else answer  # bytes before release 11.515 of the package


def _cpu() -> dict[str, Any]:
    facts = _cpuinfo(read_text(Path("/proc/cpuinfo")))
    model = facts.get("model name") or _sysctl("machdep.cpu.brand_string") or platform.processor()
    flags = (facts.get("flags") or facts.get("Features") or "").split()
    return {
        "model": model or platform.machine(),
        "logical_cores": psutil.cpu_count(),
        "physical_cores": psutil.cpu_count(logical=False),
        "usable_cores": _usable_cores(),
        "quota_cores": cpu_quota(),
        "flags": sorted(flag for flag in set(flags) if _CPU_FLAGS.fullmatch(flag)),
    }


def _cpuinfo(text: str) -> dict[str, str]:
    """Return the facts of the first core of /proc/cpuinfo."""
    lines = (line.partition(":") for line in text.split("\n\n", 1)[0].splitlines())
    return {name.strip(): value.strip() for name, _, value in lines}


def _usable_cores() -> int | None:
    """Return on how many logical cores this process may run."""
    if hasattr(os, "sched_getaffinity"):  # Linux
        return len(os.sched_getaffinity(0))
    cores: int | None = psutil.cpu_count()
    return cores


def _sysctl(name: str) -> str:
    """Return a fact that macOS has; "" elsewhere."""
    if platform.system() != "Darwin":
        return ""
    try:
        answer = subprocess.run(["sysctl", "-n", name], capture_output=True, text=True, timeout=5, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return answer.stdout.strip()


def _limit(group: Path) -> float | None:
    quota, _, period = read_text(group / "cpu.max").strip().partition(" ")
    if not period:
        quota = read_text(group / "cpu.cfs_quota_us").strip()
        period = read_text(group / "cpu.cfs_period_us").strip()
    return int(quota) / int(period) if quota.isdigit() and period.isdigit() and int(period) else None


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", "--no-optional-locks", "-C", str(folder), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=_GIT_SECONDS, check=True).stdout.strip()


def read_text(path: Path) -> str:
    """Return the text of a file of the kernel's; "" where there is none."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _version(names: tuple[str, ...]) -> str | None:
    """Return the version of the first of these packages that is installed."""
    for name in names:
        with contextlib.suppress(metadata.PackageNotFoundError):
            return metadata.version(name)
    return None
