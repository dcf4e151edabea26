"""Instruction sets that the processor has and the installed TensorFlow was not built for. Imports no TensorFlow."""

from __future__ import annotations

import importlib.util
import os
import platform
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

# TensorFlow knows for what it was compiled, and tells it in a line of its log, which this has it write. The function
# is the one that `import tensorflow` calls; its library alone is loaded in a tenth of a second.
_ASK = "import ctypes, sys; ctypes.CDLL(sys.argv[1])._ZN10tensorflow4port26InfoAboutUnusedCPUFeaturesEv()"
_LIBRARIES = "libtensorflow_framework.so*"
_UNUSED = re.compile(r"enable the following instructions: ([A-Z0-9_. ]+?)(?:, in other operations)?, rebuild")
_BUILT_FOR_ALL = "performance-critical operations"  # what it says where it leaves nothing out
_X86 = ("x86_64", "AMD64")  # elsewhere TensorFlow does not compare
_SECONDS = 30.0


class Unused(NamedTuple):
    """The `names` of the sets, as TensorFlow writes them; where it cannot be known, None and a `reason`."""

    names: tuple[str, ...] | None
    reason: str = ""


def unused_instruction_sets() -> Unused:
    """Ask the installed TensorFlow."""
    if platform.machine() not in _X86:
        return Unused(None, f"TensorFlow does not tell it on {platform.machine()}")
    found = importlib.util.find_spec("tensorflow")
    folders = list(found.submodule_search_locations or ()) if found else []
    libraries = [library for folder in folders for library in sorted(Path(folder).glob(_LIBRARIES))]
    if not libraries:
        return Unused(None, f"the installed TensorFlow has no {_LIBRARIES}")
    try:
        asked = subprocess.run(
            [sys.executable, "-S", "-c", _ASK, str(libraries[0])],
            env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "0", "CUDA_VISIBLE_DEVICES": "-1"},
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return Unused(None, f"it could not be asked: {error}")
    return read(asked.stderr)


def read(log: str) -> Unused:
    """What TensorFlow says in `log`."""
    if match := _UNUSED.search(log):
        return Unused(tuple(match[1].split()))
    if _BUILT_FOR_ALL in log:
        return Unused(())
    lines = log.strip().splitlines()
    return Unused(None, f"TensorFlow did not tell{f': {lines[-1]}' if lines else ''}")
