"""The folder for what a study makes on its way, which goes with the study, however that ends."""

from __future__ import annotations

import contextlib
import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from results.files import open_regular

_PREFIX = "benchmark_studies_"
_LOCK = "lock"


@contextlib.contextmanager
def work_folder(parent: Path | None = None) -> Iterator[Path]:
    """A folder of this study, removed at its end, in `parent` or where the system has temporary files.

    The folders of studies that were killed are removed too: nobody holds their locks.
    """
    parent = parent or Path(tempfile.gettempdir())
    for folder in parent.glob(f"{_PREFIX}*"):
        _remove_if_left(folder)
    with tempfile.TemporaryDirectory(prefix=_PREFIX, dir=parent) as name:
        folder = Path(name)
        with (folder / f"{_LOCK}.new").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            (folder / f"{_LOCK}.new").rename(folder / _LOCK)  # so none is to be seen that nobody holds yet
            yield folder


def _remove_if_left(folder: Path) -> None:
    """Remove `folder` if the study that made it is no more."""
    # It may be another user's, it may be too young to have a lock, and somebody may hold that; or it may be no study's,
    # as who likes may make one there.
    with contextlib.suppress(OSError), open_regular(folder / _LOCK, follow=False) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)
