"""Whether what an option names can be written, tried before a run begins. Imports no TensorFlow."""

from __future__ import annotations

import tempfile
from pathlib import Path


def folder_problem(flag: str, given: str) -> str | None:
    """What keeps files from being written into the folder `given`, which need not exist yet, or None.

    It is tried, because root may pass a test of rights and fail to write all the same.
    """
    folder = Path(given).expanduser().absolute()
    existing = next(path for path in (folder, *folder.parents) if path.exists() or path.is_symlink())
    if not existing.is_dir():
        return f"--{flag}={given}: {existing} is not a folder. Give a folder that can be written."
    if reason := _refusal(existing):
        return f"--{flag}={given}: cannot write in {existing} ({reason}). Give a folder that can be written."
    return None


def file_problem(flag: str, given: str) -> str | None:
    """What keeps the file `given` from being written, or None. Its folder has to exist: a misspelt one is not made."""
    file = Path(given).expanduser().absolute()
    if file.is_dir():
        return f"--{flag}={given} is a folder. Give the name of a file in it."
    if not file.parent.is_dir():
        return f"--{flag}={given}: there is no folder {file.parent}. Make it, or give a file in another."
    if reason := _refusal(file.parent):
        return f"--{flag}={given}: cannot write in {file.parent} ({reason}). Give a file in another folder."
    return None


def _refusal(folder: Path) -> str | None:
    try:
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        return error.strerror or str(error)
    return None
