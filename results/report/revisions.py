"""Which revision of a published document a figure is from."""

import re
from collections import defaultdict
from collections.abc import Sequence

from results.record import RunRecord

_REVISION = re.compile(r"@ ([0-9a-f]{7,40})\b")  # as the documents of results/reference are cited


def revisions(records: Sequence[RunRecord]) -> list[str]:
    """For each record the revision of its document, with its date if all of it have one; "" where none is told.

    What one source published at several times are no repeats: nobody published their mean.
    """
    found = [_revision(record) for record in records]
    dates: dict[str, set[str]] = defaultdict(set)
    for revision, record in zip(found, records, strict=True):
        dates[revision].add(str(record.provenance.get("date") or ""))
    return [_dated(revision, dates[revision]) if revision else "" for revision in found]


def _dated(revision: str, dates: set[str]) -> str:
    date = next(iter(dates)) if len(dates) == 1 else ""
    return f"{date} ({revision})" if date else f"revision {revision}"


def _revision(record: RunRecord) -> str:
    told = _REVISION.search(str(record.provenance.get("document") or ""))
    return told[1] if told else ""
