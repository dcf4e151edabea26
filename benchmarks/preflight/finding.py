"""What a check of the preflight found."""

from __future__ import annotations

import enum
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from benchmarks.machine.files import spans

Thing = TypeVar("Thing")


class Severity(enum.Enum):
    """What a finding means for a run, gravest first."""

    STOPS = "stops"  # it cannot work
    WARNS = "warns"  # it works, and its figures are not what they could be, or not trustworthy
    TELLS = "tells"  # worth knowing


@dataclass(frozen=True)
class Finding:
    """`what` was found, `why` it matters and what to do (`remedy`), each a sentence without its full stop.

    `check` is the name of the check that found it, for programs.
    """

    severity: Severity
    what: str
    why: str
    remedy: str
    check: str = ""

    def __str__(self) -> str:
        return f"{self.what}: {self.why}. {self.remedy}."

    def facts(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "check": self.check,
            "severity": self.severity.value,
            "what": self.what,
            "why": self.why,
            "remedy": self.remedy,
        }


def stops(what: str, why: str, remedy: str) -> Finding:
    """Return what no run gets past."""
    return Finding(Severity.STOPS, what, why, remedy)


def warns(what: str, why: str, remedy: str) -> Finding:
    """Return what makes figures doubtful or low."""
    return Finding(Severity.WARNS, what, why, remedy)


def tells(what: str, why: str, remedy: str) -> Finding:
    """Return what is worth knowing."""
    return Finding(Severity.TELLS, what, why, remedy)


def alike(things: Iterable[Thing], same: Callable[[Thing], Hashable]) -> list[list[Thing]]:
    """Return `things` in groups for which `same` is the same, in order; those for which it is None are left out."""
    groups: dict[Hashable, list[Thing]] = {}
    for thing in things:
        if (key := same(thing)) is not None:
            groups.setdefault(key, []).append(thing)
    return list(groups.values())


def listed(numbers: Sequence[int]) -> str:
    """Return numbers in ascending order as spans: 0-3, 7."""
    return spans(numbers).replace(",", ", ")


def in_bytes(count: float) -> str:
    """Return a number of bytes in words."""
    for unit, of in (("GB", 1e9), ("MB", 1e6)):
        if count >= of / 10:
            return f"{count / of:,.1f} {unit}"
    return f"{count / 1e3:,.0f} kB"
