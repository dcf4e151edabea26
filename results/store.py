"""A folder of records: one JSON file each, written whole, never overwritten."""

import contextlib
import difflib
import itertools
import os
import re
import uuid
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

from results.files import open_regular, write_whole
from results.record import RecordError, RunRecord

_MODEL_NAME_LIMIT = 60  # keeps a file name far below the 255 bytes of common file systems
LARGEST_RECORD = 64 * 2**20  # bytes: more than a million steps; a file that is larger is no record of ours

UNWRITABLE = "Cannot write into"  # how the message begins of what could not be written

_WANTED = "Give a record, or a folder with records: the --results_dir of runs, by default 'runs'."
_LOOKED_AT = 2000  # names in a folder, for one that is similar to what is not there


class FolderError(Exception):
    """A results folder that cannot be used; names the folder and the reason."""


def check_folder(folder: str | Path, flag: str = "--results_dir", what: str = "results") -> None:
    """Make sure that files can be written into `folder`, by trying; create it where it does not exist yet.

    Raise FolderError where they cannot; it says what is kept there, and the flag that gives another folder.
    """
    folder = Path(folder)
    probe = folder / f".probe-{uuid.uuid4().hex}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(probe, b"probe\n")
        probe.unlink()
    except OSError as error:
        raise unwritable(folder, error, flag, what) from error


def write(record: RunRecord, folder: str | Path) -> Path:
    """Write `record` as a new file in `folder` (created if need be), and return its path.

    The file is named `<UTC start time>-<model>-<first 8 digits of the record id>.json`, so names sort by time.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path = _free_path(record, folder)
    except OSError as error:
        raise unwritable(folder, error) from error
    return _write(record, path)


def write_once(record: RunRecord, folder: str | Path) -> Path | None:
    """Write `record`, whose id comes from its content; return None where `folder` has it already.

    The name has the whole id, so that several processes that import the same log name it alike.
    """
    path = Path(folder) / f"{_stem(record)}-{record.record_id}.json"
    return None if path.exists() else _write(record, path)


def _write(record: RunRecord, path: Path) -> Path:
    data = record.to_json().encode()
    try:
        write_whole(path, data)
    except OSError as error:
        raise unwritable(path.parent, error) from error
    return path


def load(folder: str | Path) -> tuple[list[RunRecord], list[RecordError]]:
    """Read every `*.json` file of `folder`, in the order of the names.

    Return the records, and an error that names file and reason for each file that is no readable record. Raise
    FolderError where the folder itself cannot be read.
    """
    folder = Path(folder)
    records, unreadable = [], []
    for name in names(folder):
        try:
            records.append(read(folder / name))
        except RecordError as error:  # noqa: PERF203  # one bad file must not hide the others
            unreadable.append(error)
    return records, unreadable


def names(folder: Path) -> list[str]:
    """Return the sorted names of the files of `folder` that should be records; raise FolderError where it fails."""
    try:
        found = os.listdir(folder)  # noqa: PTH208  # a Path for each of 100,000 files takes a second
    except OSError as error:
        way_out = f" {similar(folder) or _WANTED}" if isinstance(error, FileNotFoundError) else ""
        raise FolderError(f"Cannot read results folder '{folder}': {error.strerror}.{way_out}") from error
    return sorted(name for name in found if name.endswith(".json") and not name.startswith("."))


def similar(path: Path) -> str:
    """Return a question that names what may be meant by `path`; "" where it is there, or nothing is called alike."""
    if os.path.lexists(path):  # where Path.exists would raise, as for a name that is too long, it says no
        return ""
    try:
        with os.scandir(path.parent) as entries:
            beside = list(itertools.islice(entries, _LOOKED_AT))
    except OSError:
        return ""
    wanted = [entry.name for entry in beside if entry.name.endswith(".json") or entry.is_dir()]
    close = difflib.get_close_matches(path.name, wanted, 1)
    return f"Did you mean '{path.parent / close[0]}'?" if close else ""


def read(path: Path) -> RunRecord:
    """Read one record; raise RecordError, naming the file, where it is none."""
    try:
        with open_regular(path) as stream:
            data = stream.read(LARGEST_RECORD + 1)
        text = data.decode("utf-8")
    except OSError as error:
        raise RecordError(f"cannot be read: {error.strerror}", file=str(path)) from error
    except UnicodeDecodeError as error:
        raise RecordError(f"not JSON: byte {error.start} is no UTF-8", file=str(path)) from error
    if len(data) > LARGEST_RECORD:
        raise RecordError(f"larger than {LARGEST_RECORD // 2**20} MiB: no record of ours", file=str(path))
    return RunRecord.from_json(text, file=str(path))


def readable(paths: Iterable[Path]) -> Iterator[RunRecord]:
    """The records among `paths`, by name. What is none may be of another program; the commands of results name it."""
    for path in sorted(paths):
        with contextlib.suppress(RecordError):
            yield read(path)


def _free_path(record: RunRecord, folder: Path) -> Path:
    """Return a path in `folder` that no file has.

    Looking first and renaming later is safe enough: the name carries the record's own random id, so only a writer of
    the same record could come between.
    """
    for digits in (8, len(record.record_id)):
        path = folder / f"{_stem(record)}-{record.record_id[:digits]}.json"
        if not path.exists():
            return path
    raise FolderError(f"Results folder '{folder}' already holds record {record.record_id}, as '{path.name}'.")


def _stem(record: RunRecord) -> str:
    started = "undated"
    if record.started_at:
        started = datetime.fromisoformat(record.started_at).strftime("%Y%m%dT%H%M%SZ")
    model = str(record.model.get("name") or record.params.get("model") or "unknown")
    return f"{started}-{re.sub('[^A-Za-z0-9._]+', '_', model)[:_MODEL_NAME_LIMIT]}"


def unwritable(folder: Path, error: OSError, flag: str = "--results_dir", what: str = "results") -> FolderError:
    """Return the error that says why `folder` cannot be written into."""
    reason = error.strerror or str(error)
    return FolderError(f"{UNWRITABLE} {what} folder '{folder}': {reason}. Give another with {flag}.")
