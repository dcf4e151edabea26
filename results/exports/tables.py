"""Records as tables, with every column of a frame."""

import io
from collections.abc import Sequence

from results.frame import frame
from results.record import RunRecord
from results.store import FolderError


def csv(records: Sequence[RunRecord]) -> bytes:
    """Return CSV (RFC 4180 quoting, lines end with LF), a row a record."""
    return frame(records).to_csv(index=False, lineterminator="\n").encode(errors="replace")


def parquet(records: Sequence[RunRecord]) -> bytes:
    """Return Parquet (https://parquet.apache.org/docs/), a row a record. Raise FolderError where pyarrow is missing."""
    try:
        import pyarrow  # noqa: F401  # pandas would try others, and fail with a longer message
    except ImportError as error:
        raise FolderError(
            f"Cannot write Parquet: pyarrow is not there ({error}). Install it (pip install pyarrow), or export csv."
        ) from error
    stream = io.BytesIO()
    frame(records).to_parquet(stream, engine="pyarrow", index=False)
    return stream.getvalue()
