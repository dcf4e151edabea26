"""Fresh runs of two programs in turn, and how their speeds compare."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from benchmarks.studies import report
from benchmarks.studies.fresh_runs import FreshRun
from benchmarks.studies.pairs import Spread, Target, interleaved, ratios


class Named(Protocol):
    """What a comparison has to know of what is compared."""

    @property
    def name(self) -> str:
        """What the progress calls it."""

    @property
    def target(self) -> Target | None:
        """The bound of the ratio of the first to the second, if it is judged."""


Case = TypeVar("Case", bound=Named)


def median_step_speed(run: FreshRun) -> float:
    """Images per second of the median step."""
    return run.images_per_second


def window_speed(run: FreshRun) -> float:
    """Images per second of the whole measured window of one of our runs."""
    assert run.window_images_per_second is not None, "run_benchmark.py tells it"
    return run.window_images_per_second


@dataclass(frozen=True)
class Comparison(Generic[Case]):
    """The pairs of a case, (first, second); empty where it was not measured. `speed` is the figure that counts."""

    case: Case
    pairs: Sequence[tuple[FreshRun, FreshRun]]
    speed: Callable[[FreshRun], float] = median_step_speed

    @property
    def speeds(self) -> list[tuple[float, float]]:
        """Images per second of the pairs."""
        return [(self.speed(first), self.speed(second)) for first, second in self.pairs]

    @property
    def ratio(self) -> Spread:
        """First / second."""
        return ratios(self.speeds)

    def cells(self) -> list[str]:
        """Of a table's row: median speeds of both, their ratio, its target, and whether that is met."""
        first, second = zip(*self.speeds, strict=True)
        return [
            f"{statistics.median(first):.1f}",
            f"{statistics.median(second):.1f}",
            report.ratio_text(self.ratio),
            report.target_text(self.case.target),
            report.verdict(self.ratio.median, self.case.target),
        ]


def compare(
    case: Case,
    pairs: int,
    first: Callable[[], FreshRun],
    second: Callable[[], FreshRun],
    *,
    speed: Callable[[FreshRun], float] = median_step_speed,
    on_pair: Callable[[str], None] = report.note,
) -> Comparison[Case]:
    """Run both sides of `case` in turn; `on_pair` is told the case and the number of each pair."""
    told = interleaved(first, second, pairs, lambda number: on_pair(f"{case.name}: pair {number} of {pairs}"))
    return Comparison(case, told, speed)
