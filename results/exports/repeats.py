"""Records of the same configuration on the same machine as one result, for tools that keep one value per benchmark."""

import statistics
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from results.frame import facts
from results.machines import labels
from results.naming import name
from results.record import RunRecord
from results.repeats import has_mean, repeats
from results.statistics.between_runs import Interval, interval


class Result(NamedTuple):
    """One benchmark: its name, unique among the results, and its records, which all have a figure."""

    name: str
    records: tuple[RunRecord, ...]

    @property
    def images_per_second(self) -> float:
        """The geometric mean over the runs."""
        return statistics.geometric_mean(self._values)

    @property
    def interval(self) -> Interval | None:
        """The 95 % interval over the runs; None for one run."""
        return interval(self._values)

    @property
    def _values(self) -> list[float]:
        return [value for record in self.records if (value := record.steady_images_per_second)]


def results(records: Sequence[RunRecord]) -> list[Result]:
    """Return the results in the order of their first records; records without a figure, or with 0, are not in them."""
    groups = repeats((record for record in records if has_mean(record.steady_images_per_second)), facts)
    firsts = [facts(group[0]) for group in groups]
    names = [name(each | {"machine": machine}, "machine") for each, machine in zip(firsts, labels(firsts), strict=True)]
    shared = Counter(names)
    return [
        # Equal names: they differ in a flag that is not in the name, and only the key tells them apart.
        Result(called if shared[called] == 1 else f"{called} [{group[0].configuration_key}]", tuple(group))
        for called, group in zip(names, groups, strict=True)
    ]
