"""The one value of a run for comparisons with other runs: what history, exports and explanations take."""

from results.record import RunRecord

COLUMN = "images_per_second"  # of a frame: the same as run_value


def run_value(record: RunRecord) -> float | None:
    """Return the images per second of the run; None where it has none."""
    return getattr(record, COLUMN)  # type: ignore[no-any-return]
