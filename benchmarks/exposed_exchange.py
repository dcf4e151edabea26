"""What keeping the towers in step costs: the step in turn with one that exchanges nothing."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks.measure import Outcome
from benchmarks.turns import turns

WARMUP_PAIRS = 3
PAIRS = 20


@dataclass(frozen=True)
class ExposedExchange:
    """Step times of neighbours in time, in seconds: under the strategy of the run, and under `independent`."""

    pairs: tuple[tuple[float, float], ...]

    @property
    def exposed_seconds(self) -> float:
        """Median over the pairs of step - independent step: the part of the exchange that no computation hides.

        It can be negative: within the noise of the step times, or where one update of shared variables is cheaper than
        one for each copy.
        """
        return statistics.median(step - alone for step, alone in self.pairs)

    @property
    def exposed_share(self) -> float:
        """Median over the pairs of (step - independent step) / step."""
        return statistics.median((step - alone) / step for step, alone in self.pairs)

    def facts(self) -> dict[str, Any]:
        """What the record keeps."""
        return {
            "exposed_seconds": self.exposed_seconds,
            "exposed_share": self.exposed_share,
            "step_seconds": [step for step, _ in self.pairs],
            "independent_step_seconds": [alone for _, alone in self.pairs],
        }


def measure_exposed(
    step: Callable[[], Outcome],
    independent: Callable[[], Outcome],
    pairs: int = PAIRS,
    *,
    clock: Callable[[], float] = time.perf_counter,
    on_pair: Callable[[int], None] = lambda _: None,
) -> ExposedExchange:
    """Run `step` and `independent` in turn, first in odd pairs and second in even ones, after a warm-up of both.

    `on_pair` is told the number of each pair, from 1, once it is done.
    """
    for _ in range(WARMUP_PAIRS):
        step()
        independent()
    seconds: list[list[float]] = [[], []]
    for number, way in turns((0, 1), pairs):
        seconds[way].append(_timed((step, independent)[way], clock))
        if len(seconds[0]) == len(seconds[1]) == number:
            on_pair(number)
    return ExposedExchange(tuple(zip(*seconds, strict=True)))


def _timed(step: Callable[[], Outcome], clock: Callable[[], float]) -> float:
    begin = clock()
    step()
    return clock() - begin
