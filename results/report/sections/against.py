"""One accelerator against another: ratios, and in words what else differs between the two rows of each."""

import statistics
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from results.report.material import FACTS, IDENTITY, STRATEGY, Group, Material, fact_words, words
from results.report.page import Section, Table, number, table
from results.report.sections.headline import by, fastest
from results.report.svg import Drawer

_COMPARED = tuple(name for name in FACTS if name not in IDENTITY)
_ASPECTS = (*((name,) for name in _COMPARED if name not in STRATEGY), STRATEGY)


class Pair(NamedTuple):
    """Two groups of one model, data set and number of devices, on two accelerators."""

    base: Group
    other: Group

    @property
    def ratio(self) -> float:
        """Throughput of the other over that of the base."""
        return self.other.images_per_second / self.base.images_per_second

    @property
    def differences(self) -> list[str]:
        """What else differs, a few words each; what only one side tells is among it."""
        return [told for told in (_difference(aspect, self) for aspect in _ASPECTS) if told]


def section(material: Material, _draw: Drawer) -> Section | None:
    """Every accelerator against the first of the report, where they share a model, data set and number of devices."""
    base, *others = [name for name in material.accelerators if name] or [""]
    paragraphs: list[str] = []
    tables: list[Table] = []
    for other in others:
        groups = [group for group in material.groups if group.facts["accelerator"] in (base, other)]
        fast = list(_pairs(groups, base, _fastest))
        if not fast:
            continue
        paragraphs += _summary(base, other, fast)
        tables += _tables(base, other, fast, "the fastest row of each")
        near = zip(_pairs(groups, base, _nearest), fast, strict=True)
        nearer = [pair for pair, quick in near if len(pair.differences) < len(quick.differences)]
        if nearer:
            tables += _tables(base, other, nearer, "other rows, whose conditions are nearer")
    if not tables:
        return None
    title = f"{base} against {others[0]}" if len(others) == 1 else f"Others against {base}"
    return Section("against", title, tuple(paragraphs), tuple(tables))


def _pairs(groups: list[Group], base: str, choose: Callable[[list[Group], list[Group]], Pair]) -> Iterator[Pair]:
    for found in by(groups, "model", "dataset", "num_gpus"):
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
    """The pair with the fewest differences; of equals, the fastest."""
    pairs = (Pair(base, other) for base in bases for other in others)
    return min(
        pairs, key=lambda pair: (len(pair.differences), -pair.base.images_per_second, -pair.other.images_per_second)
    )


def _summary(base: str, other: str, pairs: list[Pair]) -> list[str]:
    fewest = min(pair.base.devices or 0 for pair in pairs)
    ratios = [pair.ratio for pair in pairs if (pair.base.devices or 0) == fewest]
    mean = statistics.geometric_mean(ratios)
    spread = f" (geometric mean of {len(ratios)} ratios, from {min(ratios):.2f} to {max(ratios):.2f})"
    spread = spread if len(ratios) > 1 else ""
    count = f"{fewest} device{'' if fewest == 1 else 's'}"
    told = (
        f"On {count}, {other} has {mean:.2f} times the throughput of {base}{spread}. "
        "What else differs stands with each ratio."
    )
    return [told, *_in_common(pairs)]


def _in_common(pairs: list[Pair]) -> Iterable[str]:
    groups = [group for pair in pairs for group in pair]
    same = [name for name in _COMPARED if len({group.facts[name] for group in groups}) == 1]
    told = [fact_words(name, groups[0].facts[name]) for name in same if groups[0].facts[name]]
    return [f"The same in all these rows: {', '.join(told)}."] if told else []


def _tables(base: str, other: str, pairs: list[Pair], what: str) -> list[Table]:
    """The pairs on the fewest devices, and folded those on more."""
    fewest = min(pair.base.devices or 0 for pair in pairs)
    few = [pair for pair in pairs if (pair.base.devices or 0) == fewest]
    more = [pair for pair in pairs if pair not in few]
    tables = [_table(base, other, few, what, False)]
    return [*tables, _table(base, other, more, f"{what}, on more devices", True)] if more else tables


def _table(base: str, other: str, pairs: list[Pair], what: str, folded: bool) -> Table:
    headings = ("model", "data", ">devices", f">{base}", f">{other}", ">ratio", "+what else differs")
    rows = [
        (
            pair.base.facts["model"],
            pair.base.facts["dataset"],
            pair.base.facts["num_gpus"],
            number(pair.base.images_per_second),
            number(pair.other.images_per_second),
            f"{pair.ratio:.2f}",
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
