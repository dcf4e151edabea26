"""Which steps are traced, from --trace_steps. Imports no TensorFlow."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from benchmarks.params.conditions import traces

WANTED = "FIRST:LAST or one step: -1 is the last step of the warm-up, 100 means one made after step 100 of the table"


class TracedSteps(NamedTuple):
    """Steps `first` to `last`: of the warm-up, whose last is -1, or made in a pause after step `first` of the table."""

    first: int
    last: int

    @property
    def in_warmup(self) -> bool:
        """Whether they are steps that would be made anyway."""
        return self.first < 0

    @property
    def numbers(self) -> list[int]:
        """Every one of them."""
        return list(range(self.first, self.last + 1))


def traced_steps(text: str) -> TracedSteps:
    """The steps that `text`, such as "-2" or "-5:-2", names. Raises ValueError where it names none."""
    match = re.fullmatch(r"\s*(-?\d+)(?::(-?\d+))?\s*", text)
    if not match:
        raise ValueError(text)
    found = TracedSteps(int(match[1]), int(match[2] or match[1]))
    if not (found.first <= found.last < 0 or 0 < found.first <= found.last):
        raise ValueError(text)
    return found


def steps_in_pause(params: Any) -> int:
    """The number of steps that a run makes, and learns from, beside those of warm-up and table."""
    if not traces(params):
        return 0
    steps = traced_steps(params.trace_steps)
    return 0 if steps.in_warmup else len(steps.numbers)
