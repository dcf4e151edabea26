"""Files that are read and written with care: there whole or not at all, and nothing but files."""

import contextlib
import os
import stat
import uuid
from pathlib import Path
from typing import BinaryIO


class NotRegularError(OSError):
    """What was to be read is a folder, a pipe, a device or the like: reading it may wait, or never end."""


def open_regular(path: Path, *, follow: bool = True) -> BinaryIO:
    """Open `path` for reading in bytes. Raise NotRegularError for what is no regular file, other OSErrors as usual.

    Without `follow` a symbolic link is no regular file either: in a folder from elsewhere it can lead anywhere.
    """
    if not follow and path.is_symlink():
        raise NotRegularError(0, "a symbolic link, which is not followed")
    # Without waiting: to open a pipe for reading takes until somebody writes.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise NotRegularError(0, "not a regular file")
    return os.fdopen(descriptor, "rb")


def write_whole(path: Path, data: bytes) -> None:
    """Write `data` to `path`: under a temporary name beside it, synced to the disk, then renamed.

    Who reads `path` sees the old content or the new, never a part. On any failure, an interrupt included, the temporary
    file is removed and the error (an OSError) goes on to the caller.
    """
    temporary = path.with_name(f".{uuid.uuid4().hex}.tmp")  # a name of its own: `path.name` may be near the limit
    try:
        with temporary.open("xb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    finally:
        with contextlib.suppress(OSError):  # after the rename it is gone; an unreachable folder never had it
            temporary.unlink()
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the new name itself durable. Not every file system can sync a folder; the file's content is safe anyway."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
