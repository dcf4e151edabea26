"""Nights: the runs that belong together in time, and are one measurement of the state of things."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from results.record import RunRecord

PAUSE = timedelta(hours=6)  # longer than a suite waits between two runs, shorter than what lies between two nights


def nights(records: Iterable[RunRecord]) -> list[list[RunRecord]]:
    """Return `records` night by night, in the order of time.

    A night ends where nothing ran for six hours, so that midnight, in whatever time zone, does not cut it. Runs of
    different commits in it are nights of their own. Runs of which the time is not known are one night, the first.
    """
    dated = sorted((record for record in records if record.started_at), key=started)
    blocks: list[list[RunRecord]] = []
    busy_until: datetime | None = None
    for record in dated:
        if busy_until is None or started(record) - busy_until >= PAUSE:
            blocks.append([])
            busy_until = None
        blocks[-1].append(record)
        busy_until = max(busy_until or _finished(record), _finished(record))
    undated = [record for record in records if not record.started_at]
    return ([undated] if undated else []) + [night for block in blocks for night in _by_commit(block)]


def _by_commit(block: Iterable[RunRecord]) -> list[list[RunRecord]]:
    found: dict[str, list[RunRecord]] = {}
    for record in block:
        git = record.environment.get("git")
        found.setdefault(str(git.get("commit")) if isinstance(git, dict) else "", []).append(record)
    return list(found.values())


def started(record: RunRecord) -> datetime:
    """Return when a run began, which must be known."""
    return datetime.fromisoformat(record.started_at)


def _finished(record: RunRecord) -> datetime:
    return datetime.fromisoformat(record.finished_at or record.started_at)
