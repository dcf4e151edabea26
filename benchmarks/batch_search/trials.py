"""The trials of a search: each a run in a fresh process, as one whose memory ran out measures nothing any more."""

from __future__ import annotations

import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

import psutil

from benchmarks.children import start_python
from benchmarks.draft import Draft
from benchmarks.errors import ExitCode
from benchmarks.memory import MIB, OUT_OF_MEMORY, resident, says_out_of_memory
from benchmarks.params import parse
from benchmarks.signals import listen
from results import store
from results.record import RunRecord, utc_now

FITS = "fits"
_PROGRAM = Path(__file__).resolve().parents[2] / "run_benchmark.py"
_LOOK_SECONDS = 0.05  # between looks at its memory: in that time a process can fill some hundred MiB
_END_SECONDS = 20.0  # for a process that was told to end: it does so after its step
_MESSAGE_LINES = 12


class Trial(NamedTuple):
    """One trial: `outcome` is "fits" or "out of memory". Bytes are the most that it held, of a GPU's memory if known.

    `images_per_second` is of its steady steps, None where it does not fit. `code` is the exit code of its process.
    """

    batch: int
    outcome: str
    peak_bytes: int
    peak_device_bytes: int | None = None
    images_per_second: float | None = None
    code: int = 0


class SearchEnded(Exception):  # noqa: N818  not always an error
    """A trial ended in another way than by its result, and the search with it; `code` is what it ends with."""

    def __init__(self, code: ExitCode, reason: str) -> None:
        super().__init__(reason)
        self.code = code


class _Process(NamedTuple):
    """A process that has ended: by itself, or by this one because its memory was over the limit."""

    code: int
    peak_bytes: int
    over_limit: bool
    words: str  # what it said on stderr


class Trials:
    """Runs of run_benchmark.py with `arguments`, whose records go to `results_dir` and share the id of one set.

    A process that holds more than `limit_mib` MiB of the machine's memory is ended. Signals are passed on to the
    process that runs, and end the search.
    """

    def __init__(self, arguments: Sequence[str], results_dir: Path, limit_mib: int) -> None:
        self._arguments = list(arguments)
        self._results_dir = results_dir
        self._limit_bytes = limit_mib * MIB
        self._set = uuid.uuid4().hex[:16]
        self._count = 0
        self._received: int | None = None

    def receive_signals(self) -> None:
        """Take Ctrl-C and SIGTERM."""
        listen(self._receive)

    def run(self, batch: int) -> Trial:
        """Try `batch`; the trial leaves a record whatever its outcome. Raises SearchEnded."""
        self._count += 1
        flags = [f"--batch_size={batch}", f"--trial_number={self._count}", f"--trial_set={self._set}"]
        arguments = [*self._arguments, *flags]
        known, began = set(self._results_dir.glob("*.json")), utc_now()
        ended = self._finish(arguments)
        record = self._record(known)
        if self._received is not None:
            raise SearchEnded(ExitCode(128 + self._received), f"interrupted in the trial of --batch_size={batch}")
        if record is None and (reason := _ran_out(ended, self._limit_bytes)):
            message = f"out of memory with --batch_size={batch}: {reason}"
            record = _of_killed(arguments, began, ended.peak_bytes, message)
            self._write(record)
        if record is None or record.trial["outcome"] not in (FITS, OUT_OF_MEMORY):
            raise SearchEnded(_code(ended.code), _failure(batch, record, ended))
        return _trial(batch, record, ended)

    def _finish(self, arguments: Sequence[str]) -> _Process:
        with tempfile.TemporaryFile("w+", errors="replace") as said:
            process = start_python([str(_PROGRAM), *arguments], stdout=subprocess.DEVNULL, stderr=said)
            peak, over = self._watch(process)
            said.seek(0)
            return _Process(process.wait(), peak, over, said.read())

    def _watch(self, process: subprocess.Popen[str]) -> tuple[int, bool]:
        """Wait for `process`: the most bytes that it was seen to hold, and whether it was ended for that."""
        peak, kill_at = 0, float("inf")
        try:
            seen = psutil.Process(process.pid)
            while process.poll() is None:
                peak = max(peak, resident(seen))
                if peak > self._limit_bytes:
                    return peak, True
                if self._received is not None and kill_at == float("inf"):
                    process.send_signal(self._received)
                    kill_at = time.monotonic() + _END_SECONDS
                if time.monotonic() > kill_at:
                    break
                time.sleep(_LOOK_SECONDS)
        finally:
            process.kill()
            process.wait()
        return peak, False

    def _record(self, known: set[Path]) -> RunRecord | None:
        """The record that the last trial has left."""
        own = {"set": self._set, "number": self._count}
        left = store.readable(set(self._results_dir.glob("*.json")) - known)
        return next((record for record in left if own.items() <= record.trial.items()), None)

    def _write(self, record: RunRecord) -> None:
        try:
            store.write(record, self._results_dir)
        except store.FolderError as error:
            raise SearchEnded(ExitCode.FAILED, f"error: {error}") from error

    def _receive(self, number: int, _: FrameType | None) -> None:
        self._received = number


def _ran_out(ended: _Process, limit_bytes: int) -> str:
    """Why a process that left no record ran out of memory, in words; "" where it did not."""
    if ended.over_limit:
        return f"it held {ended.peak_bytes / MIB:,.0f} MiB, more than the {limit_bytes / MIB:,.0f} MiB of its limit"
    if ended.code == -signal.SIGKILL:
        return "it was killed, as the system does where memory runs out"
    if ended.code < 0 and says_out_of_memory(ended.words):
        return f"it died of signal {-ended.code}, and said that memory ran out"
    return ""


def _of_killed(arguments: Sequence[str], began: str, peak_bytes: int, message: str) -> RunRecord:
    """The record of a trial that could not leave one itself."""
    command = parse(arguments)
    draft = Draft(command, command.params, [str(_PROGRAM), *arguments], started_at=began, out_of_memory=True)
    draft.peaks = {"peak_memory_bytes": peak_bytes}
    return draft.record("failed", message)


def _trial(batch: int, record: RunRecord, ended: _Process) -> Trial:
    outcome: str = record.trial["outcome"]
    on_devices: dict[str, Any] = record.trial.get("peak_device_bytes") or {}
    return Trial(
        batch,
        outcome,
        max(ended.peak_bytes, record.trial["peak_memory_bytes"]),
        max(on_devices.values(), default=None),
        record.steady_images_per_second if outcome == FITS else None,
        ended.code,
    )


def _code(code: int) -> ExitCode:
    """What the search ends with, where a trial ended with `code`."""
    return ExitCode(code) if code in set(ExitCode) and code != ExitCode.VALID else ExitCode.FAILED


def _failure(batch: int, record: RunRecord | None, ended: _Process) -> str:
    lines = ended.words.splitlines()
    own = [line for line in lines if line.startswith(f"{_PROGRAM.name}: ")] or lines[-_MESSAGE_LINES:]
    told = record.message if record and record.message else "\n".join(own)
    return f"the trial of --batch_size={batch} ended with exit code {ended.code}, not for want of memory:\n{told}"
