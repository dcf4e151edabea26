"""What several runs of one configuration say together. One value a run, never pooled steps."""

import math
import statistics
from collections.abc import Sequence
from typing import NamedTuple


class Interval(NamedTuple):
    """A figure with the bounds that its true value lies between, at the stated level of confidence."""

    value: float
    low: float
    high: float


def interval(values: Sequence[float], level: float = 0.95) -> Interval | None:
    """The geometric mean of `values` (positive, one a run) with Student's interval on their logarithms.

    None for fewer than two values: one run says nothing of the next.
    """
    if len(values) < 2:
        return None
    from scipy import special  # takes longer to import than all the rest

    logs = [math.log(value) for value in values]
    centre, spread = statistics.fmean(logs), statistics.stdev(logs) / math.sqrt(len(logs))
    reach = float(special.stdtrit(len(logs) - 1, (1 + level) / 2)) * spread
    return Interval(math.exp(centre), math.exp(centre - reach), math.exp(centre + reach))
