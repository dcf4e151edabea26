"""The records that a command is about: of files and folders, each once, with what could not be used named."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple, Protocol, TypeVar

from results.record import RecordError, RunRecord
from results.store import FolderError, load, read

UNREADABLE = "Not a readable record"  # begins the message for such a file


class Selection(NamedTuple):
    """Records in the order of the paths given, and a message for each file that is not among them."""

    records: list[RunRecord]
    left_out: list[str]


class Identified(Protocol):
    """A record, or what is known of one."""

    @property
    def record_id(self) -> str:
        """Which run it is."""

    @property
    def file(self) -> str:
        """Where it was read."""


Item = TypeVar("Item", bound=Identified)


def select(paths: Iterable[str | Path]) -> Selection:
    """Read the records of `paths`: files, or folders with one record a `*.json` file.

    What is no readable record is left out with a message, and so is a second copy of the same run; of several paths,
    a folder without a record is named. Raise FolderError where a path cannot be read at all, or no record is left.
    """
    return Selection(*gather(paths, load, read))


def gather(
    paths: Iterable[str | Path],
    load_folder: Callable[[Path], tuple[list[Item], list[RecordError]]],
    read_file: Callable[[Path], Item],
) -> tuple[list[Item], list[str]]:
    """Do what `select` does, with other readers of a folder and of a file."""
    chosen = [Path(path) for path in paths]
    found: list[Item] = []
    left_out, empty = [], []
    for path in chosen:
        items, unreadable = _read(path, load_folder, read_file)
        found += items
        left_out += [f"{UNREADABLE}: {error}" for error in unreadable]
        if not (items or unreadable):
            empty.append(f"No record in '{path}'.")
    items, repeated = _distinct(found)
    if not items:
        where = ", ".join(f"'{path}'" for path in chosen)
        reasons = "".join(f"\n{message}" for message in left_out)
        raise FolderError(f"No readable record in {where}. Is it the --results_dir of a run?{reasons}")
    return items, left_out + empty + repeated


def _read(
    path: Path,
    load_folder: Callable[[Path], tuple[list[Item], list[RecordError]]],
    read_file: Callable[[Path], Item],
) -> tuple[list[Item], list[RecordError]]:
    if os.path.isdir(path) or not os.path.exists(path):  # noqa: PTH110,PTH112  # a name that is too long is no error
        return load_folder(path)
    try:
        return [read_file(path)], []
    except RecordError as error:
        return [], [error]


def _distinct(items: Iterable[Item]) -> tuple[list[Item], list[str]]:
    first: dict[str, Item] = {}
    repeated = []
    for item in items:
        known = first.setdefault(item.record_id, item)
        if known is not item:
            repeated.append(f"Left out: {item.file} is the same run as {known.file} (record_id {item.record_id}).")
    return list(first.values()), repeated
