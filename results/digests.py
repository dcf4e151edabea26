"""What tables and histories need of many records, without reading again what has not changed since the last time.

A *digest* is a record's row in a frame, its conditions and its origin. Digests of large folders are kept in a cache.
"""

import functools
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from results import store
from results.cache import Cache, Stamp
from results.conditions import conditions
from results.frame import COLUMNS, of_rows, row
from results.record import RecordError, RunRecord
from results.selection import gather
from results.suites import Origin, origin

CACHED_FROM = 500  # files in a folder: fewer are read in a quarter of a second
_FILE = list(COLUMNS).index("file")
_RECORD_ID = list(COLUMNS).index("record_id")


class Digest(NamedTuple):
    """One record in short: `row` as results.frame.row makes it, the facts of results.conditions, and its origin."""

    row: tuple[Any, ...]
    conditions: dict[str, str]
    origin: Origin = Origin()

    @property
    def record_id(self) -> str:
        """Which run it is."""
        return str(self.row[_RECORD_ID])

    @property
    def file(self) -> str:
        """Where it was read."""
        return str(self.row[_FILE])


class Digests(NamedTuple):
    """Digests in the order of the paths given, and a message for each file that is not among them."""

    digests: list[Digest]
    left_out: list[str]

    def frame(self) -> pd.DataFrame:
        """Return the frame of the records."""
        return of_rows([digest.row for digest in self.digests])


def select_digests(paths: Iterable[str | Path], cached_from: int = CACHED_FROM) -> Digests:
    """Do what results.selection.select does, with digests in place of records; the same errors.

    A folder of `cached_from` files or more has a cache.
    """
    return Digests(*gather(paths, functools.partial(_load, cached_from=cached_from), _read))


def digest_of(record: RunRecord) -> Digest:
    """Return the digest of `record`."""
    return Digest(row(record), conditions(record), origin(record))


def _load(folder: Path, cached_from: int) -> tuple[list[Digest], list[RecordError]]:
    names = store.names(folder)
    cache = Cache.of(folder) if len(names) >= cached_from else Cache()
    digests, unreadable = [], []
    for name in names:
        path = folder / name
        known = _known(cache, path)
        if isinstance(known, Digest):
            digests.append(known)
        else:
            unreadable.append(known)
    cache.keep(names)
    return digests, unreadable


def _known(cache: Cache, path: Path) -> Digest | RecordError:
    """Return the digest of the record at `path`, or what is wrong with it, from the cache or else from the file."""
    stamp = Stamp.of(path)  # before the file is read: what is written meanwhile has another
    entry = cache.get(path.name, stamp)
    if entry is None:
        entry = _entry(path)
        if stamp and stamp.settled(time.time_ns()):
            cache.put(path.name, stamp, entry)
    facts, known_conditions = entry
    if known_conditions is None:
        reason, field = facts
        return RecordError(reason, field, str(path))
    row, made = facts[: len(COLUMNS)], facts[len(COLUMNS) :]
    return Digest((*row[:_FILE], str(path), *row[_FILE + 1 :]), known_conditions, Origin(*made))


def _entry(path: Path) -> tuple[list[Any], dict[str, str] | None]:
    """Return what the cache keeps of a file: row with origin, conditions; or reason, field, None. No path is in it."""
    try:
        digest = _read(path)
    except RecordError as error:
        return [error.reason, error.field], None
    return [*digest.row, *digest.origin], digest.conditions


def _read(path: Path) -> Digest:
    record: RunRecord = store.read(path)
    return digest_of(record)
