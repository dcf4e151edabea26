"""Files that are read and written with care: there whole or not at all, and nothing but files."""

import contextlib
import errno
import os
import stat
import uuid
from collections.abc import Iterator
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
    file is removed and the error (an OSError) goes on to the caller. Of a symbolic link it is the target that is
    replaced; a device, a pipe and the like is written to as it is, for nothing must take its place.
    """
    if _is_special(path):
        path.write_bytes(data)
        return
    path = path.resolve()
    with _temporary(path, data) as temporary:
        temporary.replace(path)
    sync_folder(path.parent)


def check_writable(path: Path) -> None:
    """Raise an OSError where `write_whole` could not write `path`, as far as that shows without touching what is there.

    It is tried beside `path`. A device or a pipe is asked for its permissions alone: a reader would see the pipe end.
    """
    if _is_special(path):
        if not os.access(path, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return
    path = path.resolve()
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    with _temporary(path, b"probe\n"):
        pass


def _is_special(path: Path) -> bool:
    """Whether at `path`, links followed, is something that is neither a file nor a folder."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


@contextlib.contextmanager
def _temporary(path: Path, data: bytes) -> Iterator[Path]:
    """A file beside `path` with `data`, on the disk; removed at the end, where it still has its name."""
    temporary = path.with_name(f".{uuid.uuid4().hex}.tmp")  # a name of its own: `path.name` may be near the limit
    try:
        with temporary.open("xb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        yield temporary
    finally:
        with contextlib.suppress(OSError):  # after the rename it is gone; an unreachable folder never had it
            temporary.unlink()


def sync_folder(folder: Path) -> None:
    """Make the new name itself durable. Not every file system can sync a folder; the file's content is safe anyway."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
