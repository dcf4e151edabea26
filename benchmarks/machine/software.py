"""The software of a run: packages, how TensorFlow was built, and the libraries of CUDA. TensorFlow is not imported."""

from __future__ import annotations

import ast
import contextlib
import ctypes
import importlib.util
import re
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

from benchmarks.machine.files import ROOT, read_text

# Each under its own name and then those under which the same module is also given out.
_PACKAGES = (
    ("tensorflow", "tensorflow-cpu", "tf-nightly", "tensorflow-rocm", "tensorflow-macos"),
    ("numpy",),
    ("absl-py",),
    ("pandas",),
)
# Recorded where they are installed: what TensorFlow computes and is fed with, and what is measured with.
_FURTHER = (
    "keras", "tf-keras", "protobuf", "grpcio", "h5py", "ml-dtypes", "flatbuffers", "scipy", "psutil", "nvidia-ml-py",
    "horovod", "mpi4py", "ai-edge-litert", "tensorflow-metal", "intel-extension-for-tensorflow",
)  # fmt: skip
_OF_CUDA = (
    "cublas", "cuda-cupti", "cuda-nvcc", "cuda-nvrtc", "cuda-runtime", "cudnn", "cufft", "curand", "cusolver",
    "cusparse", "nccl", "nvjitlink",
)  # fmt: skip
_CUDA_RELEASES = ("cu11", "cu12", "cu13")
_BUILD_FILE = "python/platform/build_info.py"


def packages() -> dict[str, str | None]:
    """Return the versions of packages: those that every run needs, None where they are missing, and further ones."""
    needed = {names[0]: _version(names) for names in _PACKAGES}
    of_cuda = [f"nvidia-{name}-{release}" for name in _OF_CUDA for release in _CUDA_RELEASES]
    further = {name: _version((name,)) for name in (*_FURTHER, *of_cuda)}
    return needed | {name: version for name, version in further.items() if version}


def build(folder: Path | None = None) -> dict[str, Any]:
    """Return how TensorFlow was built: releases of CUDA and cuDNN, compute capabilities; empty where it is not known.

    They are tf.sysconfig.get_build_info()'s, and before TensorFlow is imported those of the file in its `folder` that
    this function reads; with them the version of the source and of the compiler, which only TensorFlow knows.
    """
    tensorflow: Any = sys.modules.get("tensorflow") if folder is None else None
    if tensorflow is not None and hasattr(tensorflow, "sysconfig"):
        told = {"source": tensorflow.version.GIT_VERSION, "compiler": tensorflow.version.COMPILER_VERSION}
        return dict(tensorflow.sysconfig.get_build_info()) | told
    folder = folder or _folder_of_tensorflow()
    return _build_of(read_text(folder / _BUILD_FILE)) if folder else {}


def capabilities(built: dict[str, Any]) -> list[str]:
    """Return the compute capabilities that `built` has kernels for, as "sm_60" or "compute_90"."""
    found = built.get("cuda_compute_capabilities")
    return [str(each) for each in found] if isinstance(found, list | tuple) else []


def loaded_libraries(root: Path = ROOT) -> dict[str, str]:
    """Return the versions of CUDA's libraries that this process has loaded, as they tell them: cuda, cudnn, nccl."""
    files = set(re.findall(r"/\S*/lib(?:cudart|cudnn|nccl)\.so\S*", read_text(root / "proc/self/maps")))
    found = {name: _asked(file) for file in files for name in _VERSIONS if Path(file).name.startswith(f"lib{name}.so")}
    return {name.replace("cudart", "cuda"): version for name, version in sorted(found.items()) if version}


def _asked(file: str) -> str | None:
    """What the library `file` tells of its version. It is loaded already, so opening it again starts nothing."""
    name = Path(file).name.split(".")[0].removeprefix("lib")
    try:
        library = ctypes.CDLL(file)
        return _VERSIONS[name](library)
    except (OSError, AttributeError):
        return None


def _cudnn(library: Any) -> str:
    library.cudnnGetVersion.restype = ctypes.c_size_t
    number = library.cudnnGetVersion()
    thousand = 10000 if number >= 90000 else 1000  # 8902 is 8.9.2, 90100 is 9.1.0
    return f"{number // thousand}.{number % thousand // 100}.{number % 100}"


def _nccl(library: Any) -> str | None:
    number = ctypes.c_int()
    if library.ncclGetVersion(ctypes.byref(number)):
        return None
    thousand = 10000 if number.value >= 10000 else 1000  # 2708 is 2.7.8, 21805 is 2.18.5
    return f"{number.value // thousand}.{number.value % thousand // 100}.{number.value % 100}"


def _cuda(library: Any) -> str | None:
    number = ctypes.c_int()
    if library.cudaRuntimeGetVersion(ctypes.byref(number)):
        return None
    return f"{number.value // 1000}.{number.value % 1000 // 10}"  # 12050 is 12.5


_VERSIONS = {"cudart": _cuda, "cudnn": _cudnn, "nccl": _nccl}


def _folder_of_tensorflow() -> Path | None:
    with contextlib.suppress(ImportError, ValueError):
        found = importlib.util.find_spec("tensorflow")
        if found and found.submodule_search_locations:
            return Path(next(iter(found.submodule_search_locations)))
    return None


def _build_of(source: str) -> dict[str, Any]:
    """The pairs that the file's one assignment, build_info, is made of; nothing of it is run."""
    with contextlib.suppress(SyntaxError, ValueError, TypeError):
        for statement in ast.parse(source).body:
            if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Call):
                return dict(ast.literal_eval(statement.value.args[0]))
    return {}


def _version(names: tuple[str, ...]) -> str | None:
    """Return the version of the first of these packages that is installed."""
    for name in names:
        with contextlib.suppress(metadata.PackageNotFoundError):
            return metadata.version(name)
    return None
