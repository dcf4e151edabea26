"""A cache of what is known of the files of one folder, as one JSON file in the user's cache folder.

It is written whole and replaced whole, so readers and writers need no locks: the last writer wins, and what it did not
know is read again. It begins with a checksum of the rest and a fingerprint of this package's source; where either does
not fit, or anything else is amiss, it counts as empty. It can be deleted at any time.
"""

import contextlib
import functools
import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from results.files import write_whole

FOLDER = "cnn-benchmark-records"  # in $XDG_CACHE_HOME, or ~/.cache
# A file may be written twice within one tick of the file system's clock, which is 2 s at worst (FAT).
_UNSETTLED_NANOSECONDS = 2_000_000_000

Entry = tuple[list[Any], "dict[str, str] | None"]


class Stamp(NamedTuple):
    """What tells that a file is still the same."""

    size: int
    mtime_ns: int

    @classmethod
    def of(cls, path: Path) -> "Stamp | None":
        """Return the stamp of the file at `path`; None where it has none."""
        try:
            found = path.stat()
        except OSError:
            return None
        return cls(found.st_size, found.st_mtime_ns)

    def settled(self, now_ns: int) -> bool:
        """Whether a change of the file after `now_ns` gives it another stamp."""
        return now_ns - self.mtime_ns > _UNSETTLED_NANOSECONDS


class Cache:
    """Entries by file name: a list of plain values, and conditions, which many files share."""

    def __init__(self, path: Path | None = None) -> None:
        """Read the cache at `path`; without one, begin empty and keep nothing."""
        self._path = path
        self._entries: dict[str, tuple[Stamp, Entry]] = _read(path) if path else {}
        self._changed = False

    @classmethod
    def of(cls, folder: Path) -> "Cache":
        """Return the cache of `folder`; one that keeps nothing where the user has no place for caches."""
        try:
            place = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / FOLDER
            name = hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()
        except (OSError, RuntimeError):  # no home
            return cls()
        return cls(place / f"{name[:32]}.json")

    def get(self, name: str, stamp: Stamp | None) -> Entry | None:
        """Return the entry of the file `name` if it still has this `stamp`."""
        known = self._entries.get(name)
        return known[1] if known and known[0] == stamp else None

    def put(self, name: str, stamp: Stamp, entry: Entry) -> None:
        """Remember `entry`."""
        self._entries[name] = (stamp, entry)
        self._changed = True

    def keep(self, names: Iterable[str]) -> None:
        """Forget all files but `names`, and write what is new. A cache that cannot be written is done without."""
        names = set(names)
        gone = self._entries.keys() - names
        if self._path is None or not (gone or self._changed):
            return
        entries = {name: entry for name, entry in self._entries.items() if name in names}
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_whole(self._path, _written(entries))
        self._changed = False


def _read(path: Path) -> dict[str, tuple[Stamp, Entry]]:
    try:
        head, body = path.read_bytes().split(b"\n", 1)
    except (OSError, ValueError):
        return {}
    if head != _head(body):
        return {}
    data = json.loads(body)  # ours, to the last byte
    shared = data["conditions"]
    return {
        name: (Stamp(size, mtime_ns), (facts, None if index is None else shared[index]))
        for name, (size, mtime_ns, facts, index) in data["files"].items()
    }


def _written(entries: dict[str, tuple[Stamp, Entry]]) -> bytes:
    indices: dict[str, int] = {}
    files = {}
    for name, (stamp, (facts, conditions)) in entries.items():
        index = None if conditions is None else indices.setdefault(json.dumps(conditions), len(indices))
        files[name] = [*stamp, facts, index]
    body = json.dumps({"conditions": [json.loads(text) for text in indices], "files": files}).encode()
    return _head(body) + b"\n" + body


def _head(body: bytes) -> bytes:
    return f"{hashlib.sha256(body).hexdigest()} {_fingerprint()}".encode()


@functools.cache
def _fingerprint() -> str:
    """The source of this package, in short: a changed formula makes what was computed by the old one void."""
    source = hashlib.sha256()
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        source.update(path.read_bytes())
    return source.hexdigest()
