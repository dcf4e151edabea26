"""The links between the devices of a machine, measured by copies, and their tables. Imports no TensorFlow."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.topology.speed import BothWays, CopyError, Speed, Way, both_ways, speed
from results.naming import counted

HOST = "/cpu:0"
HANDED_OVER, UNKNOWN, DOUBTFUL = "=", "?", "~"  # in place of a figure, or behind it
_NAMED = 4  # ways beside a remark; more are counted

Timed = Callable[[int], float]  # bytes -> seconds of one copy along each way


@dataclass(frozen=True)
class MeasuredLinks:
    """Copies between any two of `devices` in each direction, and within each; `both` in both directions at once.

    `words` has what the wiring has between two of them, where it is known.
    """

    devices: tuple[str, ...]
    speeds: tuple[Speed, ...]
    both: tuple[BothWays, ...]
    words: Mapping[Way, str] = field(default_factory=dict)

    def facts(self) -> dict[str, Any]:
        """As JSON."""
        links = [each.facts() | {"wiring": self.words.get((each.source, each.target))} for each in self.speeds]
        both = [each.facts() for each in self.both]
        return {"devices": list(self.devices), "host": HOST, "links": links, "both_ways": both}


def measure(
    towers: Sequence[str],
    repeats: int,
    sizes: Sequence[int],
    *,
    moves_bytes: Callable[[str, str], bool],
    copies: Callable[..., Timed],
    words: Mapping[Way, str],
    tell: Callable[[str], object],
) -> MeasuredLinks:
    """Copy between the host and the devices `towers`, between any two of those, and within each.

    Each of the `repeats` goes through all ways, so that what changes meanwhile shows in the intervals. A way on which
    `moves_bytes` or `copies` (of some ways at once) raise CopyError is not known, for that reason, and left out from
    then on. `tell` hears how far it is.
    """
    devices = tuple(dict.fromkeys((HOST, *towers)))
    ways = [(one, other) for one in devices for other in devices]
    answers = {way: _asked(moves_bytes, way) for way in ways}
    pairs = [pair for pair in itertools.combinations(devices, 2) if answers[pair] is True]
    one_way = _Rounds({way: copies(way) for way in ways if not isinstance(answers[way], str)}, sizes)
    both = _Rounds({pair: copies(pair, (pair[1], pair[0])) for pair in pairs}, sizes[-1:])
    for number in range(1, repeats + 1):
        tell(f"round {number}/{repeats}: copies along {counted(len(ways), 'way')}")
        one_way.go()
        both.go()
    speeds = tuple(_speed(one_way, way, answers[way]) for way in ways)
    return MeasuredLinks(devices, speeds, tuple(_both(both, pair, sizes[-1]) for pair in pairs), words)


def _asked(moves_bytes: Callable[[str, str], bool], way: Way) -> bool | str:
    """Whether copies along `way` move bytes, or why they cannot be made."""
    try:
        return moves_bytes(*way)
    except CopyError as error:
        return str(error)


class _Rounds:
    """Seconds of copies along ways: of each a mapping of sizes to them for each round, until something fails."""

    def __init__(self, copies: Mapping[Way, Timed], sizes: Sequence[int]) -> None:
        self._copies = copies
        self._sizes = sizes
        self.seconds: dict[Way, list[dict[int, float]]] = {way: [] for way in copies}
        self.failed: dict[Way, str] = {}

    def go(self) -> None:
        """Make one round."""
        for way, seconds in self._copies.items():
            if way in self.failed:
                continue
            try:
                self.seconds[way].append({size: seconds(size) for size in self._sizes})
            except CopyError as error:
                self.failed[way] = str(error)


def _speed(rounds: _Rounds, way: Way, moved: bool | str) -> Speed:
    failure = moved if isinstance(moved, str) else rounds.failed.get(way)
    if failure is not None:
        return Speed(*way, problem=f"a copy failed: {failure}")
    return speed(*way, rounds.seconds[way], copied=bool(moved))


def _both(rounds: _Rounds, pair: Way, nbytes: int) -> BothWays:
    if pair in rounds.failed:
        return BothWays(pair, problem=f"a copy failed: {rounds.failed[pair]}")
    return both_ways(pair, nbytes, [each[nbytes] for each in rounds.seconds[pair]])


def report(links: MeasuredLinks) -> str:
    """The tables, and what is to be said of them."""
    parts = [
        "GB/s from the device of the row to that of the column; of one with itself, within its memory",
        _square(links.devices, {(each.source, each.target): _bandwidth(each) for each in links.speeds}),
        "Latency of a copy, µs",
        _square(links.devices, {(each.source, each.target): _latency(each) for each in links.speeds}),
    ]
    if links.both:
        either = {way: _bandwidth(each) for each in links.both for way in (each.devices, each.devices[::-1])}
        parts += ["GB/s of both directions at once, added up", _square(links.devices, either)]
    if len(links.devices) < 2:
        parts.append("There is one device, so nothing is between two.")
    return "\n".join([*parts, *_remarks(links)])


def _bandwidth(link: Speed | BothWays) -> str:
    if isinstance(link, Speed) and not link.copied:
        return HANDED_OVER
    if link.bytes_per_second is None:
        return UNKNOWN
    return f"{1e-9 * link.bytes_per_second.value:.3g}{DOUBTFUL if link.problem else ''}"


def _latency(link: Speed) -> str:
    return UNKNOWN if link.latency_seconds is None else f"{1e6 * link.latency_seconds.value:.3g}"


def _square(devices: Sequence[str], cells: Mapping[Way, str]) -> str:
    rows = [["", *devices], *([one, *(cells.get((one, other), "") for other in devices)] for one in devices)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join(f"  {line}" for line in lines)


def _remarks(links: MeasuredLinks) -> list[str]:
    """What the signs of the tables stand for, with the ways that have them."""
    found: dict[str, list[str]] = {}
    for way, sign, problem in [
        *((f"{each.source} to {each.target}", _bandwidth(each), each.problem) for each in links.speeds),
        *((f"{each.source} to {each.target}", UNKNOWN, each.latency_problem) for each in links.speeds),
        *((f"{' and '.join(each.devices)} at once", _bandwidth(each), each.problem) for each in links.both),
    ]:
        if problem:
            kind, _, detail = problem.partition(": ")
            found.setdefault(f"{sign[-1]}  {kind}", []).append(f"{way} ({detail})" if detail else way)
    return [f"{kind}: {_some(ways)}" for kind, ways in found.items()]


def _some(ways: Sequence[str]) -> str:
    more = f" and {len(ways) - _NAMED} more" if len(ways) > _NAMED else ""
    return f"{', '.join(ways[:_NAMED])}{more}"
