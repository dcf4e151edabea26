"""Where the level of a series changed for good.

Nightly figures scatter, and single nights are slow for reasons of their own. So the logarithms of the figures are first
cut off where they stand out by more than three times the noise from the median of their five neighbours; the series is
then cut into pieces of constant level by PELT (Killick, Fearnhead and Eckley, 2012, doi:10.1080/01621459.2012.737745;
here ruptures.KernelCPD with a linear kernel, which is PELT for changes of the mean, in C). A further piece must lower
the sum of squared deviations by more than `PENALTY * noise^2 * log(number of runs)`.

Simulations in the tests: of series of independent noise alone, 15 to 365 runs long, at most 5 % have a change point; a
shift of three times the noise (3 % at 1 %) is found within 5 runs after it in 95 % of histories of 60 nights. Noise
that is not independent from run to run, a slow drift for example, gives more change points.
"""

import itertools
import math
import statistics
from collections.abc import Sequence

from results.measurement import MAD_TO_SIGMA

FEWEST = 15  # in shorter series the noise is not known well enough
SHORTEST = 3  # runs on one level: what passes within two is no new level
PENALTY = 4.0  # BIC has 2; the rest is for the choice of the place, and for noise that is only estimated
_OUTLIER = 3.0  # times the noise
_SMALLEST_NOISE = 1e-3  # smaller than any benchmark's: figures that were rounded may have none at all


def noise(logs: Sequence[float]) -> float:
    """Return the standard deviation of single values around their level, which changes of the level hardly affect.

    Differences d of neighbours have twice the variance of a value: 1.4826 * median(|d|) / sqrt(2).
    """
    steps = [abs(after - before) for before, after in itertools.pairwise(logs)]
    return max(MAD_TO_SIGMA * statistics.median(steps) / math.sqrt(2), _SMALLEST_NOISE)


def change_points(values: Sequence[float]) -> list[int]:
    """Return the indices of the first value on each new level, in order; none for fewer than FEWEST values.

    `values` are positive, in the order in which they were measured.
    """
    if len(values) < FEWEST:
        return []
    import numpy as np
    from ruptures import KernelCPD  # with scipy takes longer to import than all the rest

    logs = [math.log(value) for value in values]
    spread = noise(logs)
    signal = np.array(_without_outliers(logs, _OUTLIER * spread)).reshape(-1, 1)
    penalty = PENALTY * spread**2 * math.log(len(values))
    *found, _ = KernelCPD(kernel="linear", min_size=SHORTEST).fit(signal).predict(pen=penalty)
    return [int(index) for index in found]


def _without_outliers(logs: Sequence[float], reach: float) -> list[float]:
    """Return `logs`, each at most `reach` from the median of itself and its two neighbours on either side."""
    kept = []
    for index, value in enumerate(logs):
        middle = statistics.median(logs[max(0, index - 2) : index + 3])
        kept.append(min(max(value, middle - reach), middle + reach))
    return kept
