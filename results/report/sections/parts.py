"""What a step is made of: the parts that an experiment found (--step_breakdown)."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from results.breakdown import ORDER
from results.report.bars import Piece, stacked, stacked_size
from results.report.material import Group, Material, varying, words
from results.report.page import Figure, Section, bounds, number, table
from results.report.svg import Draw
from results.schema import section as object_of

_MOST_BARS = 12
_MOST = 1e9  # no step takes so many seconds, and no part such a share


class Part(NamedTuple):
    """A part of a step, in milliseconds with its interval; `doubt` says why it is not drawn, or ""."""

    name: str
    milliseconds: float
    low: float
    high: float
    share: float
    doubt: str


class Step(NamedTuple):
    """The step of a configuration and its parts, in the order in which it goes."""

    label: str
    milliseconds: float
    parts: tuple[Part, ...]


def section(material: Material, draw: Draw) -> Section | None:
    """A bar of parts for each configuration of which an experiment was made: the latest."""
    broken_down = [(group, found) for group in material.groups if (found := _latest(group))]
    if not broken_down:
        return None
    names = list(dict.fromkeys(["model", *varying(group for group, _ in broken_down)]))
    steps = [_named(words(group, names) or "unknown model", found) for group, found in broken_down]
    shown = steps[:_MOST_BARS]
    told = (
        "A part is what a step takes longer with it than without it, so parts add up to the step whatever of them runs "
        "at the same time. Those that are not told apart from nothing, and those below zero, are in the table, not in "
        "the bars.",
        *((f"The first {_MOST_BARS} of {len(steps):,} configurations are drawn.",) if len(steps) > len(shown) else ()),
    )
    return Section("parts", "What a step is made of", told, (), (_figure(shown, steps, draw),))


def _figure(shown: list[Step], steps: list[Step], draw: Draw) -> Figure:
    bars = [(f"{step.label}: {number(step.milliseconds)} ms a step", _pieces(step)) for step in shown]
    bars = [(label, pieces) for label, pieces in bars if pieces]
    rows = [
        (step.label, part.name, number(part.milliseconds), bounds(part.low, part.high), f"{part.share:.1%}", part.doubt)
        for step in steps
        for part in step.parts
    ]
    words_of_bars = [
        f"{label}, of which " + ", ".join(f"{piece.label} {piece.value:.0f} %" for piece in pieces)
        for label, pieces in bars
    ]
    headings = ("setting", "part", ">ms a step", ">95 % interval", ">share", "doubt")
    svg = draw(stacked, bars, "share of a step, %", size=stacked_size(bars)) if bars else ""
    text = f"Parts of a step: {'; '.join(words_of_bars)}"
    return Figure("Parts of a step", text, svg, table(headings, rows, folded=True))


def _pieces(step: Step) -> list[Piece]:
    return [
        Piece(part.name, 100 * part.share, ORDER.index(part.name))
        for part in step.parts
        if not part.doubt and part.share > 0
    ]


def _latest(group: Group) -> tuple[float, tuple[Part, ...]] | None:
    """Milliseconds and parts of the step of the latest run of which an experiment was made."""
    for record in sorted(group.records, key=lambda record: record.started_at, reverse=True):
        parts, step = record.step_breakdown.get("parts"), object_of(record.step_breakdown, "step").get("value")
        if isinstance(parts, list) and isinstance(step, float) and step < _MOST:
            found = tuple(filter(None, (_part(part) for part in parts if isinstance(part, dict))))
            if found:
                return 1e3 * step, found
    return None


def _named(label: str, found: tuple[float, tuple[Part, ...]]) -> Step:
    return Step(label, *found)


def _part(facts: Mapping[str, Any]) -> Part | None:
    """A part as the record has it; None where that is unfit."""
    seconds = object_of(facts, "seconds")
    told = [*(seconds.get(name) for name in ("value", "low", "high")), facts.get("share")]
    figures = [figure for figure in told if isinstance(figure, float) and abs(figure) < _MOST]
    if facts.get("part") not in ORDER or len(figures) < len(told):
        return None
    value, low, high, share = figures
    return Part(facts["part"], 1e3 * value, 1e3 * low, 1e3 * high, share, str(facts.get("doubt") or ""))
