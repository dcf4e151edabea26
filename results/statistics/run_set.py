"""Several runs of one configuration: how much they differ from one another, and how precisely each is known."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from results.record import RunRecord
from results.statistics.between_runs import Interval, interval

_T_NINE = 2.2622  # 97.5 % of Student's t with 9 degrees of freedom, of which a run's interval is made (within_run.py)


@dataclass(frozen=True)
class RunSet:
    """The figures of at least two runs. Standard deviations are shares of the figure.

    `figure`: steady_images_per_second over the runs, with the interval that the next runs' mean is expected in.
    `spread`: standard deviation of the runs' figures. `within`: what each run leaves open by itself, the standard error
    of its figure (root mean square over the runs). `between`: what is left of the spread without it,
    sqrt(spread^2 - within^2), or 0: how much one run really differs from another.
    """

    runs: int
    figure: Interval
    spread: float
    within: float
    between: float

    def __str__(self) -> str:
        value, low, high = self.figure
        return (
            f"{self.runs} runs: {value:.2f} images a second, 95 % interval {low:.2f} to {high:.2f}. Standard "
            f"deviations: {self.spread:.2%} from run to run, of which {self.within:.2%} is within runs and "
            f"{self.between:.2%} between them"
        )


def run_set(records: Sequence[RunRecord]) -> RunSet | None:
    """What the valid ones of `records` say together; None where fewer than two have a figure with an interval."""
    intervals = [found for record in records if record.valid and (found := record.steady_interval)]
    figure = interval([each.value for each in intervals])
    if figure is None:
        return None
    spread = statistics.stdev(math.log(each.value) for each in intervals)
    within = math.sqrt(statistics.fmean(_standard_error(each) ** 2 for each in intervals))
    return RunSet(len(intervals), figure, spread, within, math.sqrt(max(0.0, spread**2 - within**2)))


def _standard_error(found: Interval) -> float:
    return (found.high - found.low) / 2 / _T_NINE / found.value
