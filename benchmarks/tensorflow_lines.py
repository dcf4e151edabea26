"""TensorFlow imported without log lines that its own level, TF_CPP_MIN_LOG_LEVEL, is there to leave out.

In 2.21 (not in 2.14) that level holds only from where a global object of TensorFlow has read it: each library that
comes before writes "I0000 ..." and abseil's heading above it, whatever the level is. And some errors are none: 2.14
registers CUDA's libraries twice in every wheel, 2.21 calls it an error that there is no NVIDIA driver. What is left
out is decided line by line, in a process of its own: should TensorFlow die in its import, its last words are still
passed on. This file is that process's program too, so it imports nothing else of ours.
"""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator

LEVEL = "TF_CPP_MIN_LOG_LEVEL"
_SEVERITIES = "IWEF"  # the level is the number of the first that is shown
_HEADING = "WARNING: All log messages before absl::InitializeLog() is called are written to STDERR"
_LINE = re.compile(r"([IWEF])\d{4} [\d:.]+ +\d+ \S+:\d+\] ")  # as abseil writes it
_ERRORS_THAT_ARE_NONE = re.compile(
    r"Unable to register cu(DNN|FFT|BLAS) factory: Attempting to register factory for plugin"
    r"|failed call to cuInit: .*\(303\)$"  # CUDA_ERROR_SHARED_OBJECT_INIT_FAILED: there is no library of a driver
)
_PATIENCE = 10.0  # seconds, should a process that TensorFlow has started keep stderr open


def import_tensorflow(*, devices: bool = True) -> None:
    """Import TensorFlow, and let it look for `devices`, with what it says meanwhile held to its level.

    Where that is not set, or below 1, all is shown. Raises ImportError where there is no TensorFlow.
    """
    if "tensorflow" in sys.modules:
        return
    with _sifted(_level(os.environ.get(LEVEL, ""))):
        import tensorflow as tf

        if devices:
            tf.config.list_physical_devices()


def shown(line: str, level: int) -> bool:
    """Whether `line`, which came while TensorFlow was imported, is to be seen at its `level`."""
    if level < 1:
        return True
    if line.startswith(_HEADING) or (level > 1 and _ERRORS_THAT_ARE_NONE.search(line.rstrip())):
        return False
    found = _LINE.match(line)
    return not found or _SEVERITIES.index(found[1]) >= min(level, _SEVERITIES.index("F"))


def _level(text: str) -> int:
    """The level as TensorFlow reads it: what is no number is none."""
    return int(text) if text.strip().isdecimal() else 0


@contextlib.contextmanager
def _sifted(level: int) -> Iterator[None]:
    """Pass on only what is `shown` of the lines that come on stderr meanwhile, from whatever library."""
    with contextlib.ExitStack() as after:
        if level > 0:
            with contextlib.suppress(OSError):  # no stderr, or no process to be had: then all is seen
                _begin(level, after)
        yield


def _begin(level: int, after: contextlib.ExitStack) -> None:
    sys.stderr.flush()
    stderr = os.dup(2)
    after.callback(os.close, stderr)
    sieve = subprocess.Popen(
        [sys.executable, "-I", "-S", __file__, str(level)],
        stdin=subprocess.PIPE,
        stdout=stderr,
        start_new_session=True,  # Ctrl-C is not for it: it ends when this process has closed the pipe, or is gone
    )
    assert sieve.stdin
    os.dup2(sieve.stdin.fileno(), 2)
    after.callback(_end, sieve, stderr)


def _end(sieve: subprocess.Popen[bytes], stderr: int) -> None:
    assert sieve.stdin
    sys.stderr.flush()
    os.dup2(stderr, 2)
    sieve.stdin.close()
    with contextlib.suppress(subprocess.TimeoutExpired):
        sieve.wait(_PATIENCE)


def _sift(level: int) -> None:
    for line in sys.stdin.buffer:
        if shown(line.decode(errors="replace"), level):
            sys.stdout.buffer.write(line)
            sys.stdout.buffer.flush()


if __name__ == "__main__":
    _sift(int(sys.argv[1]))
