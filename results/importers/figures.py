"""Numbers out of a text from elsewhere."""

import math

_EARLIEST, _LATEST = 946_684_800.0, 4_102_444_800.0  # the years 2000 and 2100, in seconds since 1970


def number(text: str | None) -> float | None:
    """Return `text` as a number, "nan" and "inf" included; None where it is none."""
    try:
        return float(text) if text else None
    except ValueError:
        return None


def finite(text: str | None) -> float | None:
    """Return `text` as a finite number; None where it is none."""
    value = number(text)
    return value if value is not None and math.isfinite(value) else None


def count(text: str | None) -> int | None:
    """Return `text` as a whole number of at least 1; None where it is none."""
    value = finite(text)
    return int(value) if value is not None and value >= 1 and value == int(value) and value < 2**53 else None


def moment(text: str | None) -> float | None:
    """Return `text` as seconds since 1970; None where it is no number, or a time that no log is from."""
    value = finite(text)
    return value if value is not None and _EARLIEST <= value < _LATEST else None
