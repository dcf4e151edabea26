"""What another program said of a run: its figures as it printed them, where the single steps are not known."""

import math
from dataclasses import dataclass, field

from results.schema import ADDED_LATER, RecordError


@dataclass(frozen=True, kw_only=True)
class ReportedRow:
    """One row of a run's progress, as printed. `unix_seconds`: when, where the row says so.

    `uncertainty` and `jitter`: of images_per_second, in images/s, as the source defines them.
    """

    step: int
    images_per_second: float | None = None
    loss: float | None = None
    top_1: float | None = None
    top_5: float | None = None
    unix_seconds: float | None = None
    uncertainty: float | None = field(default=None, metadata=ADDED_LATER)
    jitter: float | None = field(default=None, metadata=ADDED_LATER)


@dataclass(frozen=True, kw_only=True)
class Reported:
    """Figures of one run from elsewhere. What the source does not say is None: nothing is computed or guessed.

    `images_per_second`: of all devices together. `batch_size`: images per device and step. `num_towers`: devices of
    the whole run. `uncertainty`: of images_per_second, where the source has one, with the source's own meaning.
    """

    images_per_second: float | None = None
    uncertainty: float | None = None
    batch_size: int | None = None
    num_towers: int | None = None
    rows: tuple[ReportedRow, ...] = ()

    def __post_init__(self) -> None:
        speed = self.images_per_second
        if speed is not None and not 0 <= speed < math.inf:
            raise RecordError(f"must be finite and not negative, is {speed}", "images_per_second")
        for name in ("batch_size", "num_towers"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise RecordError(f"must be at least 1, is {value}", name)
