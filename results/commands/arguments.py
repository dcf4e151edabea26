"""Kinds of arguments that several commands take."""

from argparse import ArgumentTypeError
from pathlib import Path


def fraction(text: str) -> float:
    """Return "2%" or "0.02" as 0.02; at least 0 and below 1."""
    number, percent = (text.removesuffix("%").strip(), text.endswith("%"))
    try:
        value = float(number) / (100 if percent else 1)
    except ValueError:
        raise ArgumentTypeError(f"'{text}' is no share such as 2% or 0.02") from None
    if not 0 <= value < 1:
        raise ArgumentTypeError(f"'{text}' is not at least 0 and below 1; two per cent is 2% or 0.02")
    return value


def listed(text: str) -> list[str]:
    """Return "a,b" as its parts."""
    return [part.strip() for part in text.split(",") if part.strip()]


def paths(text: str) -> list[Path]:
    """Return the path that `text` is, or else, where it has commas, the paths that it lists."""
    whole = Path(text)
    return [whole] if whole.exists() or "," not in text else [Path(part) for part in listed(text)]
