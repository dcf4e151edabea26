"""One accelerator against another: ratios, and in words what else differs between the two rows of each."""

import dataclasses
import heapq
import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from results.comparison.verdict import ONE_RUN, bounds
from results.report.material import FACTS, IDENTITY, STRATEGY, Group, Material, fact_words, words
from results.report.page import Section, Table, number, table
from results.report.sections.headline import by, fastest
from results.report.svg import Draw
from results.statistics.two_sides import Ratio, mean_ratio

_COMPARED = tuple(name for name in FACTS if name not in IDENTITY)
_ASPECTS = (*((name,) for name in _COMPARED if name not in STRATEGY), STRATEGY)
_CANDIDATES = 40  # of each side: every pair of thousands would take minutes
_BESIDE = "What else differs stands with each ratio."


class Pair(NamedTuple):
    """Two groups of one model, data set and number of devices, on two accelerators."""

    base: Group
    other: Group

    @property
    def ratio(self) -> Ratio:
        """Throughput of the other over that of the base."""
        return self.other.over(self.base)

    @property
    def differences(self) -> list[str]:
        """What else differs, a few words each; what only one side tells is among it."""
        return [told for told in (_difference(aspect, self) for aspect in _ASPECTS) if told]


def section(material: Material, _draw: Draw) -> Section | None:
    """Every accelerator against the first of the report, where they share a model, data set and number of devices."""
    base, *others = [name for name in material.accelerators if name] or [""]
    found = {other: list(_pairs(material.groups, base, other, _fastest)) for other in others}
    found = {other: pairs for other, pairs in found.items() if pairs}
    if not found:
        return None
    tables = [part for other, pairs in found.items() for part in _all_tables(material.groups, base, other, pairs)]
    if len(found) == 1:
        (other, pairs), *_ = found.items()
        return Section("against", f"{base} against {other}", _words(base, other, pairs), tuple(tables))
    told = f"Ratios of throughput to that of {base}; --only=accelerator=NAME,... has another first. {_BESIDE}"
    folded = tuple(dataclasses.replace(part, folded=True) for part in tables)
    return Section("against", f"Others against {base}", (told,), (_overview(found), *folded))


def _all_tables(groups: Sequence[Group], base: str, other: str, fast: list[Pair]) -> list[Table]:
    """The fastest pairs, and those whose conditions are nearer, where these are others."""
    tables = _tables(base, other, fast, "the fastest row of each")
    near = zip(_pairs(groups, base, other, _nearest), fast, strict=True)
    nearer = [pair for pair, quick in near if len(pair.differences) < len(quick.differences)]
    return tables + (_tables(base, other, nearer, "other rows, whose conditions are nearer") if nearer else [])


def _pairs(
    groups: Sequence[Group], base: str, other: str, choose: Callable[[list[Group], list[Group]], Pair]
) -> Iterator[Pair]:
    involved = (group for group in groups if group.facts["accelerator"] in (base, other))
    for found in by(involved, "model", "dataset", "num_gpus"):
        for alike in _by_precision(found, base):
            bases, others = _sides(alike, base)
            if bases and others:
                yield choose(bases, others)


def _by_precision(groups: list[Group], base: str) -> list[list[Group]]:
    """Apart by precision where both sides have one in common, else all together."""
    bases, others = ({group.facts["precision"] for group in side} for side in _sides(groups, base))
    shared = bases & others
    return [part for part in by(groups, "precision") if part[0].facts["precision"] in shared] if shared else [groups]


def _sides(groups: list[Group], base: str) -> tuple[list[Group], list[Group]]:
    bases = [group for group in groups if group.facts["accelerator"] == base]
    return bases, [group for group in groups if group.facts["accelerator"] != base]


def _fastest(bases: list[Group], others: list[Group]) -> Pair:
    return Pair(fastest(bases), fastest(others))


def _nearest(bases: list[Group], others: list[Group]) -> Pair:
    """The pair with the fewest differences among the fast ones; of equals, the fastest."""
    fast = [heapq.nlargest(_CANDIDATES, side, key=lambda group: group.images_per_second) for side in (bases, others)]
    return min(itertools.starmap(Pair, itertools.product(*fast)), key=lambda pair: len(pair.differences))


def _on_fewest(pairs: list[Pair]) -> tuple[int, list[Pair]]:
    """The smallest number of devices, and the pairs on it."""
    fewest = min(pair.base.devices or 0 for pair in pairs)
    return fewest, [pair for pair in pairs if (pair.base.devices or 0) == fewest]


def _words(base: str, other: str, pairs: list[Pair]) -> tuple[str, ...]:
    """The ratio on the fewest devices in a sentence, and what all rows share in another."""
    fewest, few = _on_fewest(pairs)
    mean, interval, extent = _mean(few)
    several = f"geometric mean of {len(few)} ratios, {extent}; " * (len(few) > 1)
    spread = f" ({several}{_sureness(few, interval)})"
    on = f"On {fact_words('num_gpus', str(fewest))}"
    shared = _in_common(pairs)
    told = (f"{on}, {other} has {mean} times the throughput of {base}{spread}. {_BESIDE}",)
    return (*told, f"The same in all these rows: {shared}.") if shared else told


def _sureness(pairs: list[Pair], interval: str) -> str:
    if interval != ONE_RUN:
        return f"95 % interval {interval}"
    single = all(len(group.records) == 1 for pair in pairs for group in pair)
    return f"no interval: {'one run each' if single else 'of some there is one run'}"


def _overview(found: dict[str, list[Pair]]) -> Table:
    rows = []
    for other, pairs in found.items():
        fewest, few = _on_fewest(pairs)
        shared = f"The same: {_in_common(pairs) or '-'}"
        rows.append((other, str(fewest), *_mean(few), str(len(few)), shared))
    headings = (
        "accelerator",
        ">devices",
        ">ratio, geometric mean",
        ">95 % interval",
        ">least and most",
        ">of ratios",
        "+the same in all rows",
    )
    return table(headings, rows, "Ratios on the fewest devices that both have, the fastest row of each")


def _mean(pairs: list[Pair]) -> tuple[str, str, str]:
    """The geometric mean of the ratios, its interval over the runs, the lowest ratio and the highest."""
    ratios = [pair.ratio for pair in pairs]
    mean, values = mean_ratio(ratios), [each.value for each in ratios]
    return f"{mean.value:.2f}", bounds(mean), f"from {min(values):.2f} to {max(values):.2f}"


def _in_common(pairs: list[Pair]) -> str:
    """What is known and the same on both sides of all pairs, in words."""
    groups = [group for pair in pairs for group in pair]
    same = [name for name in _COMPARED if len({group.facts[name] for group in groups}) == 1]
    return words(groups[0], same)


def _tables(base: str, other: str, pairs: list[Pair], what: str) -> list[Table]:
    """The pairs on the fewest devices, and folded those on more."""
    fewest, few = _on_fewest(pairs)
    more = [pair for pair in pairs if (pair.base.devices or 0) != fewest]
    tables = [_table(base, other, few, what, False)]
    return [*tables, _table(base, other, more, f"{what}, on more devices", True)] if more else tables


def _table(base: str, other: str, pairs: list[Pair], what: str, folded: bool) -> Table:
    headings = ("model", "data", ">devices", f">{base}", f">{other}", ">ratio", ">95 % interval", "+what else differs")
    rows = [
        (
            pair.base.facts["model"],
            pair.base.facts["dataset"],
            pair.base.facts["num_gpus"],
            number(pair.base.images_per_second),
            number(pair.other.images_per_second),
            f"{pair.ratio.value:.2f}",
            bounds(pair.ratio),
            f"Differs: {'; '.join(pair.differences)}" if pair.differences else "Nothing else differs that is told",
        )
        for pair in pairs
    ]
    return table(headings, rows, f"{other} over {base}, images/s: {what}", folded)


def _difference(aspect: tuple[str, ...], pair: Pair) -> str:
    """In words how the sides of a pair differ in some facts; "" where they don't."""
    if all(pair.base.facts[name] == pair.other.facts[name] for name in aspect):
        return ""
    told = [words(group, aspect) or f"{aspect[0]} not told" for group in pair]
    return " against ".join(told)
