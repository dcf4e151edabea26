"""Lengths of time as people write and read them."""

from __future__ import annotations

import re

_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0}
_WAYS = "Write seconds, or such as 90s, 1.5h or 1h30m"


def seconds(text: str) -> float:
    """The seconds that `text` stands for. Raises ValueError where it stands for none above 0."""
    words = text.strip()
    if re.fullmatch(r"\d+(\.\d+)?", words):
        found = float(words)
    elif re.fullmatch(r"(\d+(\.\d+)?h)?(\d+(\.\d+)?m)?(\d+(\.\d+)?s)?", words) and words:
        found = sum(float(number) * _UNITS[unit] for number, unit in re.findall(r"([\d.]+)([hms])", words))
    else:
        raise ValueError(f"'{text}' is no length of time. {_WAYS}.")
    if not 0 < found < float("inf"):
        raise ValueError(f"'{text}' is not above 0 and finite. {_WAYS}.")
    return found


def about(length: float) -> str:
    """A length of time in seconds, in words that are as exact as a plan needs: "40 s", "12 min", "3.5 h"."""
    if length < 100:
        return f"{length:.0f} s"
    return f"{length / 60:.0f} min" if length < 100 * 60 else f"{length / 3600:.1f} h"


def figure(length: float) -> str:
    """A length of time in seconds, to the three digits in which one is compared to another: "12.3 min", "5.86 h"."""
    for unit, size in (("h", 3600.0), ("min", 60.0)):
        if length >= size:
            return f"{length / size:.3g} {unit}"
    return f"{length:.3g} s"
