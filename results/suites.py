"""Runs of a suite: which of its attempts at one run counts."""

from collections.abc import Iterable

from results.record import RunRecord
from results.schema import canonical


def superseded(records: Iterable[RunRecord]) -> set[str]:
    """Return the ids of the records after which a suite tried the same run again: the last attempt stands for it."""
    last: dict[str, tuple[int, str]] = {}
    ids = set()
    for record in records:
        attempt = record.suite.get("attempt")
        if isinstance(attempt, int):
            ids.add(record.record_id)
            run = canonical([record.suite.get(name) for name in ("set", "cell", "repeat")])
            last[run] = max(last.get(run, (attempt, record.record_id)), (attempt, record.record_id))
    return ids - {record_id for _, record_id in last.values()}
