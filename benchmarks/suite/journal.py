"""The journal of a suite: one line of JSON for each thing that happened, each on the disk before the next begins.

The first line has the plan, so that a suite goes on without its file. A line is whole or counts as not written: after a
loss of power the last one may be torn.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.errors import UserError
from benchmarks.suite.cells import Cell
from results.files import open_regular, sync_folder

VERSION = 2  # 1 had no software in its first line
_STARTED = "suite"
_BEGINS = b'{"kind": "suite", '  # a journal, as far as it was written


@dataclass(frozen=True)
class Header:
    """What a suite is, and how it runs here. `plan` stands for the whole of it, `cells` are those of this shard.

    `order` is the random order of all runs, pairs of a cell's index and a repeat; with a `budget` (seconds) it is not
    followed beyond the first two of each. `software` is what it began with.
    """

    suite: str
    plan: str
    set: str
    seed: int
    cells: list[Cell]
    order: list[tuple[int, int]]
    shard: tuple[int, int] = (1, 1)
    budget: float | None = None
    started_at: str = ""
    software: dict[str, str] = field(default_factory=dict)

    def facts(self) -> dict[str, Any]:
        """It, as the first line has it."""
        return asdict(self) | {"cells": [cell.facts() for cell in self.cells]}

    @classmethod
    def of(cls, facts: dict[str, Any]) -> Header:
        """It, from the first line."""
        known = {name: value for name, value in facts.items() if name not in ("kind", "version")}
        known["cells"] = [Cell.of(cell) for cell in facts["cells"]]
        known["order"] = [(index, repeat) for index, repeat in facts["order"]]
        known["shard"] = tuple(facts["shard"])
        if not all(0 <= index < len(known["cells"]) for index, _ in known["order"]):
            raise ValueError("its order has runs of cells that there are none of")
        return cls(**known)


def file_name(shard: tuple[int, int]) -> str:
    """What the journal of a shard is called: shards may share a folder."""
    index, count = shard
    return "suite.jsonl" if count == 1 else f"suite-{index}-of-{count}.jsonl"


def journals(folder: Path) -> list[Path]:
    """Those in a folder of results."""
    return sorted([*folder.glob("suite.jsonl"), *folder.glob("suite-*-of-*.jsonl")])


def read(path: Path) -> list[dict[str, Any]]:
    """The lines of a journal, without those that are not whole. Raises OSError where it cannot be read."""
    with open_regular(path) as stream:
        return list(_entries(stream.read()))


def header(path: Path) -> Header | None:
    """The first line of a journal; None where there is none yet. Raises UserError where it is no journal of ours."""
    try:
        with open_regular(path) as stream:
            data = stream.read()
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}. Give another --results_dir.") from error
    entries = list(_entries(data))
    if not entries and _BEGINS.startswith(data[: len(_BEGINS)].rstrip(b"\0")):  # torn, or there is no more yet
        return None
    try:
        if not entries or entries[0]["kind"] != _STARTED or entries[0]["version"] > VERSION:
            raise ValueError("its first line is not that of a suite that this version knows")
        return Header.of(entries[0])
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path}: is no journal of a suite: {error}. Give another --results_dir.") from error


class Journal:
    """A journal that is written to, by this process alone. Raises UserError where another one has it, or it cannot be.

    What was torn at its end is cut off.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
            self._lock()
            with open_regular(path) as stream:
                data = stream.read()
            self._size = data.rfind(b"\n") + 1
            os.ftruncate(self._file, self._size)
        except OSError as error:
            raise UserError(f"{path}: cannot be written: {error.strerror}. Give another --results_dir.") from error
        self.entries = list(_entries(data[: self._size]))

    def begin(self, header: Header) -> None:
        """Write the first line."""
        self.append(_STARTED, version=VERSION, **header.facts())
        sync_folder(self.path.parent)

    def append(self, kind: str, **facts: Any) -> None:
        """Add a line, and wait until it is on the disk. Raises OSError; then it is not there."""
        if not self.in_place:
            told = "it was removed, or replaced by another, while the suite ran"
            raise OSError(errno.ENOENT, told, str(self.path))
        entry = {"kind": kind, **facts}
        data = json.dumps(entry).encode() + b"\n"
        try:
            written = os.write(self._file, data)
            if written < len(data):  # the disk is full
                os.write(self._file, data[written:])
            os.fsync(self._file)
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, self._size)
            raise
        self._size += len(data)
        self.entries.append(entry)

    @property
    def in_place(self) -> bool:
        """Whether it is still what its path leads to.

        Some network disks give a file another inode after a while: only with another length is it another file.
        """
        try:
            found = self.path.stat()
        except OSError:
            return False
        return os.path.samestat(found, os.fstat(self._file)) or found.st_size == self._size

    def close(self) -> None:
        """Let others have it."""
        os.close(self._file)

    def _lock(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._file)
            raise UserError(f"{self.path}: another process runs this suite. Wait for it, or end it.") from None
        except OSError:  # a file system without locks
            return


def _entries(data: bytes) -> Iterator[dict[str, Any]]:
    for line in data.split(b"\n")[:-1]:  # behind the last newline is what was torn
        with contextlib.suppress(ValueError):
            entry = json.loads(line)
            if isinstance(entry, dict) and isinstance(entry.get("kind"), str):
                yield entry
