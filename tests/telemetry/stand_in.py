"""The real nvidia-ml-py, and our use of CUDA, over libraries of our own in place of the driver's."""

import ctypes
import functools
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from benchmarks.telemetry import wiring

HERE = Path(__file__).parent


@functools.cache
def library(name: str = "nvml", soname: str = "libnvidia-ml.so.1", defined: str = "") -> Path:
    """NAME.c with the macro `defined`, built once a process; skips the test where there is no C compiler."""
    compiler = next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))), None)
    if compiler is None:
        pytest.skip(f"no C compiler (cc, gcc or clang) to build the stand-in for {name}")
    path = Path(tempfile.mkdtemp(prefix=name)) / soname
    flags = [
        "-shared",
        "-fPIC",
        "-Wall",
        "-Wextra",
        "-Werror",
        f"-Wl,-soname,{path.name}",
        *([f"-D{defined}"] * bool(defined)),
    ]
    subprocess.run([compiler, *flags, "-o", path, HERE / f"{name}.c"], check=True)
    return path


class Machine:
    """What the stand-in tells; `set` changes it while it is looked at. In the file, "PID" is this process."""

    def __init__(self, file: Path, text: str) -> None:
        self._file = file
        self._write(text.replace("PID", str(os.getpid())))

    def set(self, key: str, value: object) -> None:
        """Let `key` have this value, whatever it had."""
        others = [
            line for line in self._file.read_text(errors="surrogateescape").splitlines() if line.split(" ")[0] != key
        ]
        self._write("\n".join([*others, f"{key} {value}", ""]))

    def _write(self, text: str) -> None:
        new = self._file.with_suffix(".new")
        new.write_text(text, errors="surrogateescape")
        new.replace(self._file)
        wiring.known.cache_clear()


def put_in_place(text: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """Let nvidia-ml-py, from now to the end of the test, find the machine that `text` describes.

    The library has the functions that one of the machine's driver has, as far as this project asks.
    """
    import pynvml

    monkeypatch.setattr(wiring, "known", functools.cache(wiring.read))
    file = folder / "machine.txt"
    found = Machine(file, text)
    monkeypatch.setenv("NVML_STAND_IN", str(file))
    version = re.search(r"^driver (\d+)", text, re.MULTILINE)
    built = library(defined="BEFORE_510") if version and int(version[1]) < 510 else library()
    monkeypatch.setattr(pynvml, "nvmlLib", ctypes.CDLL(str(built)))
    monkeypatch.setattr(pynvml, "_nvmlGetFunctionPointer_cache", {})
    return found
