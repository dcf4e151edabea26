"""Which part of files the system holds in memory, and how to make it let go of them without being root."""

from __future__ import annotations

import ctypes
import mmap
import os
from collections.abc import Iterable
from pathlib import Path


def can_drop() -> bool:
    """Whether this system can be asked to let go of a file (POSIX; macOS cannot)."""
    return hasattr(os, "posix_fadvise")


def drop(paths: Iterable[Path]) -> None:
    """Ask the system to let go of the content of files; what is not on the disk yet is written first.

    Names and inodes stay in memory: only root can drop those. The system may keep content that others use.
    """
    for path in paths:
        with path.open("rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def resident_share(paths: Iterable[Path]) -> float | None:
    """The share of the files' bytes that is in memory, in whole pages (mincore); None where the system does not tell.

    Linux tells it of files that one owns or may write.
    """
    pages = held = 0
    for path in paths:
        found = _resident_pages(path)
        if found is None:
            return None
        held, pages = held + found[0], pages + found[1]
    return held / pages if pages else None


def _resident_pages(path: Path) -> tuple[int, int] | None:
    """Pages of a file in memory, and all of them."""
    size, mincore = path.stat().st_size, getattr(ctypes.CDLL(None), "mincore", None)
    if not mincore:
        return None
    if not size:
        return 0, 0
    pages = -(-size // mmap.PAGESIZE)
    seen = (ctypes.c_ubyte * pages)()
    # ACCESS_COPY lets ctypes have the address; nothing is written, so no page becomes a copy, nor is any read.
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY) as mapped:
        first = ctypes.c_char.from_buffer(mapped)
        failed = mincore(ctypes.c_void_p(ctypes.addressof(first)), ctypes.c_size_t(size), seen)
        del first  # the mapping cannot be closed while it is there
    return None if failed else (sum(page & 1 for page in seen), pages)
