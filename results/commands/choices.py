"""The configurations among records that a user may mean one of, each with what to type for it."""

from collections import Counter
from collections.abc import Sequence

from results import frame
from results.comparison.facts import CONDITION_FACTS, facts
from results.naming import counted, names
from results.record import RunRecord
from results.repeats import CONFIGURATION, repeats

_MOST = 12  # that are told; of a suite there may be hundreds


def configurations(records: Sequence[RunRecord]) -> list[list[RunRecord]]:
    """Return `records` by configuration, those of each in the order in which they ran."""
    in_order = sorted(records, key=lambda record: record.started_at)
    return repeats(in_order, frame.facts, CONFIGURATION)


def choices(records: Sequence[RunRecord], place: str) -> list[str]:
    """Return a line for each configuration: what stands for its runs, its name, how many there are.

    That is PLACE@CELL where a suite made them, `place` being what they were read from, and else the last one's file.
    """
    found = configurations(records)
    of_cells = Counter(cell for group in found for cell in _cells(group))
    told = [{name: value for name, value in facts(group[0]).items() if name not in CONDITION_FACTS} for group in found]
    lines = []
    for group, name in zip(found, names(told), strict=True):
        cells = _cells(group)
        own = len(cells) == 1 and cells[0] and of_cells[cells[0]] == 1
        lines.append(f"{f'{place}@{cells[0]}' if own else group[-1].file}: {name} ({counted(len(group), 'record')})")
    return [*lines[:_MOST], *([f"and {len(lines) - _MOST} more"] if len(lines) > _MOST else [])]


def _cells(group: Sequence[RunRecord]) -> list[str]:
    """The cells of suites that made the runs; "" stands for none."""
    return list(dict.fromkeys(str(record.suite.get("cell") or "") for record in group))
