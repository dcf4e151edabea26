"""The language of `--all_reduce_spec`: which all-reduce algorithm exchanges gradients of which size.

    spec      ::= range | range ":" limit ":" spec
    range     ::= level | level "/" level
    level     ::= algorithm | algorithm "#" shards
    limit     ::= number | number ("K" | "k" | "M" | "G" | "T")              elements
                | number ("B" | "kB" | "KB" | "MB" | "GB" | "TB")            bytes, as they travel

A range is for what has at most `limit` elements (or bytes) and is too large for the ranges before it; the last one is
for the rest. K, M, G and T are powers of 1024: `64k` are 65536 elements, as in tf_cnn_benchmarks (whose help spoke of
kB, but whose code compared elements), and `64kB` are 65536 bytes, which is 16384 numbers in float32. A `/` has the left
algorithm within each group of towers and the right one between the groups. `#` cuts every exchange into that many
shards, each reduced by itself. Imports no TensorFlow: flags are checked with it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MOST_SUBDIVISIONS = 2  # of TensorFlow's ring under `collective`; tf_cnn_benchmarks allowed no more either
ALGORITHMS = ("nccl", "collective", "xring", "rechd", "tree", "pscpu", "psgpu", "hierarchical_copy")
TWO_LEVELS = {"nccl": ("xring", "rechd", "pscpu"), "pscpu": ("pscpu", "xring")}  # within groups -> between them
NEED_GPUS = ("nccl", "psgpu")
_POWERS = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4}
_NUMBER = re.compile("[1-9][0-9]*")
_SUFFIXES = ("", "k", "K", "M", "G", "T", "B", "kB", "KB", "MB", "GB", "TB")

_ALGORITHMS_ALLOWED = "one of " + ", ".join(
    [*ALGORITHMS, *(f"{first}/{second}" for first, seconds in TWO_LEVELS.items() for second in seconds)]
)
_LIMITS_ALLOWED = "a whole number from 1 on: 2000, 2k, 64K, 1M, 1G or 1T elements, or 2000B, 64kB, 1MB, 1GB or 1TB"


class SpecError(ValueError):
    """A text that is no spec: the message has the reason, what is allowed, and a mark under the place."""

    def __init__(self, text: str, position: int, reason: str, allowed: str) -> None:
        marked = f"    {text}\n    {' ' * position}^"
        super().__init__(f"at character {position + 1}: {reason}. Allowed is {allowed}.\n{marked}")
        self.position = position


@dataclass(frozen=True)
class Level:
    """An algorithm, and the number of shards that it cuts an exchange into."""

    algorithm: str
    shards: int = 1

    def __str__(self) -> str:
        return self.algorithm if self.shards == 1 else f"{self.algorithm}#{self.shards}"


@dataclass(frozen=True)
class Limit:
    """The most that an exchange may have: `number` elements, or bytes as they travel."""

    number: int
    in_bytes: bool = False

    def __str__(self) -> str:
        return f"{self.number}B" if self.in_bytes else str(self.number)

    def admits(self, elements: int, element_bytes: int) -> bool:
        """Whether an exchange of `elements` numbers, each `element_bytes` wide, is within the limit."""
        return elements * (element_bytes if self.in_bytes else 1) <= self.number


@dataclass(frozen=True)
class Range:
    """One level or two (within groups of towers, then between the groups), for all up to `limit`; None: no limit."""

    levels: tuple[Level, ...]
    limit: Limit | None = None

    def __str__(self) -> str:
        return "/".join(map(str, self.levels))


@dataclass(frozen=True)
class AllReduceSpec:
    """Ranges in rising order of their limits; the last has none."""

    ranges: tuple[Range, ...]

    def __str__(self) -> str:
        return "".join(f"{each}:{each.limit}:" if each.limit else str(each) for each in self.ranges)

    @property
    def algorithms(self) -> list[str]:
        """Every algorithm that occurs, once."""
        return list(dict.fromkeys(level.algorithm for each in self.ranges for level in each.levels))

    def range_for(self, elements: int, element_bytes: int) -> Range:
        """The range for an exchange of `elements` numbers, each `element_bytes` wide."""
        return next(each for each in self.ranges if each.limit is None or each.limit.admits(elements, element_bytes))


def parse(text: str) -> AllReduceSpec:
    """The spec that `text` stands for. Raises SpecError where it stands for none."""
    ranges: list[Range] = []
    levels: tuple[Level, ...] = ()
    limit: Limit | None = None
    pieces = _pieces(text, 0, len(text), ":")
    for index, (begin, end) in enumerate(pieces):
        if index % 2 == 0:
            levels = _levels(text, begin, end)
        else:
            limit = _limit(text, begin, end, limit)
            ranges.append(Range(levels, limit))
    if len(pieces) % 2 == 0:
        raise SpecError(text, len(text), "no algorithm stands after the last limit", _ALGORITHMS_ALLOWED)
    return AllReduceSpec((*ranges, Range(levels)))


def _pieces(text: str, begin: int, end: int, separator: str) -> list[tuple[int, int]]:
    """Where the pieces of `text[begin:end]` between separators stand."""
    pieces = []
    for piece in text[begin:end].split(separator):
        pieces.append((begin, begin + len(piece)))
        begin += len(piece) + len(separator)
    return pieces


def _levels(text: str, begin: int, end: int) -> tuple[Level, ...]:
    pieces = _pieces(text, begin, end, "/")
    levels = tuple(_level(text, *piece) for piece in pieces)
    if len(levels) > 2:
        raise SpecError(text, pieces[2][0] - 1, "a third level", _ALGORITHMS_ALLOWED)
    if len(levels) == 2 and levels[1].algorithm not in TWO_LEVELS.get(levels[0].algorithm, ()):
        pair = f"{levels[0].algorithm}/{levels[1].algorithm}"
        raise SpecError(text, begin, f"there is no {pair}", _ALGORITHMS_ALLOWED)
    return levels


def _level(text: str, begin: int, end: int) -> Level:
    algorithm, sharp, shards = text[begin:end].partition("#")
    if algorithm not in ALGORITHMS:
        found = f"{algorithm!r} is no algorithm" if algorithm else "an algorithm is missing"
        raise SpecError(text, begin, found, _ALGORITHMS_ALLOWED)
    if not sharp:
        return Level(algorithm)
    position = begin + len(algorithm) + 1
    if not _NUMBER.fullmatch(shards):
        found = f"{shards!r} is no number of shards" if shards else "the number of shards is missing"
        raise SpecError(text, position, found, "a whole number from 1 on, as in psgpu#4")
    if algorithm == "collective" and int(shards) > MOST_SUBDIVISIONS:
        raise SpecError(
            text, position, f"collective cannot cut into {shards} shards", "collective, collective#2 or xring#3"
        )
    return Level(algorithm, int(shards))


def _limit(text: str, begin: int, end: int, previous: Limit | None) -> Limit:
    given = text[begin:end]
    number = _NUMBER.match(given)
    suffix = given[number.end() :] if number else ""
    if not number or suffix not in _SUFFIXES:
        found = f"{given!r} is no limit" if given else "a limit is missing"
        raise SpecError(text, begin + (number.end() if number else 0), found, _LIMITS_ALLOWED)
    power = _POWERS[suffix.rstrip("B").upper()]
    limit = Limit(int(number.group()) * 1024**power, in_bytes=suffix.endswith("B"))
    if previous and limit.in_bytes != previous.in_bytes:
        reason = f"{given} and the limit before it differ in unit"
        raise SpecError(text, begin, reason, "elements in all limits, or bytes in all")
    if previous and limit.number <= previous.number:
        raise SpecError(text, begin, f"{given} is not above the limit before it", f"anything above {previous}")
    return limit
