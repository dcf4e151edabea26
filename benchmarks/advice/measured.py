"""Candidates measured: short runs in fresh processes, in turn, so that all share the drift of the machine."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from benchmarks.advice.candidates import Candidate
from benchmarks.errors import ExitCode
from benchmarks.trials import SearchEnded, TrialFailed, Trials
from results.durations import about
from results.statistics.between_runs import Interval, interval
from results.statistics.two_sides import LEVEL


class Case(NamedTuple):
    """A candidate on a number of devices."""

    devices: int
    candidate: Candidate


def images_per_second(trials: Trials, case: Case) -> float:
    """That of one run of `case`, of its steady steps. Raises SearchEnded; TrialFailed, a kind of it, for a bad run."""
    try:
        trial = trials.run([*case.candidate.flags, f"--num_gpus={case.devices}"])
        if trial.code or not trial.images_per_second:
            told = f"exit code {trial.code}, {trial.outcome}"
            raise TrialFailed(ExitCode.FAILED, f"it left no figure to go by ({told}):\n{trial.words}")
    except TrialFailed as failed:
        asked = f"the run of {case.candidate} on {case.devices} device(s)"
        raise TrialFailed(failed.code, f"{asked} (--candidates leaves it out): {failed}") from failed
    return trial.images_per_second


class Runs(NamedTuple):
    """A figure of each case a round, and what `ended` them before all were made; None where nothing did."""

    speeds: dict[Case, list[float]]
    ended: SearchEnded | None = None


def interleaved(
    measure: Callable[[Case], float],
    cases: Sequence[Case],
    rounds: int,
    tell: Callable[[str], None],
    clock: Callable[[], float] = time.monotonic,
) -> Runs:
    """Measure each of `cases` once a round, in turn, as long as none ends it. `tell` how long it will take, too."""
    found: dict[Case, list[float]] = {case: [] for case in cases}
    began = clock()
    for number in range(1, rounds + 1):
        for case in cases:
            try:
                found[case].append(measure(case))
            except SearchEnded as ended:
                return Runs(found, ended)
            told = f"{case.candidate}, {case.devices} devices: {found[case][-1]:,.1f} images/s"
            tell(f"round {number} of {rounds}: {told}")
            left = len(cases) * rounds - 1
            if left and number == 1 and case == cases[0]:
                tell(
                    f"NOTE: {left} more runs, in all about {about(left * (clock() - began))}. Ctrl-C ends them and "
                    "tells what was found."
                )
    return Runs(found)


def whole_rounds(runs: Mapping[Case, Sequence[float]]) -> dict[Case, list[float]]:
    """The figures of the rounds in which all were measured; of the first alone, of those that were."""
    known = {case: list(speeds) for case, speeds in runs.items() if speeds}
    most = min(map(len, known.values()), default=0)
    return {case: speeds[:most] for case, speeds in known.items()}


class Ranked(NamedTuple):
    """A candidate by its runs: their geometric mean, with its 95 % `interval`, None of one run.

    `share` is what it has of the fastest's, round by round; `bounds` are those of the share, None of one round.
    """

    candidate: Candidate
    images_per_second: float
    interval: Interval | None
    share: float
    bounds: tuple[float, float] | None

    @property
    def slower(self) -> bool:
        """Whether the rounds show it to be slower than the fastest."""
        return self.bounds is not None and self.bounds[1] < 1


def ranked(runs: dict[Candidate, list[float]]) -> list[Ranked]:
    """Candidates by their runs on one number of devices, a figure a round, the fastest first.

    The runs of a round share the drift of the machine, so the fastest's are held against those of the same round; the
    level of confidence is raised for as many comparisons (Bonferroni).
    """
    means = {candidate: statistics.geometric_mean(speeds) for candidate, speeds in runs.items()}
    first, *_ = order = sorted(runs, key=lambda each: -means[each])
    level = 1 - (1 - LEVEL) / max(1, len(runs) - 1)
    found = []
    for candidate in order:
        shares = [own / best for own, best in zip(runs[candidate], runs[first], strict=True)]
        known = interval(shares, level) if candidate != first else None
        bounds = (known.low, known.high) if known else None
        found.append(
            Ranked(candidate, means[candidate], interval(runs[candidate]), means[candidate] / means[first], bounds)
        )
    return found
