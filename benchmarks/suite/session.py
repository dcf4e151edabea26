"""The story of a suite: one run after the other, until all are done, the budget is spent, or somebody stops it."""

from __future__ import annotations

import signal
import statistics
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from benchmarks.console import Console
from benchmarks.errors import ExitCode
from benchmarks.fresh_process import END_SECONDS, PROGRAM
from benchmarks.signals import listen
from benchmarks.suite import order
from benchmarks.suite.attempts import INTERRUPTED, Attempt, History, next_batch, worst
from benchmarks.suite.cells import Cell
from benchmarks.suite.estimate import Estimate
from benchmarks.suite.journal import Header, Journal
from benchmarks.suite.order import Turn
from benchmarks.suite.process import Processes, Stopped
from benchmarks.suite.progress import Progress
from benchmarks.suite.summary import summary
from results.durations import about
from results.record import utc_now

_AFTER_THIS_RUN = "the suite stops after this run; Ctrl-C again stops it now"
_AT_ONCE = f"the run that goes on has {END_SECONDS:.0f} s to end, and the suite stops"


class Session:
    """A suite that runs in this process, new or gone on with, as `history` has what was done before."""

    def __init__(
        self,
        header: Header,
        journal: Journal,
        history: History,
        results_dir: Path,
        estimate: Estimate,
        console: Console,
        program: Sequence[str] = (str(PROGRAM),),
    ) -> None:
        self._header = header
        self._journal = journal
        self._history = history
        self._estimate = estimate
        self._console = console
        self._results_dir = results_dir
        self._progress = Progress(console, header.cells, self._expected)
        self._processes = Processes(header, results_dir, lambda: self._send, self._look, program)
        self._stop: int | None = None  # the signal that ends it after the run that goes on
        self._send: int | None = None  # the signal that ends that run too
        self._told = ""
        self._starts = [
            (entry["cell"], entry["repeat"]) for entry in journal.entries if entry["kind"] == "start"
        ]  # of them, those that left no trace count too: their numbers are taken

    def run(self) -> ExitCode:
        """Run what is to run, and say what came of it; returns the exit code."""
        listen(self._receive)
        stopped, lost = "", False
        try:
            while self._stop is None and (turn := self._next()) is not None:
                self._attempt(turn)
        except (Stopped, OSError) as error:
            path = getattr(error, "filename", None) or self._journal.path
            reason = error if isinstance(error, Stopped) else f"{path}: {error.strerror}"
            stopped, lost = f"the suite stopped: {reason}", isinstance(error, Stopped) and error.lost
        unreached = order.left(self._header.cells, self._header.order, self._history)
        for line in summary(self._header, self._history, len(unreached), self._results_dir):
            self._console.line(line)
        if stopped:
            self._console.notice(f"benchmarks.suite: {stopped}")
        if stopped or self._stop is not None:
            self._console.notice(self._how_to_go_on(len(unreached), lost=lost))
        elif unreached:
            self._console.notice(f"benchmarks.suite: {self._beyond_budget(len(unreached))}")
        return self._code(failed=bool(stopped or unreached))

    def _beyond_budget(self, unreached: int) -> str:
        """How many runs the budget leaves out, and what goes on with them."""
        told = f"{unreached} runs were not reached within --budget={about(self._header.budget or 0)}"
        return f"{told}. To go on: {self._again()} --budget=TIME, from its beginning"

    def _how_to_go_on(self, unreached: int, *, lost: bool) -> str:
        """What is there of a suite that was stopped, and what goes on with it; `lost`: all but its last run."""
        if not self._journal.in_place:
            return "What was measured may have gone with the journal. Begin anew, in another --results_dir."
        if not unreached:
            return "Nothing that was measured is lost, and nothing is left to run."
        kept = "Nothing that was measured is lost"
        if lost:
            kept = "The run that had just ended left no record, and runs again; no other is lost"
        return f"{kept}. {f'To go on: {self._again()}' if self._next() else self._beyond_budget(unreached)}"

    def _next(self) -> Turn | None:
        """What runs now; None where nothing is left."""
        turns = order.left(self._header.cells, self._header.order, self._history)
        if self._header.budget is None:
            return turns[0] if turns else None
        seconds = self._budget_left()
        if seconds <= 0:
            return None
        fitting = (turn for turn in turns if (self._expected(turn.cell) or 0) <= seconds)
        widest = order.widest(self._header.cells, self._history, seconds, self._expected)
        return next(fitting, widest)

    def _attempt(self, turn: Turn) -> None:
        """Start a process, and write down how it ended."""
        batch = next_batch(turn.cell, self._history, turn.repeat)
        assert batch is not None, "there is something to do"
        self._starts.append((turn.cell.id, turn.repeat))
        number = self._starts.count((turn.cell.id, turn.repeat))
        started = {"cell": turn.cell.id, "repeat": turn.repeat, "number": number}
        self._journal.append("start", **started, batch_size=batch, at=utc_now())
        turns = order.left(self._header.cells, self._header.order, self._history)
        until = None if self._header.budget is None else self._budget_left()
        self._progress.started(turn, number, turns if turn in turns else [turn], self._history, until)
        attempt = self._processes.attempt(turn, number, batch)
        self._journal.append("end", **attempt._asdict())
        self._history.add(attempt)
        self._progress.ended(attempt, self._again_with(turn, attempt))

    def _budget_left(self) -> float:
        """Seconds that may still be spent."""
        return (self._header.budget or 0.0) - sum(attempt.seconds for attempt in self._history.all)

    def _again_with(self, turn: Turn, attempt: Attempt) -> str:
        batch = next_batch(turn.cell, self._history, turn.repeat)
        if batch is None or attempt.outcome == INTERRUPTED:
            return ""
        return f"once more, with --batch_size={batch}" if batch != attempt.batch_size else "once more"

    def _expected(self, cell: Cell) -> float | None:
        """Seconds of a run: the mean of those here, or what others took before."""
        here = self._history.seconds(cell)
        return statistics.fmean(here) if here else self._estimate.seconds.get(cell.id)

    def _receive(self, number: int, _: FrameType | None) -> None:
        """Ctrl-C lets the run that goes on come to its record; the second one, and SIGTERM, end it now."""
        if self._stop is not None or number != signal.SIGINT:
            self._send = number
        self._stop = number

    def _look(self) -> None:
        """What is done while a run goes on; a handler of signals must not print, as it can come in between a print."""
        if self._stop is not None and self._told != (how := _AT_ONCE if self._send else _AFTER_THIS_RUN):
            self._told = how
            self._console.notice(f"Told to stop: {how}.")
        self._progress.look()

    def _again(self) -> str:
        index, count = self._header.shard
        shard = f" --shard={index}/{count}" if count > 1 else ""
        return f"python -m benchmarks.suite --resume --results_dir={self._results_dir}{shard}"

    def _code(self, *, failed: bool) -> ExitCode:
        codes = [worst([attempt for cell in self._header.cells for attempt in self._history.ended(cell)])]
        codes += [ExitCode.FAILED] if failed else []
        codes += [ExitCode(128 + self._stop)] if self._stop is not None else []
        return max(codes)
