"""--repeats: the same command again and again, each time in a fresh process. Imports no TensorFlow."""

from __future__ import annotations

import subprocess
import uuid
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import IO

from benchmarks.children import start_python
from benchmarks.console import Console
from benchmarks.errors import ExitCode
from benchmarks.signals import listen
from results import store
from results.record import RunRecord
from results.statistics.run_set import run_set

_PROGRAM = Path(__file__).resolve().parents[1] / "run_benchmark.py"
_TOTAL_LINES = 3  # of a run's total, with the dashes


class Repeats:
    """A set of `count` runs of run_benchmark.py with `arguments`, whose records go to `results_dir`.

    The processes write to this one's stderr themselves; their stdout is passed on. The last lines of the last run wait
    until all else is said, as the dashed line is the end of the output for who parses it.
    """

    def __init__(self, arguments: Sequence[str], count: int, results_dir: Path, console: Console) -> None:
        self._arguments = list(arguments)
        self._count = count
        self._results_dir = results_dir
        self._console = console
        self._set = uuid.uuid4().hex[:16]
        self._process: subprocess.Popen[str] | None = None
        self._received: int | None = None

    def run(self) -> ExitCode:
        """Run them all, or until a signal comes or something cannot be used; returns the worst exit code."""
        listen(self._receive)
        known = self._files()
        codes: list[int] = []
        held: list[str] = []
        for number in range(1, self._count + 1):
            self._show(held)
            self._console.notice(f"NOTE: run {number} of {self._count} (set {self._set})")
            code, held = self._run_one(number)
            codes.append(code)
            if self._received is not None or code == ExitCode.UNUSABLE:
                break
        self._console.notice(self._summary(len(codes), self._files() - known))
        self._show(held)
        return self._worst(codes)

    def _run_one(self, number: int) -> tuple[int, list[str]]:
        """Exit code and last lines of run `number`; what comes before those is passed on at once."""
        flags = [f"--repeat_number={number}", f"--repeat_set={self._set}"]
        words = [str(_PROGRAM), *self._arguments, *flags]
        self._process = start_python(words, stdout=subprocess.PIPE, errors="replace")
        if self._received is not None:  # it came before there was a process to tell
            self._process.send_signal(self._received)
        assert self._process.stdout is not None
        held = self._pass_on(self._process.stdout)
        return self._process.wait(), held

    def _pass_on(self, source: IO[str]) -> list[str]:
        held: deque[str] = deque()
        for line in source:
            held.append(line.rstrip("\n"))
            if len(held) > _TOTAL_LINES:
                self._console.line(held.popleft())
        return list(held)

    def _show(self, lines: Sequence[str]) -> None:
        for line in lines:
            self._console.line(line)

    def _receive(self, number: int, _: FrameType | None) -> None:
        self._received = number
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)

    def _files(self) -> set[Path]:
        return set(self._results_dir.glob("*.json"))

    def _summary(self, started: int, files: set[Path]) -> str:
        """What the records of the set among `files` say together."""
        records = self._records(files)
        valid = sum(record.valid for record in records)
        found = run_set(records)
        told = str(found) if found else f"{valid} of {started} runs are fit for comparison, and two are needed"
        left = f" ({started - valid} left out)" if found and valid < started else ""
        return f"Set {self._set}: {told}{left}."

    def _records(self, files: set[Path]) -> list[RunRecord]:
        return [record for record in store.readable(files) if record.repeat.get("set") == self._set]

    def _worst(self, codes: Sequence[int]) -> ExitCode:
        """The highest, as signals and failures number higher than doubts; of a process killed, that it failed."""
        known = [code if code in set(ExitCode) else ExitCode.FAILED for code in codes]
        if self._received is not None:
            known.append(128 + self._received)
        return ExitCode(max(known))
