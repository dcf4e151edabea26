"""How a suite goes, while it does: a table in place on a terminal, a line for each attempt in any case."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from benchmarks.console import Console
from benchmarks.suite.attempts import DONE, INVALID, Attempt, History
from benchmarks.suite.cells import Cell
from benchmarks.suite.order import Turn
from results.durations import about

_EVERY_SECONDS = 1.0
_COLUMNS = ("done", "running", "failed", "left", "time left")
Expected = Callable[[Cell], float | None]


class Progress:
    """Tells of the runs of `cells`. `expected` is how many seconds a run of a cell takes, where that is known."""

    def __init__(self, console: Console, cells: Sequence[Cell], expected: Expected) -> None:
        self._console = console
        self._names = {cell.id: cell.name for cell in cells}
        self._cells = cells
        self._expected = expected
        self._now: tuple[Turn, int] | None = None
        self._left: list[Turn] = []
        self._done = self._failed = 0
        self._began = self._shown = 0.0
        self._budget_left: float | None = None

    def started(self, turn: Turn, number: int, left: list[Turn], history: History, budget_left: float | None) -> None:
        """An attempt begins; `left` are the turns that are still to run, this one among them.

        `budget_left` are the seconds that may be spent from now on; None: as many as it takes.
        """
        self._budget_left = budget_left
        ended = [attempt for cell in self._cells for attempt in history.ended(cell)]
        self._done = sum(attempt.outcome in (DONE, INVALID) for attempt in ended)
        self._failed = sum(attempt.failed for attempt in ended)
        self._now, self._left, self._began, self._shown = (turn, number), left, time.monotonic(), 0.0

    def look(self) -> None:
        """Show the table anew, once a second, where somebody can see it."""
        now = time.monotonic()
        if self._now is None or not self._console.watched or now - self._shown < _EVERY_SECONDS:
            return
        self._shown = now
        self._console.progress("\n".join(self._table(now - self._began)))

    def ended(self, attempt: Attempt, again: str) -> None:
        """An attempt ended; `again` says how it is tried again, if it is."""
        name, again = self._names[attempt.cell], f"; {again}" if again else ""
        told = f"{name}, repeat {attempt.repeat}: {what(attempt)}, {about(attempt.seconds)}{again}"
        self._console.notice(f"{time.strftime('%H:%M:%S')} {one_line(told)}")

    def _table(self, seconds: float) -> list[str]:
        assert self._now is not None, "something runs"
        (turn, number), width = self._now, self._console.columns - 1
        time_left = seconds_left(self._left, self._expected, seconds)
        if self._budget_left is not None:
            time_left = max(0.0, self._budget_left - seconds)
        cells = [self._done, 1, self._failed, len(self._left) - 1, about(time_left) if time_left is not None else "?"]
        attempt = f", attempt {number}" if number > 1 else ""
        return [
            _row(_COLUMNS, width),
            _row(cells, width),
            one_line(f"now: {turn.cell.name}, repeat {turn.repeat}{attempt}, {seconds:.0f} s")[:width],
        ]


def _row(cells: Sequence[object], width: int) -> str:
    """`cells` in columns, the last of which stays where the terminal is narrow."""
    return "".join(f"{each:>10}" for each in cells)[-width:]


def what(attempt: Attempt) -> str:
    """How an attempt ended, in words."""
    batch = f" with --batch_size={attempt.batch_size}, halved" if attempt.batch_size else ""
    if attempt.outcome in (DONE, INVALID):
        speed = f"{attempt.images_per_second:,.1f} images/s" if attempt.images_per_second else "done"
        return f"{speed}{batch}{f' ({attempt.doubt})' if attempt.doubt else ''}"
    reason = attempt.message.splitlines()[0].rstrip(".") if attempt.message else "no reason known"
    return f"{attempt.outcome.replace('_', ' ').upper()}{batch}: {reason}"


def one_line(text: str) -> str:
    """`text` without line ends and control characters: what a process said may have any."""
    return "".join(each if each.isprintable() else " " for each in text)


def seconds_left(turns: Sequence[Turn], expected: Expected, passed: float = 0.0) -> float | None:
    """Seconds that `turns` take, the first of which began `passed` ago; None where nothing is known of any.

    Of those that nothing is known of, what the others take on average.
    """
    each = [expected(turn.cell) for turn in turns]
    known = [seconds for seconds in each if seconds is not None]
    if not known:
        return None
    mean = sum(known) / len(known)
    return max(0.0, sum(mean if seconds is None else seconds for seconds in each) - passed)
