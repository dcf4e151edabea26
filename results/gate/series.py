"""The series of each benchmark over the nights, and its change tonight with the noise of the series itself."""

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from results.comparison.facts import Run
from results.comparison.matching import Match
from results.statistics.family import Array, Change, against_the_others
from results.statistics.two_sides import ratio

_FEWEST_NIGHTS = 3  # two nights tell next to nothing of how nights vary


@dataclass(frozen=True)
class Series:
    """A benchmark: its baseline runs by night (an empty night where it has none), and the candidate's."""

    name: str
    nights: list[list[float]]
    candidate: list[float]
    differing: dict[str, tuple[str, str]]

    @property
    def baseline(self) -> list[float]:
        """All runs of the baseline, in images/s."""
        return [value for night in self.nights for value in night]

    @property
    def by_night(self) -> bool:
        """Whether there are nights enough to see how they vary; else the noise is that between runs."""
        return sum(map(bool, self.nights)) >= _FEWEST_NIGHTS


def series(found: Match, nights: Sequence[set[str]]) -> Series:
    """Return the runs of a benchmark in `nights`, which are sets of record ids."""
    by_night = [_values(run for run in found.a if run.record.record_id in night) for night in nights]
    return Series(found.name, by_night, _values(found.b), found.differing)


def changes(family: Sequence[Series]) -> tuple[Change, Change]:
    """Return the candidate's change of each benchmark, and that of each night (nights, benchmarks) from all others.

    Of a benchmark in too few nights the noise is that between its runs, as Welch has it; the nights' changes are NaN,
    and so is the candidate's where there are not two runs on both sides.
    """
    rows = [[_mean_log(night) if entry.by_night else math.nan for night in _with_tonight(entry)] for entry in family]
    every = against_the_others(np.array(rows).T)
    tonight, before = _row(every, -1), Change(*(part[:-1] for part in every))
    for index, entry in enumerate(family):
        if entry.by_night:
            tonight.error[index] = math.hypot(tonight.error[index], _extra_error(entry))
        else:
            of_runs = ratio(entry.baseline, entry.candidate)
            if of_runs.spread:
                error, freedom = math.sqrt(of_runs.spread.variance), of_runs.spread.freedom
                tonight.estimate[index], tonight.error[index] = math.log(of_runs.value), error
                tonight.freedom[index] = freedom
    return tonight, before


def _extra_error(entry: Series) -> float:
    """Return what a candidate of fewer runs than the nights have is less certain by.

    The nights' noise includes that of their runs, variance within a night / runs of a night.
    """
    repeated = [[math.log(value) for value in night] for night in entry.nights if len(night) > 1]
    if not repeated:
        return 0.0
    squares = math.fsum(statistics.variance(night) * (len(night) - 1) for night in repeated)
    within = squares / sum(len(night) - 1 for night in repeated)
    of_nights = statistics.fmean(1 / len(night) for night in entry.nights if night)
    return math.sqrt(max(within * (1 / len(entry.candidate) - of_nights), 0.0))


def _with_tonight(entry: Series) -> list[list[float]]:
    return [*entry.nights, entry.candidate]


def _row(change: Change, index: int) -> Change:
    parts: list[Array] = [part[index].copy() for part in change]
    return Change(*parts)


def _mean_log(values: Sequence[float]) -> float:
    return statistics.fmean(map(math.log, values)) if values else math.nan


def _values(runs: Iterable[Run]) -> list[float]:
    return [run.images_per_second for run in runs]
