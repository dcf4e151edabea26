"""What the parts of a step take, by ablation: the step is timed in ways that lack one part after another.

A part is what a step takes longer with it than without it (benchmarks/breakdown). So the parts add up to the step of
the rounds exactly, whatever of them runs at the same time; what they have in common counts for the one that goes first.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

from results.naming import counted
from results.statistics.between_runs import Interval, mean_interval

# The ways in which a step is timed, each without one part more than those before it. A run need not have them all.
WAYS = {
    "real": "step of the run",
    "synthetic": "the same, batch on the device",
    "without_update": "the same, no update",
    "gradients": "the same, nothing exchanged",
    "forward": "forward pass alone",
    "empty": "empty step",
}
# What a way lacks that the one before it has. An empty step has the call left.
_LACKS = {
    "synthetic": "input",
    "without_update": "update",
    "gradients": "exchange",
    "forward": "backward",
    "empty": "forward",
}
_CALL = "call"
ORDER = ("input", "forward", "backward", "exchange", "update", _CALL)  # as a step goes
NOT_MEASURABLE, BELOW_ZERO = "not measurable", "below zero: slower without it, or a disturbed machine"


def break_down(rounds: Mapping[str, Sequence[float]], run: Interval | None, why_none: str = "") -> dict[str, Any]:
    """The `step_breakdown` section of a record, from the seconds of a step by way and round, at least two rounds.

    `run` is the mean step of the run's own window with its interval; where there is none, `why_none` says why.
    """
    parts = {_CALL: list(rounds["empty"])}
    known = [way for way in WAYS if way in rounds]
    for longer, shorter in itertools.pairwise(known):
        parts[_LACKS[shorter]] = [a - b for a, b in zip(rounds[longer], rounds[shorter], strict=True)]
    together = _interval(rounds[known[0]])
    return {
        "parts": [_part(name, _interval(parts[name]), together.value) for name in ORDER if name in parts],
        "step": together._asdict(),
        "run": run._asdict() if run else {"reason": why_none},
        "agrees": _agree(together, run) if run else None,
        "ways": {way: {"step_seconds": list(rounds[way])} for way in known},
    }


def _interval(seconds: Sequence[float]) -> Interval:
    found = mean_interval(seconds)
    assert found is not None, "there are two rounds or more"
    return found


def _part(name: str, seconds: Interval, step: float) -> dict[str, Any]:
    doubt = NOT_MEASURABLE if seconds.low <= 0 <= seconds.high else BELOW_ZERO if seconds.high < 0 else ""
    return {"part": name, "seconds": seconds._asdict(), "share": seconds.value / step, "doubt": doubt}


def _agree(one: Interval, other: Interval) -> bool:
    return abs(one.value - other.value) <= _reach_of_difference(one, other)


def _reach_of_difference(*sides: Interval) -> float:
    """Half the width of the interval of the difference between independent figures."""
    return math.hypot(*(_reach(side) for side in sides))


def _reach(interval: Interval) -> float:
    return (interval.high - interval.low) / 2


def report(facts: Mapping[str, Any]) -> list[str]:
    """Lines for a screen, from the `step_breakdown` section of a record: the parts, their sum, the run's own step."""
    step, rounds = Interval(**facts["step"]), len(next(iter(facts["ways"].values()))["step_seconds"])
    lines = [f"Step breakdown ({counted(rounds, 'round')}; 95 % intervals):", _row("part", "ms a step", "+/-", "share")]
    parts = [
        _figures(part["part"], Interval(**part["seconds"]), part["share"], part["doubt"]) for part in facts["parts"]
    ]
    return [*lines, *parts, _figures("together", step, 1.0, ""), _verdict(step, facts)]


def _verdict(step: Interval, facts: Mapping[str, Any]) -> str:
    """Whether the parts add up to the step that was measured in the run's own window."""
    if facts["agrees"] is None:
        return f"No comparison with the run's own steps: {facts['run']['reason']}."
    run = Interval(**facts["run"])
    difference, reach = 1e3 * (step.value - run.value), 1e3 * _reach_of_difference(step, run)
    own = f"The run's own steps took {1e3 * run.value:.2f} +/- {1e3 * _reach(run):.2f} ms"
    apart = f"({difference:+.2f} +/- {reach:.2f} ms)"
    if facts["agrees"]:
        return f"{own}: the parts add up to that within the uncertainty {apart}."
    return f"{own}: the parts do NOT add up to that {apart}. The machine was slower or faster in one of the two."


def _figures(name: str, seconds: Interval, share: float, doubt: str) -> str:
    return _row(name, f"{1e3 * seconds.value:.2f}", f"{1e3 * _reach(seconds):.2f}", f"{share:.1%}", doubt)


def _row(name: str, milliseconds: str, reach: str, share: str, doubt: str = "") -> str:
    return f"  {name:<10}{milliseconds:>12}{reach:>9}{share:>9}  {doubt}".rstrip()


def in_short(facts: Mapping[str, Any]) -> str:
    """The parts in words, from a record's section, which may come from anywhere; what is unfit is left out."""
    parts = facts.get("parts")
    told = [_short(part) for part in parts if isinstance(part, dict)] if isinstance(parts, list) else []
    return ", ".join(filter(None, told))


def _short(part: Mapping[str, Any]) -> str:
    seconds, name, doubt = part.get("seconds"), part.get("part"), part.get("doubt")
    if not isinstance(seconds, dict) or not isinstance(name, str):
        return ""
    if doubt:
        return f"{name} {doubt}"
    value, share = seconds.get("value"), part.get("share")
    if not (isinstance(value, float) and isinstance(share, float)):
        return ""
    return f"{name} {1e3 * value:,.2f} ms ({share:.0%})"
