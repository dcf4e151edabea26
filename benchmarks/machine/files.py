"""Files of the kernel: a line or a number each, and any of them may be missing or odd."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

ROOT = Path("/")


def read_text(path: Path) -> str:
    """Return the text of a file of the kernel's; "" where there is none, or it cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def exists(path: Path) -> bool:
    """Return whether there is something at `path` that this process may see."""
    try:
        return path.exists()
    except OSError:
        return False


def word(path: Path) -> str | None:
    """Return the text of a file without blanks around it; None where there is none."""
    return read_text(path).strip("\0 \t\n") or None


def whole_number(path: Path) -> int | None:
    """Return the whole number that a file holds; None where it holds none."""
    text = read_text(path).strip()
    return int(text) if re.fullmatch(r"-?\d{1,19}", text) else None


def bytes_of(text: str | None) -> int | None:
    """Return the bytes that "32K", "1024 kB" or "64M" stands for; None where it is no such text."""
    match = re.fullmatch(r"(\d{1,15})\s*([KMG]?)B?", (text or "").strip(), re.IGNORECASE)
    return int(match[1]) * 1024 ** " KMG".index(match[2].upper() or " ") if match else None


def numbers(spans: str | None) -> list[int]:
    """Return the numbers of a list as the kernel writes it, "0-3,8"; empty where it is none."""
    found: list[int] = []
    for span in (spans or "").strip().split(","):
        match = re.fullmatch(r"(\d{1,6})(?:-(\d{1,6}))?", span)
        if match:
            found += range(int(match[1]), int(match[2] or match[1]) + 1)
    return found


def spans(numbers: Iterable[int]) -> str:
    """Return numbers as the kernel writes a list of them, "0-3,8": in ascending order, those in a row together."""
    found: list[list[int]] = []
    for number in sorted(numbers):
        if found and found[-1][1] == number - 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return ",".join(f"{first}-{last}" if last > first else str(first) for first, last in found)


def numbered(paths: Iterable[Path]) -> list[Path]:
    """Return `paths` in the order of the numbers that their names end in."""
    return sorted(paths, key=lambda path: (int(re.sub(r"\D", "", path.name) or 0), path.name))
