"""What of the settings for the processors is in effect, once TensorFlow is loaded: asked of it and of the system."""

from __future__ import annotations

import ctypes
import os
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf

from benchmarks import numa
from benchmarks.instruction_sets import unused_instruction_sets
from benchmarks.machine.files import exists, read_text
from benchmarks.machine.processors import usable_cores

_OPENMP_FUNCTION = "omp_get_max_threads"  # every OpenMP runtime has it
_OF_OPENMP = ("OMP_", "KMP_", "GOMP_")
_OF_GPUS = ("TF_GPU_", "TF_FORCE_GPU_", "TF_FORCE_UNIFIED_MEMORY")
_LIBRARIES = ("libtensorflow_framework.so.2", "libtensorflow_cc.so.2")
_ALLOCATORS = re.compile(r"/lib(tcmalloc|jemalloc|mimalloc)[^/]*$")


def in_effect(kind: str, own: Collection[str], environment: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """What a record has of it, for towers on `kind`, "cpu" or "gpu". None is what cannot be known.

    `own` are the variables of `environment` that the run has set itself.
    """
    openmp = _has_openmp()
    unused = unused_instruction_sets()
    return {
        "onednn": _onednn_is_on(),
        "openmp": openmp,
        "intra_threads": _threads(
            tf.config.threading.get_intra_op_parallelism_threads(), environment, "TF_NUM_INTRAOP_THREADS"
        ),
        "inter_threads": _threads(
            tf.config.threading.get_inter_op_parallelism_threads(), environment, "TF_NUM_INTEROP_THREADS"
        ),
        "numa": numa.state(),
        "malloc": _malloc(),
        "ignored_variables": ignored(environment, own, kind=kind, openmp=openmp),
        "instruction_sets": {"unused": unused.names, **({"reason": unused.reason} if unused.reason else {})},
    }


def ignored(environment: Mapping[str, str], own: Collection[str], *, kind: str, openmp: bool | None) -> dict[str, str]:
    """Variables that are set and that nothing of this run heeds, and why.

    Those of GPUs that the run has set itself are left out: it did before it knew whether there is one.
    """
    found = {}
    for name in sorted(environment):
        if openmp is False and name.startswith(_OF_OPENMP):
            found[name] = "this TensorFlow has no OpenMP"
        elif kind == "cpu" and name.startswith(_OF_GPUS) and name not in own:
            found[name] = "no tower is on a GPU"
        elif name == "LD_PRELOAD" and (absent := _absent(environment[name])):
            found[name] = f"there is no {', '.join(absent)}"
    return found


def _absent(preloaded: str) -> list[str]:
    """Those of the libraries in LD_PRELOAD, paths between colons or blanks, that are not there."""
    return [path for path in re.split("[: ]+", preloaded) if "/" in path and not exists(Path(path))]


def words_on(facts: Mapping[str, Any], mkl: bool | None, kind: str, own: Collection[str] = ()) -> Iterator[str]:
    """What is worth a word of `facts`, where `mkl` was asked for and towers are on `kind`: a line each.

    `own` are the variables that the run has set itself, which no user needs to unset.
    """
    if mkl is not None and facts["onednn"] not in (None, mkl):
        asked = "--mkl" if mkl else "--nomkl"
        yield f"WARNING: {asked}: oneDNN is {'on' if facts['onednn'] else 'off'}: this TensorFlow does not heed it."
    by_reason: dict[tuple[str, bool], list[str]] = {}
    for name, reason in facts["ignored_variables"].items():
        by_reason.setdefault((reason, name in own), []).append(name)
    for (reason, by_run), names in by_reason.items():
        if by_run:
            yield f"NOTE: {', '.join(names)}, which --mkl sets: no effect: {reason}."
        else:
            yield f"WARNING: {', '.join(names)}: no effect: {reason}."
    unused = facts["instruction_sets"]["unused"]
    if kind == "cpu" and unused and mkl is not None:  # others who want to know ask the record
        yield (
            f"NOTE: this TensorFlow was not built for {', '.join(unused)}, which the processor has. A build from "
            "source would use them beside oneDNN, which finds out by itself what there is."
        )


def _onednn_is_on() -> bool | None:
    try:
        # There is no public way to ask; TensorFlow's own tests ask in this one.
        from tensorflow.python.util import _pywrap_util_port

        return bool(_pywrap_util_port.IsMklEnabled())
    except (ImportError, AttributeError):
        return None


def _has_openmp() -> bool | None:
    """Whether TensorFlow's libraries contain or need an OpenMP runtime; others in this process do not count."""
    loaded = []
    for name in _LIBRARIES:
        path = Path(tf.sysconfig.get_lib()) / name
        try:
            loaded.append(ctypes.CDLL(str(path), mode=os.RTLD_NOLOAD | os.RTLD_LAZY))
        except (OSError, AttributeError):  # not loaded, or not on Linux
            continue
    return any(hasattr(library, _OPENMP_FUNCTION) for library in loaded) if loaded else None


def _threads(configured: int, environment: Mapping[str, str], variable: str) -> dict[str, Any]:
    """How many threads of a kind there are, and who says so; without a word TensorFlow has one for each processor."""
    if configured:
        return {"threads": configured, "by": "the run"}
    if environment.get(variable, "0").isdigit() and int(environment.get(variable, "0")):
        return {"threads": int(environment[variable]), "by": variable}
    return {"threads": usable_cores(), "by": "TensorFlow"}


def _malloc() -> str | None:
    """Whose malloc this process has: that of the C library, or one that LD_PRELOAD put in its place."""
    maps = read_text(Path("/proc/self/maps"))
    if not maps:
        return None
    found = {match[1] for line in maps.splitlines() if (match := _ALLOCATORS.search(line))}
    return " and ".join(sorted(found)) or "the C library's"
