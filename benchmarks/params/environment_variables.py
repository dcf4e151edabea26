"""The environment variables that TensorFlow reads when it is imported or first used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.params.params import Params

DEFAULT_GPU_THREADS = 2  # one that launches kernels, one for copies


@dataclass(frozen=True)
class Override:
    """A variable that the environment has with another value than the options ask for."""

    variable: str
    found: str
    value: str

    def __str__(self) -> str:
        return f"{self.variable}={self.found} in the environment is replaced by {self.value}, which the flags ask for."


def environment_variables(params: Params) -> dict[str, str]:
    """What to set before TensorFlow is imported. GPU variables are left out only where it is sure that no GPU is used.

    A variable that a TensorFlow release does not know has no effect there.
    """
    variables = {} if params.device == "cpu" else _gpu_variables(params)
    if params.autotune_threshold is not None:
        variables["TF_AUTOTUNE_THRESHOLD"] = str(params.autotune_threshold)
    if params.mkl is not None:
        variables |= _mkl_variables(params) if params.mkl else {"TF_ENABLE_ONEDNN_OPTS": "0"}
    if params.onednn_verbose:
        variables["ONEDNN_VERBOSE"] = "1"
    return variables


def overrides(variables: Mapping[str, str], environment: Mapping[str, str]) -> list[Override]:
    """Which of `variables` replace a different value in `environment`."""
    return [
        Override(name, environment[name], value)
        for name, value in variables.items()
        if environment.get(name, value) != value
    ]


def _gpu_variables(params: Params) -> dict[str, str]:
    variables = {
        "TF_GPU_THREAD_MODE": params.gpu_thread_mode,
        "TF_SYNC_ON_FINISH": str(int(params.sync_on_finish)),
        "TF_ENABLE_WINOGRAD_NONFUSED": str(int(params.winograd_nonfused)),
        "TF_USE_CUDNN_BATCHNORM_SPATIAL_PERSISTENT": str(int(params.batchnorm_persistent)),
    }
    threads = params.per_gpu_thread_count or DEFAULT_GPU_THREADS
    if params.gpu_thread_mode == "gpu_private":
        variables["TF_GPU_THREAD_COUNT"] = str(threads)
    elif params.gpu_thread_mode == "gpu_shared":
        variables["TF_GPU_THREAD_COUNT"] = str(threads * params.num_gpus)
    if params.allow_growth is not None:
        variables["TF_FORCE_GPU_ALLOW_GROWTH"] = str(params.allow_growth).lower()
    if params.gpu_allocator:
        variables["TF_GPU_ALLOCATOR"] = params.gpu_allocator
    if params.use_unified_memory is not None:
        variables["TF_FORCE_UNIFIED_MEMORY"] = str(int(params.use_unified_memory))
    return variables


def _mkl_variables(params: Params) -> dict[str, str]:
    variables = {
        "TF_ENABLE_ONEDNN_OPTS": "1",
        "KMP_BLOCKTIME": str(params.kmp_blocktime),
        "KMP_SETTINGS": str(params.kmp_settings),
    }
    if params.kmp_affinity:
        variables["KMP_AFFINITY"] = params.kmp_affinity
    if params.num_intra_threads:
        variables["OMP_NUM_THREADS"] = str(params.num_intra_threads)
    return variables
