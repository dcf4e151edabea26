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
    found = mean_interval([math.log(value) for value in values], level)
    return Interval(*map(math.exp, found)) if found else None


def mean_interval(values: Sequence[float], level: float = 0.95) -> Interval | None:
    """The arithmetic mean of `values`, which are independent of one another, with Student's interval.

    None for fewer than two values.
    """
    if len(values) < 2:
        return None
    from scipy import special  # takes longer to import than all the rest

    centre, spread = statistics.fmean(values), statistics.stdev(values) / math.sqrt(len(values))
    reach = float(special.stdtrit(len(values) - 1, (1 + level) / 2)) * spread
    return Interval(centre, centre - reach, centre + reach)
