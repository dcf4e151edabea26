"""Files that are there whole or not at all."""

import contextlib
import os
import uuid
from pathlib import Path


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
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Make the new name itself durable. Not every file system can sync a folder; the file's content is safe anyway."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
