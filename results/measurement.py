"""What was measured in one run: raw step times and losses, and the figures that follow from them.

Everything raw is kept; a figure is computed on demand, and its formula is in its docstring. A run that was interrupted
leaves a partial measurement, even an empty one: figures that it does not support are None.
"""

import hashlib
import math
import statistics
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from results import schema
from results.schema import RecordError

LONGEST_SECONDS = 1e9  # 30 years: a record that says more is none of a run, and sums of its steps could overflow
SHORTEST_WINDOW_SECONDS = 1e-9  # of no clock; images over less could overflow
MOST_COUNTED = 2**31  # of images per tower, and of towers
MOST_OF_A_RUN = 2**62  # images, and steps
MAD_TO_SIGMA = 1.4826  # the median absolute deviation of normal data, times this, is its standard deviation


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """The raw measurement of one run. Durations are in seconds of a steady clock, from 0 to LONGEST_SECONDS.

    A *step* is one update over all towers. Warm-up steps are kept apart and enter no figure.

    `batch_size`: images per tower and step. `num_towers`: towers over all processes.
    `warmup_step_seconds`, `step_seconds`: wall time of every step; where a call makes many, its share of the call's.
    `warmup_losses`, `losses`: may be NaN or infinite.
    `window_seconds`: wall time from the beginning of the first measured step to the end of the last; 0 before that.
    `images_in_window`: where not every step has batch_size images per tower, as in an evaluation.
    `trace_seconds`: building the graph of the step, before any step ran.
    `first_step_seconds`: wall time of the very first step, in which TensorFlow optimises and compiles the graph;
      where a call makes many, that of the first call.
    `time_to_first_step_seconds`: from the start of the process to the end of the first step.
    `top_1`, `top_5`: training accuracy of every measured step, where it was asked for, else empty.
    `skipped_steps`: steps, warm-up included, whose update was left out because the loss scale was too large.
    """

    batch_size: int
    num_towers: int
    warmup_step_seconds: tuple[float, ...] = ()
    step_seconds: tuple[float, ...] = ()
    warmup_losses: tuple[float, ...] = ()
    losses: tuple[float, ...] = ()
    window_seconds: float = 0.0
    trace_seconds: float | None = None
    first_step_seconds: float | None = None
    time_to_first_step_seconds: float | None = None
    top_1: tuple[float, ...] = ()
    top_5: tuple[float, ...] = ()
    skipped_steps: int = 0
    images_in_window: int | None = field(default=None, metadata=schema.ADDED_LATER)

    def __post_init__(self) -> None:
        for name in ("batch_size", "num_towers"):
            _set(self, name, _counted(name, getattr(self, name)))
        for name in ("warmup_step_seconds", "step_seconds"):
            _set(self, name, _durations(name, getattr(self, name)))
        for name in ("warmup_losses", "losses", "top_1", "top_5"):
            _set(self, name, tuple(map(float, getattr(self, name))))
        for name in ("window_seconds", "trace_seconds", "first_step_seconds", "time_to_first_step_seconds"):
            value = getattr(self, name)
            if value is not None:
                _set(self, name, _durations(name, (value,))[0])
        for name in ("images_in_window", "skipped_steps"):
            value = getattr(self, name)
            if value is not None and not 0 <= value <= MOST_OF_A_RUN:
                raise RecordError(f"must be from 0 to {MOST_OF_A_RUN}, is {_in_short(value)}", name)
        if 0 < self.window_seconds < SHORTEST_WINDOW_SECONDS:
            raise RecordError(f"shorter than any clock can tell, is {self.window_seconds}", "window_seconds")

    @property
    def images(self) -> int:
        """Images in the measured window: batch_size * num_towers * number of measured steps, unless told otherwise."""
        if self.images_in_window is not None:
            return self.images_in_window
        return self.batch_size * self.num_towers * len(self.step_seconds)

    @property
    def images_per_second(self) -> float | None:
        """The headline: images in the window / wall time of the window."""
        return self.images / self.window_seconds if self._has_window else None

    @property
    def steps_per_second(self) -> float | None:
        """Measured steps / wall time of the window."""
        return len(self.step_seconds) / self.window_seconds if self._has_window else None

    @property
    def median_step_seconds(self) -> float | None:
        """The median wall time of the measured steps."""
        return statistics.median(self.step_seconds) if self.step_seconds else None

    @property
    def jitter(self) -> float | None:
        """Spread of the step times as a fraction of their median: 1.4826 * median(|t - median(t)|) / median(t)."""
        median = self.median_step_seconds
        if not median:
            return None
        return MAD_TO_SIGMA * statistics.median(abs(t - median) for t in self.step_seconds) / median

    @property
    def losses_sha256(self) -> str | None:
        """A fingerprint of all losses, warm-up first: the SHA-256 of their bytes as little-endian float64, in hex.

        Two runs have the same one if their losses are equal to the last bit. None where there are no losses.
        """
        return fingerprint((*self.warmup_losses, *self.losses))

    @property
    def between_steps_seconds(self) -> float | None:
        """What the loop adds around the steps: wall time of the window - sum of the measured step times."""
        return self.window_seconds - math.fsum(self.step_seconds) if self._has_window else None

    @property
    def _has_window(self) -> bool:
        return bool(self.step_seconds) and self.window_seconds > 0


def fingerprint(losses: Sequence[float]) -> str | None:
    """Return the SHA-256 of `losses` as little-endian float64, in hex; None where there are none."""
    return hashlib.sha256(struct.pack(f"<{len(losses)}d", *losses)).hexdigest() if losses else None


def _set(measurement: Measurement, name: str, value: object) -> None:
    object.__setattr__(measurement, name, value)


def _counted(name: str, value: int) -> int:
    if not 1 <= value <= MOST_COUNTED:
        limit = "at least 1" if value < 1 else f"at most {MOST_COUNTED}"
        raise RecordError(f"must be {limit}, is {_in_short(value)}", name)
    return int(value)


def _in_short(value: int) -> object:
    return value if abs(value) < 1e30 else "far from that"


def _durations(name: str, values: Iterable[float]) -> tuple[float, ...]:
    durations = tuple(map(float, values))
    for seconds in durations:
        if not 0 <= seconds <= LONGEST_SECONDS:
            raise RecordError(f"a duration must be from 0 to {LONGEST_SECONDS:g} s, is {seconds}", name)
    return durations
