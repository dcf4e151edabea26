"""What a suite is going to do, and how long that takes, as lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from benchmarks.suite import order
from benchmarks.suite.attempts import History
from benchmarks.suite.cells import Cell
from benchmarks.suite.estimate import STUDY_SAYS, Estimate
from benchmarks.suite.journal import Header
from benchmarks.suite.progress import one_line
from results.durations import about


def told(header: Header, known: Estimate, past: History) -> list[str]:
    """A suite in a few lines, before it runs, or goes on after the `past`."""
    index, count = header.shard
    part = f", part {index} of {count}" if count > 1 else ""
    what = f"Suite {header.suite} (set {header.set}){part}: {len(header.cells)} cells, {len(header.order)} runs"
    left = [turn.cell for turn in order.left(header.cells, header.order, past)]
    already = f" {len(header.order) - len(left)} runs need no more." if past.all else ""
    return [f"{what} in random order (seed {header.seed}).{already}", _time(header, known, left)]


def plan_lines(header: Header, known: Estimate, past: History) -> list[str]:
    """The plan as a table, the flags of each cell, and how long all takes that is left to run after the `past`."""
    wide = max(len(cell.name) for cell in header.cells)
    left = [turn.cell for turn in order.left(header.cells, header.order, past)]
    runs = Counter(cell.id for cell in left)
    lines = [f"{'cell':<{wide}}  {'id':<12}  runs  {'a run':>8}  that rests on"]
    for cell in header.cells:
        seconds, source = known.seconds.get(cell.id), known.source.get(cell.id)
        if seconds is None:
            source = f"nothing: unknown, at most {about(cell.time_limit)} (time_limit)"
        length = about(seconds) if seconds is not None else "?"
        lines.append(f"{cell.name:<{wide}}  {cell.id}  {runs[cell.id]:>4}  {length:>8}  {source}")
    runs_of_flags = [cell for cell in header.cells if cell.flags or not cell.study]
    flags = [f"  {' '.join(cell.arguments()) or 'no flag'}" for cell in runs_of_flags]
    in_order = "in random order" + (", and then where intervals are widest" if header.budget else "")
    last = [f"{len(left)} runs {in_order}.", _time(header, known, left)]
    all_lines = [*lines, *(["Flags, in the same order:", *flags] if flags else []), *last]
    return [one_line(line) for line in all_lines]


def _time(header: Header, known: Estimate, runs: Sequence[Cell]) -> str:
    """How long `runs`, each of a cell, take, and what says so."""
    if header.budget is not None:
        return f"Time: --budget={about(header.budget)}."
    said = [known.seconds[cell.id] for cell in runs if known.source.get(cell.id) == STUDY_SAYS]
    sure = [known.seconds[cell.id] for cell in runs if known.source.get(cell.id, STUDY_SAYS) != STUDY_SAYS]
    unknown = [cell.time_limit for cell in runs if cell.id not in known.seconds]
    words = [f"about {about(sum(sure))} for {len(sure)} runs, by what earlier ones took"] if sure else []
    if said:
        words.append(f"at most about {about(sum(said))} for {len(said)} studies, by what they say of themselves")
    if unknown:
        most = f"at most {about(sum(unknown))} (time_limit)"
        words.append(f"unknown for {len(unknown)} runs, of which no earlier one is found: {most}")
    return f"Time: {'; '.join(words) or 'none, as nothing is left to run'}."
