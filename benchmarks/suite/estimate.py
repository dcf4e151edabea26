"""How long a suite will take, and what says so: what the same cells took before, in this folder or one beside it."""

from __future__ import annotations

import contextlib
import statistics
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from benchmarks.suite import journal
from benchmarks.suite.attempts import DONE, INVALID

_MOST_JOURNALS = 200  # the newest of them: enough for half a year of nights


class Estimate(NamedTuple):
    """Seconds of a run of each cell of which that is known, by its id, and how many runs say so."""

    seconds: Mapping[str, float]
    runs: Mapping[str, int]


def estimate(results_dir: Path) -> Estimate:
    """What the journals in `results_dir`, and in the folders beside it, say: the median of each cell's runs."""
    found: defaultdict[str, list[float]] = defaultdict(list)
    for path in _journals(results_dir):
        for cell, seconds in _runs(path):
            found[cell].append(seconds)
    return Estimate(
        {cell: statistics.median(seconds) for cell, seconds in found.items()},
        {cell: len(seconds) for cell, seconds in found.items()},
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
