"""A run of one process beside a tf.data service of its own: both begin and end together."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType

from benchmarks.children import start_python
from benchmarks.errors import ExitCode
from benchmarks.preparation import UNLESS_SET

PROGRAM = Path(__file__).resolve().parents[1] / "run_benchmark.py"
_END_SECONDS = 10.0  # for a process that was told to end
_POLL_SECONDS = 0.1


def service_flags(address: str) -> list[str]:
    """The flags of a run that reads through the service at `address`."""
    return ["--input_method=service", f"--data_service_address={address}"]


def run_with_service(flags: Sequence[str], workers: int) -> int:
    """Run run_benchmark.py with `flags` and the address of a service of so many `workers`; returns its exit code.

    SIGINT and SIGTERM are passed on to the run. If the service ends before it, so does the run.
    """
    with _service(workers) as service:
        address = service.stdout.readline().strip() if service.stdout else ""
        if not address:
            sys.stderr.write("benchmarks.launch: error: the data service has not come up; see above.\n")
            return ExitCode.FAILED
        run = start_python([str(PROGRAM), *flags, *service_flags(address)])

        def pass_on(number: int, _: FrameType | None) -> None:
            run.send_signal(number)

        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, pass_on)
        while run.poll() is None:
            if service.poll() is not None:
                sys.stderr.write(f"benchmarks.launch: error: the data service ended by itself ({service.returncode})\n")
                _end(run)
                return ExitCode.FAILED
            time.sleep(_POLL_SECONDS)
    return run.returncode if run.returncode >= 0 else 128 - run.returncode


@contextlib.contextmanager
def _service(workers: int) -> Iterator[subprocess.Popen[str]]:
    command = ["-m", "benchmarks.inputs.data_service", f"--workers={workers}"]
    environment = UNLESS_SET | dict(os.environ)
    service = start_python(command, cwd=PROGRAM.parent, env=environment, stdout=subprocess.PIPE)
    try:
        yield service
    finally:
        _end(service)


def _end(process: subprocess.Popen[str]) -> None:
    """Tell `process` to end, and kill it if it does not."""
    process.terminate()
    try:
        process.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
