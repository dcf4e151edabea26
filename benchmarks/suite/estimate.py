"""How long a suite will take, and what says so: what the same cells took before."""

from __future__ import annotations

import contextlib
import statistics
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.params import options, parse
from benchmarks.suite import journal
from benchmarks.suite.attempts import DONE, INVALID
from benchmarks.suite.cells import Cell
from benchmarks.suite.study_names import study_seconds
from results import store
from results.record import RunRecord

_MOST_JOURNALS = 200  # the newest of them: enough for half a year of nights
_MOST_RECORDS = 500  # the newest of them: more take seconds to read
STUDY_SAYS = "what the study says of itself"  # and not earlier runs


class Estimate(NamedTuple):
    """Seconds of a run of each cell of which that is known, by its id, and what says so."""

    seconds: Mapping[str, float]
    source: Mapping[str, str]


def estimate(results_dir: Path, cells: Sequence[Cell]) -> Estimate:
    """The median of what each of `cells` took: in suites that ran in `results_dir` or in a folder beside it.

    Where there is none, by the records in `results_dir` of runs with the same flags; studies say it of themselves.
    """
    of_suites: defaultdict[str, list[float]] = defaultdict(list)
    for path in _journals(results_dir):
        for cell, seconds in _runs(path):
            of_suites[cell].append(seconds)
    unknown = [cell for cell in cells if cell.id not in of_suites]
    of_records = _of_records(results_dir, unknown) if unknown else {}
    found = [(of_suites, "runs of suites"), (of_records, "records")]
    by_themselves = {cell.id: study_seconds(cell.study, cell.flags) for cell in unknown if cell.study}
    return Estimate(
        by_themselves | {cell: statistics.median(seconds) for of, _ in found for cell, seconds in of.items()},
        dict.fromkeys(by_themselves, STUDY_SAYS)
        | {cell: f"{len(seconds)} earlier {what}" for of, what in found for cell, seconds in of.items()},
    )


def _journals(results_dir: Path) -> list[Path]:
    beside = {*journal.journals(results_dir), *results_dir.absolute().parent.glob("*/suite*.jsonl")}
    distinct = {path.absolute(): path for path in beside}
    with contextlib.suppress(OSError):
        return sorted(distinct, key=lambda path: -path.stat().st_mtime)[:_MOST_JOURNALS]
    return []


def _runs(path: Path) -> Iterator[tuple[str, float]]:
    """Cell and seconds of each run in a journal that came to an end of its own."""
    with contextlib.suppress(OSError):
        for entry in journal.read(path):
            if entry["kind"] == "end" and entry.get("outcome") in (DONE, INVALID):
                cell, seconds = entry.get("cell"), entry.get("seconds")
                if isinstance(cell, str) and isinstance(seconds, int | float):
                    yield cell, float(seconds)


def _of_records(results_dir: Path, cells: Sequence[Cell]) -> dict[str, list[float]]:
    """Seconds of the runs with the flags of `cells`, as far as records tell."""
    commands = [(parse(cell.arguments()), cell.id) for cell in cells if not cell.study]
    asked = {_measured(command.given, vars(command.params)): cell for command, cell in commands}
    found: defaultdict[str, list[float]] = defaultdict(list)
    newest = sorted(results_dir.glob("*.json"))[-_MOST_RECORDS:]
    for record in store.readable(newest):
        cell = asked.get(_measured(record.given, record.params))
        if cell and (seconds := _seconds(record)) is not None:
            found[cell].append(seconds)
    return found


def _measured(given: Iterable[str], values: Mapping[str, Any]) -> frozenset[tuple[str, str]]:
    """The flags that were given and say what is measured, with their values."""
    return frozenset(
        (name, str(values.get(name))) for name in given if name in options() and not options()[name].run_only
    )


def _seconds(record: RunRecord) -> float | None:
    """From the start of the process to the end of its window; None where that is not known."""
    measured = record.measurement
    if record.status != "completed" or measured is None or measured.time_to_first_step_seconds is None:
        return None
    return measured.time_to_first_step_seconds + sum(measured.warmup_step_seconds[1:]) + measured.window_seconds
