"""Lengths of time as people write them: 90, 90s, 30m, 1h30m."""

from __future__ import annotations

import re

_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0}
WAYS = "Write seconds, or such as 90s, 30m or 1h30m"


def seconds(text: str) -> float:
    """The seconds that `text` stands for. Raises ValueError where it stands for none above 0."""
    if re.fullmatch(r"\d+(\.\d+)?", text):
        found = float(text)
    elif re.fullmatch(r"(\d+(\.\d+)?h)?(\d+(\.\d+)?m)?(\d+(\.\d+)?s)?", text) and text:
        found = sum(float(number) * _UNITS[unit] for number, unit in re.findall(r"([\d.]+)([hms])", text))
    else:
        raise ValueError(f"'{text}' is no length of time. {WAYS}.")
    if not 0 < found < float("inf"):
        raise ValueError(f"'{text}' is not above 0. {WAYS}.")
    return found


def about(length: float) -> str:
    """A length of time in seconds, in words that are as exact as anybody needs: "40 s", "12 min", "3.5 h"."""
    if length < 100:
        return f"{length:.0f} s"
    return f"{length / 60:.0f} min" if length < 100 * 60 else f"{length / 3600:.1f} h"
