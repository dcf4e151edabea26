"""One training run in a process of its own, as a user would start it, and the figures that it leaves.

TensorFlow is not imported here. The peak memory of a child counts the memory of the process that started it, as Linux
keeps the higher of the two across exec; a small parent keeps the figure honest.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from benchmarks.children import tied
from benchmarks.errors import UserError
from results import store
from results.record import RunRecord

PROJECT = Path(__file__).resolve().parents[2]
WARMUP_STEPS = 3  # as many as the yardsticks make
# ru_maxrss is in KiB on Linux and in bytes on macOS.
_MAXRSS_IN_MIB = 2**20 if sys.platform == "darwin" else 2**10
_GRACE_SECONDS = 20.0  # for a process that is to end: a launcher waits 10 s for those that it has started
_MESSAGE_LINES = 12  # the end of what a failed process said


class TimeLimitError(UserError):
    """A process was ended, as it was not done in time."""


class Finished(NamedTuple):
    """A process that ended well: its standard output, and the most memory that it held at once."""

    output: str
    peak_mib: float


@dataclass(frozen=True)
class FreshRun:
    """The figures of a run.

    `images_per_second` is of the median step. `window_images_per_second` is of the whole measured window and so counts
    what happens between the steps; None where a program does not tell it. `step_seconds` is the median step,
    `between_steps_seconds` what the window has beside its steps, per step. `first_step_at_seconds` counts from the
    start of the program to the end of its first step.
    """

    images_per_second: float
    first_step_at_seconds: float
    peak_mib: float
    window_images_per_second: float | None = None
    step_seconds: float | None = None
    between_steps_seconds: float | None = None


ONE_PROCESS = (str(PROJECT / "run_benchmark.py"),)
Start = Callable[[Sequence[str]], Finished]


def finish(
    command: Sequence[str],
    *,
    hide_gpus: bool = True,
    usable: Collection[int] = (0,),
    limit_seconds: float | None = None,
    with_this_process: bool = False,
) -> Finished:
    """Run `command` to its end in a process, which sees no GPU unless `hide_gpus` is False.

    `with_this_process`: it ends when this process does, even where that is killed (on Linux).

    Raises UserError with its last words where its exit code is none of `usable`, and TimeLimitError where it takes
    longer than `limit_seconds`, after which it is ended.
    """
    environment = os.environ | ({"CUDA_VISIBLE_DEVICES": "-1"} if hide_gpus else {})
    words = tied(command) if with_this_process else command
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        try:
            process = subprocess.Popen(words, cwd=PROJECT, env=environment, stdout=output, stderr=errors)
        except OSError as error:
            raise UserError(f"Cannot start {command[0]}: {error.strerror}.") from error
        limit = _Limit(process, limit_seconds)
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            _end(process)
            raise
        finally:
            limit.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)  # it has been waited for; subprocess must know
        output.seek(0)
        errors.seek(0)
        said, complaints = output.read().decode(errors="replace"), errors.read().decode(errors="replace")
    if limit.passed:
        raise TimeLimitError(f"{' '.join(command)}\nwas not done after {limit_seconds:.0f} s and was ended")
    if process.returncode not in usable:
        last_words = "\n".join(complaints.strip().splitlines()[-_MESSAGE_LINES:])
        raise UserError(f"{' '.join(command)}\nended with exit code {process.returncode}:\n{last_words}")
    return Finished(said, usage.ru_maxrss / _MAXRSS_IN_MIB)


class _Limit:
    """Kills `process` after so many `seconds`, if there are any; `passed` says whether it did."""

    def __init__(self, process: subprocess.Popen[bytes], seconds: float | None) -> None:
        self._process = process
        self.passed = False
        self._timer = None if seconds is None else threading.Timer(seconds, self._pass)
        if self._timer:
            self._timer.start()

    def cancel(self) -> None:
        """The process has ended."""
        if self._timer:
            self._timer.cancel()

    def _pass(self) -> None:
        self.passed = True
        self._process.kill()


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask `process` to end what it has started, and kill it if it does not end in time."""
    try:
        process.terminate()
        process.wait(_GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        pass
    finally:
        process.kill()
        process.wait()


def record_of(
    flags: Sequence[str], start: Start = finish, program: Sequence[str] = ONE_PROCESS
) -> tuple[RunRecord, Finished]:
    """Run `program` of this project with `flags` to its end: its record, valid or not, and how it ended.

    Raises UserError where it left no record of a completed run.
    """
    with tempfile.TemporaryDirectory() as folder:
        finished = start([sys.executable, *program, *flags, f"--results_dir={folder}"])
        records, unreadable = store.load(folder)
    if len(records) != 1 or unreadable or records[0].status != "completed":
        raise UserError(f"run_benchmark.py {' '.join(flags)} left no record of a whole run: {[*unreadable, *records]}")
    return records[0], finished


def run_ours(flags: Sequence[str], start: Start = finish, program: Sequence[str] = ONE_PROCESS) -> FreshRun:
    """The figures of `program` with `flags`, from its record. Raises UserError where there are none.

    What it computed is right, else it had failed. Doubts about the figure, as of so few steps, are for the pairs to
    settle.
    """
    record, finished = record_of(flags, start, program)
    measured = record.measurement
    if measured is None:
        raise UserError(f"run_benchmark.py {' '.join(flags)} left a record without a measurement")
    step, first = measured.median_step_seconds, measured.time_to_first_step_seconds
    between = measured.between_steps_seconds
    assert step, "a run that completed has measured steps"
    assert between is not None, "and a window"
    assert first is not None, "the first step was one of the warm-up"
    return FreshRun(
        images_per_second=measured.batch_size * measured.num_towers / step,
        first_step_at_seconds=first,
        peak_mib=finished.peak_mib,
        window_images_per_second=measured.images_per_second,
        step_seconds=step,
        between_steps_seconds=between / len(measured.step_seconds),
    )


def several_workers(count: int) -> tuple[str, ...]:
    """The program that runs `count` worker processes on this machine."""
    return ("-m", "benchmarks.launch", f"--workers={count}", "--")


def run_yardstick(command: Sequence[str], start: Start = finish) -> FreshRun:
    """Run a program that ends its output with a line of JSON as the yardsticks do."""
    finished = start(command)
    try:
        told = json.loads(finished.output.strip().splitlines()[-1])
        return FreshRun(float(told["images_per_sec"]), float(told["first_step_at_sec"]), finished.peak_mib)
    except (IndexError, KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"{' '.join(command)} ended without a line of JSON that has images_per_sec and first_step_at_sec: {error!r}"
        ) from error


def synthetic_flags(model: str, batch: int, steps: int, precision: str = "fp32") -> list[str]:
    """Flags of ours that ask for the work of a yardstick: the same network, update and layout, one tower on the CPU."""
    dataset = "cifar10" if model == "resnet20" else "imagenet"
    return [
        f"--model={model}",
        f"--data_name={dataset}",
        f"--batch_size={batch}",
        f"--num_batches={steps}",
        f"--num_warmup_batches={WARMUP_STEPS}",
        f"--precision={precision}",
        "--data_format=NHWC",
        "--optimizer=momentum",
        "--momentum=0.9",
        "--weight_decay=0",
        "--init_learning_rate=0.01",
        "--device=cpu",
        "--num_gpus=1",
        "--variable_update=parameter_server",
    ]
