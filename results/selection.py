"""The records that a command is about: of files and folders, each once, with what could not be used named."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from results.record import RecordError, RunRecord
from results.store import FolderError, load, read

UNREADABLE = "Not a readable record"  # begins the message for such a file


class Selection(NamedTuple):
    """Records in the order of the paths given, and a message for each file that is not among them."""

    records: list[RunRecord]
    left_out: list[str]


def select(paths: Iterable[str | Path]) -> Selection:
    """Read the records of `paths`: files, or folders with one record a `*.json` file.

    What is no readable record is left out with a message, and so is a second copy of the same run. Raise FolderError
    where a path cannot be read at all, or where no record is left.
    """
    chosen = [Path(path) for path in paths]
    found, left_out = [], []
    for path in chosen:
        records, unreadable = _read(path)
        found += records
        left_out += [f"{UNREADABLE}: {error}" for error in unreadable]
    records, repeated = _distinct(found)
    if not records:
        where = ", ".join(f"'{path}'" for path in chosen)
        reasons = "".join(f"\n{message}" for message in left_out)
        raise FolderError(f"No readable record in {where}. Is it the --results_dir of a run?{reasons}")
    return Selection(records, left_out + repeated)


def _read(path: Path) -> tuple[list[RunRecord], list[RecordError]]:
    if path.is_dir() or not path.exists():
        return load(path)
    try:
        return [read(path)], []
    except RecordError as error:
        return [], [error]


def _distinct(records: Iterable[RunRecord]) -> tuple[list[RunRecord], list[str]]:
    first: dict[str, RunRecord] = {}
    repeated = []
    for record in records:
        known = first.setdefault(record.record_id, record)
        if known is not record:
            repeated.append(f"Left out: {record.file} is the same run as {known.file} (record_id {record.record_id}).")
    return list(first.values()), repeated
