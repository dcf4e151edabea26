"""The trials of a search: each a run in a fresh process, as one whose memory ran out measures nothing any more."""

from __future__ import annotations

import shlex
import statistics
import sys
import uuid
from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

from benchmarks.errors import ExitCode
from benchmarks.fresh_process import PROGRAM, Ended, Watch, finish, ran_out, record_in_place, record_left
from benchmarks.memory import MIB, OUT_OF_MEMORY
from benchmarks.params import CommandLine
from benchmarks.params.params import options
from benchmarks.params.recorded_flags import written
from benchmarks.signals import listening
from results import store
from results.checks import FOREIGN_LOAD
from results.record import RunRecord, utc_now

FITS = "fits"


class Trial(NamedTuple):
    """One trial: `outcome` is "fits" or "out of memory". Bytes are the most that it held, of a GPU's memory if known.

    `images_per_second` is of its steady steps, None where it does not fit. `code` is the exit code of its process.
    `seconds` is what all of it took, `step_seconds` the mean of its measured steps, None as above. `busy`: whether
    other programs kept the processors busy meanwhile. `words` are the last that it said.
    """

    outcome: str
    peak_bytes: int
    peak_device_bytes: int | None = None
    images_per_second: float | None = None
    code: int = 0
    seconds: float = 0.0
    step_seconds: float | None = None
    busy: bool = False
    words: str = ""


class SearchEnded(Exception):  # noqa: N818  not always an error
    """A trial ended in another way than by its result, and the search with it; `code` is what it ends with."""

    def __init__(self, code: ExitCode, reason: str) -> None:
        super().__init__(reason)
        self.code = code


class TrialFailed(SearchEnded):
    """A trial that failed by itself. A search may go on to others; `code` is what it ends with if it does not."""


class Trials:
    """Runs of run_benchmark.py with `arguments`, whose records go to `results_dir` and share the id of one set.

    A process that holds more than `limit_mib` MiB of the machine's memory is ended.
    """

    def __init__(self, arguments: Sequence[str], results_dir: Path, limit_mib: float = float("inf")) -> None:
        self._arguments = list(arguments)
        self._results_dir = results_dir
        self._limit_bytes = limit_mib * MIB
        self._set = uuid.uuid4().hex[:16]
        self._count = 0
        self._received: int | None = None

    def receiving_signals(self) -> AbstractContextManager[None]:
        """While entered, Ctrl-C and SIGTERM are for the process that runs, and end the search."""
        return listening(self._receive)

    def run(self, flags: Sequence[str], limit_seconds: float = float("inf")) -> Trial:
        """Try `flags`, for at most `limit_seconds`; the trial leaves a record whatever its outcome. Raises SearchEnded.

        TrialFailed, a kind of it, where the trial failed for another reason than memory, or was over its time.
        """
        self._count += 1
        tried = " ".join(flags)
        arguments = [*self._arguments, *flags, f"--trial_number={self._count}", f"--trial_set={self._set}"]
        known, began = set(self._results_dir.glob("*.json")), utc_now()
        ended = self._finish(arguments, limit_seconds)
        record = self._record(known)
        if self._received is not None:
            raise SearchEnded(ExitCode(128 + self._received), f"interrupted in the trial of {tried}")
        if ended.took_too_long:
            self._write(_of_killed(arguments, began, ended, f"ended after {limit_seconds:.0f} s"))
            raise TrialFailed(ExitCode.FAILED, f"the trial of {tried} was not done after {limit_seconds:.0f} s")
        if record is None and (reason := ran_out(ended, self._limit_bytes)):
            message = f"out of memory with {tried}: {reason}"
            record = _of_killed(arguments, began, ended, message, out_of_memory=True)
            self._write(record)
        if record is None or record.trial["outcome"] not in (FITS, OUT_OF_MEMORY):
            raise TrialFailed(_code(ended.code), _failure(tried, record, ended))
        return _trial(record, ended)

    def _finish(self, arguments: Sequence[str], limit_seconds: float) -> Ended:
        watch = Watch(limit_seconds, self._limit_bytes, signal_to_send=lambda: self._received)
        return finish([str(PROGRAM), *arguments], watch)

    def _record(self, known: set[Path]) -> RunRecord | None:
        """The record that the last trial has left."""
        own = {"set": self._set, "number": self._count}
        return record_left(self._results_dir, known, lambda record: own.items() <= record.trial.items())

    def _write(self, record: RunRecord) -> None:
        try:
            store.write(record, self._results_dir)
        except store.FolderError as error:
            raise SearchEnded(ExitCode.FAILED, f"error: {error}") from error

    def _receive(self, number: int, _: FrameType | None) -> None:
        self._received = number


def command_to_run(command: CommandLine, without: Collection[str], changed: Mapping[str, Any]) -> str:
    """The command of a search as that of a run: with what was `changed`, and `without` the search's own flags."""
    params, left_out = command.params, {*without, *changed}
    kept = [
        written(name, getattr(params, name)) for name in options() if name in command.given and name not in left_out
    ]
    return f"python {shlex.join([sys.argv[0], *kept, *(written(name, value) for name, value in changed.items())])}"


def length_flags(command: CommandLine, lengths: Mapping[str, int]) -> list[str]:
    """Flags of the `lengths` of a trial, where the user has given none; and no proof of the update anew in each."""
    lengths = dict(lengths)
    if command.given & {"num_batches", "num_epochs", "target_precision"}:
        del lengths["num_batches"]
    if command.given & {"num_warmup_batches", "autotune_threshold"}:
        del lengths["num_warmup_batches"]
    flags = [written(name, value) for name, value in lengths.items()]
    return flags if "verify_variable_update" in command.given else [*flags, "--noverify_variable_update"]


def _of_killed(
    arguments: Sequence[str], began: str, ended: Ended, message: str, *, out_of_memory: bool = False
) -> RunRecord:
    """The record of a trial that could not leave one itself."""
    peaks = {"peak_memory_bytes": ended.peak_bytes}
    return record_in_place(arguments, began, message, peaks=peaks, out_of_memory=out_of_memory)


def _trial(record: RunRecord, ended: Ended) -> Trial:
    outcome: str = record.trial["outcome"]
    on_devices: dict[str, Any] = record.trial.get("peak_device_bytes") or {}
    fits = outcome == FITS
    return Trial(
        outcome,
        max(ended.peak_bytes, record.trial["peak_memory_bytes"]),
        max(on_devices.values(), default=None),
        record.steady_images_per_second if fits else None,
        ended.code,
        ended.seconds,
        statistics.fmean(record.measurement.step_seconds) if fits and record.measurement else None,
        any(problem.startswith(FOREIGN_LOAD) for problem in record.problems),
        ended.last_words,
    )


def _code(code: int) -> ExitCode:
    """What the search ends with, where a trial ended with `code`."""
    return ExitCode(code) if code in set(ExitCode) and code != ExitCode.VALID else ExitCode.FAILED


def _failure(tried: str, record: RunRecord | None, ended: Ended) -> str:
    told = record.message if record and record.message else ended.last_words
    return f"the trial of {tried} ended with exit code {ended.code}, not for want of memory:\n{told}"
