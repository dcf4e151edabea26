"""What the step times of one run say: the figures, and how far they can be trusted. Needs no NumPy to be read."""

from dataclasses import dataclass

SLOW_START, LEVEL_SHIFT, RAMP, STALLS = "slow start", "level shift", "ramp", "periodic stalls"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Something in the step times that is no noise.

    `kind`: one of the four words above. `step`: the first step concerned, counted from 1. `size`: by what fraction of
    the usual step time it is longer (negative: shorter); of a ramp, from the first step to the last. `period`: of
    stalls, in steps.
    """

    kind: str
    step: int
    size: float
    period: int | None = None

    def __str__(self) -> str:
        if self.kind == SLOW_START:
            return f"the steps before step {self.step} took {self.size:.1%} longer than the rest"
        if self.kind == RAMP:
            return f"step times drifted by {self.size:+.1%} from the first step to the last"
        if self.kind == STALLS:
            return f"every {self.period} steps, first at step {self.step}, a step took {self.size:.0%} longer"
        return f"step times changed by {self.size:+.1%} at step {self.step}"


@dataclass(frozen=True, kw_only=True)
class StepStatistics:
    """Figures of the steady part of a run's measured steps: those from number `steady_from` (counted from 1) on.

    All seconds are of one step. `jitter`: 1.4826 * median absolute deviation / median. `effective_steps`: how many
    independent steps would tell the mean as precisely. `low_seconds`, `high_seconds`: 95 % interval of the mean, None
    where the steps do not support one. `unsteady` and `too_few` say why, in a clause each; "" where all is well.
    """

    steps: int
    steady_from: int
    mean_seconds: float
    median_seconds: float
    p5_seconds: float
    p25_seconds: float
    p75_seconds: float
    p95_seconds: float
    p99_seconds: float
    jitter: float
    effective_steps: float
    low_seconds: float | None = None
    high_seconds: float | None = None
    unsteady: str = ""
    too_few: str = ""
    findings: tuple[Finding, ...] = ()

    @property
    def relative_half_width(self) -> float | None:
        """Half the width of the interval as a fraction of the mean; None where there is no interval."""
        if self.low_seconds is None or self.high_seconds is None or not self.mean_seconds:
            return None
        return (self.high_seconds - self.low_seconds) / 2 / self.mean_seconds
