"""A file beside the record that a flag asked for."""

from __future__ import annotations

import gzip
from pathlib import Path

from benchmarks.errors import UserError
from results.files import write_whole


def write(flag: str, file: str, data: bytes) -> None:
    """Write `data` to the `file` that `flag` names, whole or not at all; compressed where it ends in .gz.

    Raises UserError where that fails.
    """
    path = Path(file)
    try:
        write_whole(path, gzip.compress(data) if path.suffix == ".gz" else data)
    except OSError as error:
        raise UserError(f"--{flag}={file} cannot be written: {error.strerror}. Give a file elsewhere.") from error
