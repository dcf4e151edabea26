"""The history of each configuration: one value a run, where its level changed, and what else changed there."""

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from results.checks import WRONG
from results.conditions import SOFTWARE
from results.digests import Digest
from results.frame import COLUMNS
from results.machines import HARDWARE, labels
from results.naming import counted
from results.repeats import CONFIGURATION, SETTINGS, has_mean, repeats
from results.statistics.change_points import FEWEST, change_points, noise
from results.suites import set_aside, told

FACTS = (*HARDWARE, *SOFTWARE)
SEPARATE = HARDWARE  # another machine has another figure, as in reports and exports
# A change point can be a run or two off: the noise of the runs beside it may hide where it was.
NEAR = 2
_POSITIONS = {name: position for position, name in enumerate(COLUMNS)}


class Run(NamedTuple):
    """One run in a series; `started_at` is UTC, ISO 8601."""

    started_at: str
    images_per_second: float
    conditions: dict[str, str]
    record_id: str
    file: str


class Difference(NamedTuple):
    """A fact that differs from one run to the next. `runs_off`: that many runs after (or before) the change."""

    fact: str
    before: str
    after: str
    runs_off: int


@dataclass(frozen=True)
class Change:
    """A new level from run number `index` of its series on; levels are medians in images per second."""

    index: int
    before: float
    after: float
    differences: tuple[Difference, ...]

    @property
    def ratio(self) -> float:
        """The new level over the old."""
        return self.after / self.before


@dataclass(frozen=True)
class Series:
    """The runs of one configuration in order of time. `settings`: the known ones of SETTINGS, and what parts it.

    `machine`: what it ran on, in as few words as part the machines of all series; "" where machines are joined.
    """

    configuration_key: str
    settings: dict[str, Any]
    runs: tuple[Run, ...]
    changes: tuple[Change, ...]
    machine: str = ""

    @property
    def levels(self) -> list[tuple[int, int, float]]:
        """The first run, the run after the last, and the median of each piece of constant level."""
        ends = [change.index for change in self.changes] + [len(self.runs)]
        return [(start, end, _median(self.runs[start:end])) for start, end in zip([0, *ends[:-1]], ends, strict=True)]

    @property
    def noise(self) -> float | None:
        """How much single runs scatter around their level, as a fraction; None where there are too few to tell."""
        return noise([math.log(run.images_per_second) for run in self.runs]) if self.long_enough else None

    @property
    def long_enough(self) -> bool:
        """Whether there are enough runs to look for changes."""
        return len(self.runs) >= FEWEST


class Histories(NamedTuple):
    """Series in the order in which their configurations first ran, and what was left out."""

    series: list[Series]
    left_out: list[str]


def histories(
    digests: Iterable[Digest], separate: Sequence[str] = SEPARATE, include_invalid: bool = False
) -> Histories:
    """Return the series of the valid records among `digests`, one for each configuration on each machine.

    As in comparisons, trials of a search and attempts that a suite made again are never among them.
    `separate`: which of FACTS make series of their own; without any, a machine that gets another GPU stays one series.
    """
    every, usable = list(digests), []
    aside = set_aside({digest.record_id: digest.origin for digest in every})
    invalid = timeless = 0
    for digest in every:
        if digest.record_id in aside:
            continue
        if not (_of(digest, "valid") or include_invalid) or not has_mean(_of(digest, "steady_images_per_second")):
            invalid += 1
        elif not _of(digest, "started_at"):
            timeless += 1
        else:
            usable.append(digest)
    groups = repeats(usable, _facts, dict.fromkeys((*CONFIGURATION, *separate)))
    machines = labels((group[0].conditions for group in groups), separate)
    found = [_series(group, separate, machine) for group, machine in zip(groups, machines, strict=True)]
    left_out = told(aside)
    if invalid:
        why = "without a figure" if include_invalid else "not valid (--include_invalid) or without a figure"
        left_out.append(f"Left out: {counted(invalid, 'record')}, {why}.")
    if timeless:
        left_out.append(f"Left out: {counted(timeless, 'record')} without the time of the run.")
    if wrong := sum(bool(_of(digest, "wrong")) for digest in usable):
        left_out.append(f"{WRONG}: {counted(wrong, 'record')} not left out, of a run that computed something wrong.")
    return Histories(sorted(found, key=lambda series: series.runs[0].started_at), left_out)


def _facts(digest: Digest) -> dict[str, Any]:
    return {name: _of(digest, name) for name in CONFIGURATION} | digest.conditions


def _series(group: list[Digest], separate: Sequence[str], machine: str) -> Series:
    first = group[0]
    settings = {name: _of(first, name) for name in SETTINGS}
    settings |= {fact: first.conditions.get(fact) for fact in separate}
    runs = tuple(sorted(map(_run, group), key=lambda run: (run.started_at, run.record_id)))
    indices = change_points([run.images_per_second for run in runs])
    ends = [*indices, len(runs)]
    changes = [
        Change(index, _median(runs[start:index]), _median(runs[index:end]), _differences(runs, index))
        for start, index, end in zip([0, *indices], indices, ends[1:], strict=False)
    ]
    known = {name: value for name, value in settings.items() if value not in (None, "")}
    return Series(_of(first, "configuration_key"), known, runs, tuple(changes), machine)


def _differences(runs: Sequence[Run], index: int) -> tuple[Difference, ...]:
    """Return what changed with run number `index`, and then what did so up to NEAR runs off."""
    found: dict[str, Difference] = {}
    for runs_off in sorted(range(-NEAR, NEAR + 1), key=abs):
        if not 0 < index + runs_off < len(runs):
            continue
        before, after = (runs[index + runs_off + step].conditions for step in (-1, 0))
        for fact in FACTS:
            if fact in before and fact in after and before[fact] != after[fact]:
                found.setdefault(fact, Difference(fact, before[fact], after[fact], runs_off))
    return tuple(found.values())


def _run(digest: Digest) -> Run:
    value = float(_of(digest, "steady_images_per_second"))
    return Run(_of(digest, "started_at"), value, digest.conditions, digest.record_id, digest.file)


def _of(digest: Digest, column: str) -> Any:
    return digest.row[_POSITIONS[column]]


def _median(runs: Sequence[Run]) -> float:
    return statistics.median(run.images_per_second for run in runs)
