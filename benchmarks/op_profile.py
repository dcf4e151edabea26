"""Which operations of the traced steps took most time, as a table."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.xplane import Event, Line, Operation, Profile

MOST_STEPS, ROWS = 10, 20  # as in tf_cnn_benchmarks
_PICOSECONDS = 1e9  # in a millisecond


@dataclass(frozen=True)
class Timed:
    """One execution of `operation`, on the threads of the host or on GPUs; `own` is in picoseconds.

    That is its time without that of operations within it, so that nothing is counted twice.
    """

    operation: Operation
    on_gpu: bool
    own: int


def timed_operations(profile: Profile, most_steps: int = MOST_STEPS) -> list[Timed]:
    """Every execution that began in the first `most_steps` traced steps."""
    steps = profile.steps[:most_steps]
    if not steps:
        return []
    begin, end = steps[0].begin, steps[-1].end
    return [
        Timed(event.operation, plane.is_gpu, own)
        for plane in profile.planes
        for line in plane.lines
        for event, own in _own_times(line)
        if event.operation and begin <= event.begin <= end
    ]


def _own_times(line: Line) -> Iterator[tuple[Event, int]]:
    """The operations of `line`, each with its duration less that of the operations right within it."""
    within: list[tuple[Event, int]] = []  # those that are under way, outermost first, and what they have left
    for event in line.events:
        if not event.operation:
            continue
        while within and within[-1][0].end <= event.begin:
            yield within.pop()
        if within:
            outer, left = within.pop()
            within.append((outer, left - min(event.end, outer.end) + event.begin))
        within.append((event, event.duration))
    yield from reversed(within)


def milliseconds_by_type(profile: Profile) -> dict[str, dict[str, float]]:
    """Milliseconds of each type of operation in the first MOST_STEPS traced steps, on the `host` and on `gpus`."""
    found: dict[str, defaultdict[str, float]] = {"gpus": defaultdict(float), "host": defaultdict(float)}
    for each in timed_operations(profile):
        found["gpus" if each.on_gpu else "host"][each.operation.kind] += each.own / _PICOSECONDS
    return {place: dict(times) for place, times in found.items() if times}


def table(profile: Profile, title: str) -> str:
    """The text of the profile: by type and by operation, for GPUs and for the host."""
    timed = timed_operations(profile)
    steps = profile.steps[:MOST_STEPS]
    lasted = sum(step.duration for step in steps) / _PICOSECONDS
    blocks = [
        f"{title}\n{len(steps)} traced step(s), {lasted:,.2f} ms. Operations run side by side: "
        "their times can add up to more."
    ]
    for on_gpu, place in ((True, "GPUs"), (False, "threads of the host")):
        here = [each for each in timed if each.on_gpu == on_gpu]
        if here:
            blocks.append(f"On the {place}, by type of operation:\n{_rows(here, _by_kind, ('type',))}")
            blocks.append(f"On the {place}, by operation:\n{_rows(here, _by_name, ('type', 'tower', 'operation'))}")
    return "\n\n".join(blocks) + "\n"


def _by_kind(operation: Operation) -> tuple[str, ...]:
    return (operation.kind,)


def _by_name(operation: Operation) -> tuple[str, ...]:
    return operation.kind, "-" if operation.tower is None else str(operation.tower), operation.name


def _rows(timed: Sequence[Timed], key: Callable[[Operation], tuple[str, ...]], head: tuple[str, ...]) -> str:
    """The ROWS keys that took most, the rest together, and all."""
    groups: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
    for each in timed:
        groups[key(each.operation)].append(each.own)
    ranked = sorted(groups.items(), key=lambda group: (-sum(group[1]), group[0]))
    total = sum(each.own for each in timed)
    rows = [_row(times, total, name) for name, times in ranked[:ROWS]]
    if rest := ranked[ROWS:]:
        rows.append(_row(_joined(rest), total, (f"({len(rest)} others)",)))
    rows.append(_row([each.own for each in timed], total, ("(all)",)))
    return "\n".join(_aligned([("count", "total ms", "share", *head), *rows]))


def _joined(groups: Iterable[tuple[Any, list[int]]]) -> list[int]:
    return list(itertools.chain.from_iterable(times for _, times in groups))


def _row(times: Sequence[int], total: int, name: tuple[str, ...]) -> tuple[str, ...]:
    return f"{len(times):,}", f"{sum(times) / _PICOSECONDS:,.3f}", f"{sum(times) / max(total, 1):.1%}", *name


def _aligned(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    """Numbers to the right, names to the left."""
    columns = itertools.zip_longest(*rows, fillvalue="")
    widths = [max(map(len, column)) for column in columns]
    for row in rows:
        numbers = [cell.rjust(width) for cell, width in zip(row[:3], widths, strict=False)]
        names = [cell.ljust(width) for cell, width in zip(row[3:], widths[3:], strict=False)]
        yield "  ".join([*numbers, *names]).rstrip()
