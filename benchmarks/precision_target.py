"""When a run has been measured precisely enough to end (--target_precision)."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.load import LEAST_SECONDS
from benchmarks.measure import Recording
from results.statistics.step_statistics import StepStatistics
from results.statistics.within_run import LEAST_STEPS, describe, interval

_GROWTH = 1.1  # between two looks: each look costs time of the window, and a chance of ending on luck
_LOOKS = 2  # in a row
_PROMISING = 1.5  # times the target: a glance that tells more is not worth a closer look


class PrecisionTarget:
    """Half the width of the 95 % interval of the steady steps, as a share of their mean, that a run is to reach.

    The interval is looked at more than once, and can be narrow by luck: that of a run which ended at the first such
    look would cover the true value in 87 % of simulated runs, not 95. With two looks in a row it does in 94 %.
    Before the window is long enough to tell what other programs did in it there is no look: the run would be unfit.
    """

    def __init__(self, share: float) -> None:
        self.share = share
        self._next_look = LEAST_STEPS
        self._met = 0
        describe([1.0, 1.5] * LEAST_STEPS)  # what it imports must not be imported in the window

    def due(self, recording: Recording) -> bool:
        """Whether the steps so far reach it; asked after every step, looked at after ever more of them."""
        steps = len(recording.step_seconds)
        if steps < self._next_look:
            return False
        self._next_look = int(steps * _GROWTH) + 1
        long_enough = sum(recording.step_seconds) >= LEAST_SECONDS
        met = long_enough and self._is_promising(recording) and self._met_by(describe(recording.step_seconds))
        self._met = self._met + 1 if met else 0
        return self._met == _LOOKS

    def __call__(self, recording: Recording) -> bool:
        """End the training."""
        del recording
        return True

    def verdict(self, step_seconds: Sequence[float], most_steps: int) -> str:
        """What to tell of it at the end."""
        statistics = describe(step_seconds)
        found = statistics.relative_half_width if statistics else None
        if statistics and found is not None and found <= self.share:
            return f"reached after {statistics.steps} of at most {most_steps} steps (half width {found:.2%})"
        why = (statistics.unsteady or statistics.too_few) if statistics else "no steps"
        width = why if found is None else f"half width {found:.2%}"
        return f"not reached within {most_steps} steps ({width}); a larger --num_batches measures on"

    def _is_promising(self, recording: Recording) -> bool:
        """A cheap glance at the last two thirds, which a slow start does not touch."""
        mean, low, high = interval(recording.step_seconds[len(recording.step_seconds) // 3 :])
        return (high - low) / 2 <= _PROMISING * self.share * mean

    def _met_by(self, statistics: StepStatistics | None) -> bool:
        width = statistics.relative_half_width if statistics else None
        return width is not None and width <= self.share
