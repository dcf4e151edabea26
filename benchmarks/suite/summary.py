"""What came of a suite, as lines: a row for each cell, and what failed and why."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from statistics import geometric_mean

from benchmarks.suite.attempts import DONE, INVALID, SKIPPED, Attempt, History
from benchmarks.suite.cells import Cell
from benchmarks.suite.journal import Header
from benchmarks.suite.process import LOGS
from benchmarks.suite.progress import one_line, what
from results.durations import about
from results.naming import counted
from results.statistics.between_runs import interval

_MOST_REASONS = 3  # of one cell


def summary(header: Header, history: History, unreached: int, results_dir: Path) -> list[str]:
    """The lines; `unreached` runs did not come to their turn."""
    wide = max((len(cell.name) for cell in header.cells), default=0)
    lines = [f"{'cell':<{wide}}  {'runs':>4} {'valid':>5} {'failed':>6}  {'images/s':>12}  95 % interval"]
    lines += [_row(cell, history, wide) for cell in header.cells]
    for cell in header.cells:
        reasons = dict.fromkeys(reason for attempt in history.ended(cell) if (reason := _wrong(attempt)))
        lines += [f"{cell.name}: {reason}" for reason in list(reasons)[:_MOST_REASONS]]
        batch = history.batch_size(cell)
        if batch and any(attempt.batch_size == batch and not attempt.failed for attempt in history.last(cell)):
            lines.append(f"{cell.name}: memory ran out with --batch_size={cell.batch_size}: it ran with {batch}")
        if larger := len(history.outgrown_for_good(cell)):
            lines.append(f"{cell.name}: {counted(larger, 'run')} with another batch, which its figure does not count")
    last = [attempt for cell in header.cells for attempt in history.ended(cell)]
    outgrown = sum(len(history.outgrown_for_good(cell)) for cell in header.cells)
    failed = sum(attempt.failed for attempt in last)
    skipped = sum(attempt.outcome == SKIPPED for attempt in last)
    done = len(last) - failed - skipped
    doubts = Counter(attempt.doubt for attempt in last if attempt.doubt)
    seconds = sum(attempt.seconds for attempt in history.all)
    told = [f"{done} runs done", *(f"{count} of them {doubt}" for doubt, count in doubts.items())]
    told += [f"{outgrown} of them with another batch" if outgrown else ""]
    told += [f"{failed} failed" if failed else "", f"{skipped} skipped" if skipped else ""]
    told += [f"{unreached} not run" if unreached else "", about(seconds)]
    lines.append(f"Suite {header.suite} (set {header.set}): {', '.join(filter(None, told))}. Records: {results_dir}")
    if failed:
        lines.append(f"What failed runs said: {results_dir / LOGS}")
    return [one_line(line) for line in lines]


def _row(cell: Cell, history: History, wide: int) -> str:
    last = [attempt for attempt in history.ended(cell) if attempt.outcome != SKIPPED]
    failed = sum(attempt.failed for attempt in last)
    speeds = history.speeds(cell)
    known = interval(speeds)
    speed = f"{known.value if known else speeds[0]:,.1f}" if speeds else _doubtful(cell, history)
    told = f"{known.low:,.1f} to {known.high:,.1f}" if known else "-"
    valid = sum(attempt.outcome == DONE for attempt in last)
    return f"{cell.name:<{wide}}  {len(last):>4} {valid:>5} {failed:>6}  {speed:>12}  {told}"


def _doubtful(cell: Cell, history: History) -> str:
    """The mean of what a cell without a valid run measured, in brackets as other tables have it."""
    speeds = history.speeds(cell, INVALID)
    return f"({geometric_mean(speeds):,.1f})" if speeds else "-"


def _wrong(attempt: Attempt) -> str:
    """What is wrong with an attempt; "" where nothing is."""
    if attempt.outcome == DONE:
        return attempt.message  # of how it ended after all was measured
    if attempt.outcome == INVALID:
        return f"{attempt.doubt}: {attempt.message}" if attempt.message else ""
    return what(attempt)
