"""Whole trees of logs into a folder of records: what became of each file, and of each run in it."""

import os
import re
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from results import store
from results.importers import path_fields
from results.importers.formats import recognise
from results.importers.run import record
from results.importers.source import LogError, Source
from results.record import RecordError, RunRecord, utc_now

_WRITERS = 8  # threads that write records: most of the time of a write is waiting for the disk
_AHEAD = 64  # files read ahead of the writers
_DOCUMENTS = {".md", ".rst", ".html", ".htm"}  # they quote the output of runs, shortened as a rule


@dataclass
class Outcome:
    """What became of one file: the runs that are records now, those that were already, or why there are none.

    `written` has the id of each new record and what is wrong with it, "" where it is valid.
    """

    path: Path
    written: list[tuple[str, str]] = field(default_factory=list)
    already_there: int = 0
    refused: str = ""


def import_all(
    paths: Iterable[Path], results_dir: Path, fields_from_path: re.Pattern[str] | None = None
) -> Iterator[Outcome]:
    """Import files, and the files of folders, into `results_dir`; yield what became of each.

    Raise FolderError where a path is not there, or the results folder cannot be written.
    """
    store.check_folder(results_dir)
    files = list(_files(paths))  # listed first, as the records may go into one of the folders
    known: set[str] = set()
    under_way: deque[tuple[Outcome, list[Future[Path | None]], list[RunRecord]]] = deque()
    with ThreadPoolExecutor(_WRITERS) as pool:
        for path, named in files:
            outcome, records = _read(path, named, fields_from_path)
            new = [found for found in records if found.record_id not in known]
            known.update(found.record_id for found in new)
            outcome.already_there = len(records) - len(new)
            under_way.append((outcome, [pool.submit(store.write_once, found, results_dir) for found in new], new))
            if len(under_way) > _AHEAD:
                yield _finished(*under_way.popleft())
        while under_way:
            yield _finished(*under_way.popleft())


def _finished(outcome: Outcome, writes: list[Future[Path | None]], records: list[RunRecord]) -> Outcome:
    for write, found in zip(writes, records, strict=True):
        if write.result():
            outcome.written.append((found.record_id, flaw(found)))
        else:
            outcome.already_there += 1
    return outcome


def flaw(record: RunRecord) -> str:
    """Return what is wrong with `record`, in a line; "" where it is valid."""
    reasons = [f"{record.status}: {record.message}"] if record.status != "completed" else []
    return "; ".join([*reasons, *record.problems])


def _read(path: Path, named: bool, fields_from_path: re.Pattern[str] | None) -> tuple[Outcome, list[RunRecord]]:
    try:
        return Outcome(path), read(path, follow=named, fields_from_path=fields_from_path)
    except (LogError, RecordError) as error:
        return Outcome(path, refused=str(error)), []


def read(path: Path, *, follow: bool = True, fields_from_path: re.Pattern[str] | None = None) -> list[RunRecord]:
    """Return the records of the runs that one file tells of.

    Raise LogError where it cannot be read, is of no known format or has no run, RecordError where a figure is
    impossible. A record's id comes from the content, so the same log gives the same record wherever it lies.
    """
    if path.suffix.lower() in _DOCUMENTS:
        raise LogError("a document, which may quote the output of a run but is no log of one")
    source = Source(path, follow=follow)
    form = recognise(source.lines())
    runs = form.read(source.lines())
    if not runs:
        raise LogError(f"no run in it ({form.name})")
    origin = {"path": str(path), "sha256": source.sha256, "format": form.name, "imported_at": utc_now()}
    for run in runs:
        run.provenance.setdefault("source", str(path))
        if fields_from_path:
            path_fields.take(fields_from_path, path, run)
    return [record(run, f"{source.sha256} {number}", origin) for number, run in enumerate(runs)]


def _files(paths: Iterable[Path]) -> Iterator[tuple[Path, bool]]:
    """Yield every file, and whether the user named it."""
    for path in paths:
        if not path.exists():
            raise store.FolderError(f"Cannot import '{path}': no such file or folder.")
        if path.is_dir():
            yield from ((found, False) for found in _below(path))
        else:
            yield path, True


def _below(top: Path) -> Iterator[Path]:
    """Yield the files below a folder, and what else there is that cannot be read; what is hidden is passed over."""
    closed: list[Path] = []
    for folder, folders, names in os.walk(top, onerror=lambda error: closed.append(Path(error.filename))):
        linked = [name for name in folders if (Path(folder) / name).is_symlink()]
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(folder) / name for name in sorted([*names, *linked]) if not name.startswith("."))
    yield from closed  # whoever reads them learns why not
