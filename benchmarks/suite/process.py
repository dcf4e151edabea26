"""One attempt at a cell: a process, and a record of it whatever happens."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.errors import ExitCode
from benchmarks.fresh_process import PROGRAM, Ended, Watch, finish, ran_out, record_in_place, record_left
from benchmarks.suite.attempts import (
    CRASH,
    DONE,
    HANG,
    INTERRUPTED,
    INVALID,
    OUT_OF_MEMORY,
    SKIPPED,
    UNUSABLE,
    Attempt,
    message_of,
    outcome_of,
)
from benchmarks.suite.cells import Cell
from benchmarks.suite.journal import Header
from benchmarks.suite.order import Turn
from benchmarks.suite.study_names import last_words, study_command
from results import store
from results.files import write_whole
from results.record import RunRecord, utc_now

_ENDS_OF_WHOLE_RUNS = (ExitCode.VALID, ExitCode.INVALID, ExitCode.INTERRUPTED, ExitCode.TERMINATED)
LOGS = "logs"  # in the folder of results: what failed attempts said, and studies


class Stopped(Exception):  # noqa: N818  not the suite's error
    """Something keeps the suite from going on, such as a full disk; what has been done is kept.

    `lost`: all but the run that has just ended.
    """

    def __init__(self, told: str, *, lost: bool = False) -> None:
        super().__init__(told)
        self.lost = lost


class Processes:
    """The processes of a suite that runs as `header` says, with their records in `results_dir`.

    `program` is what a run is, for Python. `signal_to_send` and `on_look` are those of Watch.
    """

    def __init__(
        self,
        header: Header,
        results_dir: Path,
        signal_to_send: Callable[[], int | None],
        on_look: Callable[[], object],
        program: Sequence[str] = (str(PROGRAM),),
    ) -> None:
        self._header = header
        self._results_dir = results_dir
        self._signal_to_send = signal_to_send
        self._on_look = on_look
        self._program = list(program)

    def attempt(self, turn: Turn, number: int, batch_size: int) -> Attempt:
        """Start a process for `turn`, its `number`-th, and wait for it. Raises Stopped where no record can be written.

        `batch_size` is the batch where it was halved, else 0.
        """
        cell = turn.cell
        where = place(self._header, turn, number, cell.batch_size if batch_size else 0)
        arguments = self._arguments(cell, batch_size, where)
        known, began = set(self._results_dir.glob("*.json")), utc_now()
        watch = Watch(cell.time_limit, signal_to_send=self._signal_to_send, on_look=self._on_look)
        try:
            ended = finish([*([] if cell.study else self._program), *arguments], watch)
        except OSError as error:
            raise Stopped(f"a process cannot be started: {error.strerror}") from error
        record = record_left(self._results_dir, known, lambda record: record.suite == where)
        outcome, message = self._outcome(cell, ended, record)
        if record is None and store.UNWRITABLE in ended.words and outcome not in (DONE, HANG, INTERRUPTED):
            raise Stopped(ended.last_words, lost=True)
        if record is None and not (cell.study and outcome in (DONE, SKIPPED)):
            told = where | {"outcome": outcome, "code": ended.code}
            record = self._record(cell, arguments, told, began, outcome, message)
        if cell.study or outcome not in (DONE, INVALID):
            self._log(f"{cell.id}-{turn.repeat}-{number}.log", ended.words, lost=bool(cell.study))
        return Attempt(
            cell.id,
            turn.repeat,
            number,
            outcome,
            ended.code,
            round(ended.seconds, 3),
            Path(record.file).name if record else "",
            message or (message_of(record) if record else ""),
            record.steady_images_per_second if record else None,
            batch_size,
            bool(record and record.wrong),
        )

    def _arguments(self, cell: Cell, batch_size: int, where: dict[str, Any]) -> list[str]:
        if cell.study:
            return study_command(cell.study, cell.arguments(), str(self._results_dir))
        return [*cell.arguments(batch_size), f"--results_dir={self._results_dir}", f"--suite_run={json.dumps(where)}"]

    def _outcome(self, cell: Cell, ended: Ended, record: RunRecord | None) -> tuple[str, str]:
        """How an attempt ended, and why where its record does not say so."""
        if record is not None and record.status == "completed":
            died = "" if ended.code in _ENDS_OF_WHOLE_RUNS else f"its record is complete, but then it {_how(ended)}"
            return outcome_of(record), "; ".join(filter(None, (message_of(record), died)))
        if self._signal_to_send() is not None:
            return INTERRUPTED, "" if record else "the suite was told to stop"
        if ended.took_too_long:
            return HANG, f"ended after {cell.time_limit:g} s, its time_limit"
        if record is not None:
            outcome = UNUSABLE if ended.code == ExitCode.UNUSABLE else outcome_of(record)
            return (CRASH, "somebody else ended it") if outcome == INTERRUPTED else (outcome, "")
        if cell.study and ended.code in (ExitCode.VALID, ExitCode.CANNOT_RUN_HERE):
            return (DONE, "") if ended.code == ExitCode.VALID else (SKIPPED, last_words(ended))
        if reason := ran_out(ended):
            return OUT_OF_MEMORY, f"out of memory: {reason}"
        if ended.code == ExitCode.UNUSABLE:
            return UNUSABLE, last_words(ended) if cell.study else ended.last_words
        return CRASH, f"it {_how(ended)} without a record: {ended.last_words or 'it said nothing'}"

    def _record(
        self, cell: Cell, arguments: Sequence[str], told: dict[str, Any], began: str, outcome: str, message: str
    ) -> RunRecord:
        """Leave a record for a process that left none; `told` is its section `suite`, with how the process ended."""
        status = "interrupted" if outcome == INTERRUPTED else "failed"
        if cell.study:
            record = RunRecord(
                status=status,
                message=message,
                started_at=began,
                finished_at=utc_now(),
                command_line=tuple(arguments),
                suite=told,
            )
        else:
            ran_out_of_memory = outcome == OUT_OF_MEMORY
            record = record_in_place(arguments, began, message, status=status, out_of_memory=ran_out_of_memory)
            record = replace(record, suite=told)
        try:
            return store.read(store.write(record, self._results_dir))
        except store.FolderError as error:
            raise Stopped(str(error)) from error

    def _log(self, name: str, words: str, *, lost: bool) -> None:
        folder = self._results_dir / LOGS
        try:
            folder.mkdir(exist_ok=True)
            write_whole(folder / name, words.encode(errors="replace"))
        except OSError as error:
            told = f"{store.UNWRITABLE} {folder}: {error.strerror or os.strerror(error.errno or 0)}"
            raise Stopped(told, lost=lost) from error


def _how(ended: Ended) -> str:
    return f"died of signal {-ended.code}" if ended.code < 0 else f"ended with exit code {ended.code}"


def place(header: Header, turn: Turn, number: int, asked_batch: int) -> dict[str, Any]:
    """What a record has in its section `suite`; `asked_batch` is the batch that was halved, or 0."""
    told: dict[str, Any] = {"suite": header.suite, "plan": header.plan, "set": header.set, "cell": turn.cell.id}
    told |= {"repeat": turn.repeat, "attempt": number}
    return told | ({"batch_size": asked_batch} if asked_batch else {})
