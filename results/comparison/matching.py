"""Which records of two sides belong together: those whose settings and conditions differ in nothing that is known."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from results.comparison.facts import CONDITION_FACTS, SOFTWARE_FACTS, Facts, Run, described, differences
from results.naming import names
from results.repeats import repeats
from results.texts import shown

_LOOKED_AT = 200  # configurations of each side, in the search for the nearest pair where none matches


@dataclass(frozen=True)
class Group:
    """Runs of one side whose facts are the same, but for the allowed ones."""

    facts: Facts
    runs: tuple[Run, ...]

    @property
    def settings(self) -> frozenset[tuple[str, str]]:
        """What was measured, without the conditions."""
        return settings_of(self.facts)


class Named(NamedTuple):
    """A group under the name of its configuration."""

    group: Group
    name: str


@dataclass(frozen=True)
class Match:
    """One configuration that both sides have. `differing`: the facts that were allowed to differ, and do."""

    name: str
    a: tuple[Run, ...]
    b: tuple[Run, ...]
    differing: dict[str, tuple[str, str]]


class Refusal(NamedTuple):
    """Configurations that must not be compared, and why."""

    reason: str
    names: tuple[str, ...]

    def __str__(self) -> str:
        shown = [*self.names[:3], *([f"and {len(self.names) - 3} more"] if len(self.names) > 3 else [])]
        concerned = f" ({'; '.join(shown)})" if shown else ""
        return f"Cannot compare: {self.reason}{concerned}"


@dataclass(frozen=True)
class Matching:
    """What became of all groups. `unknown`: facts of matched runs that one side alone tells: nobody compared them."""

    matches: list[Match]
    refused: list[Refusal]
    only_a: list[Named]
    only_b: list[Named]
    unknown: list[str]


def match(a: Iterable[Run], b: Iterable[Run], allowed: Collection[str] = ()) -> Matching:
    """Bring together the runs of `a` and `b` whose facts differ in nothing but what is `allowed`.

    A fact that only one of two runs tells does not part them: it is named. Where one side would mix runs with
    different values of a fact in one configuration, that is refused; allowed differences of software are mixed.
    """
    groups_a, groups_b = _groups(a, allowed), _groups(b, allowed)
    labels = names([group.facts for group in (*groups_a, *groups_b)])
    named_a = list(map(Named, groups_a, labels))
    named_b = list(map(Named, groups_b, labels[len(groups_a) :]))
    matches, alone_a, alone_b = [], [], []
    reasons: dict[str, list[str]] = defaultdict(list)
    unknown: dict[str, None] = {}
    for of_a, of_b in _components(named_a, named_b):
        if not of_a or not of_b:
            alone_a += of_a
            alone_b += of_b
            continue
        found = _joined(of_a, of_b)
        mixed = _mixed("A", found.a) or _mixed("B", found.b)
        if mixed:
            reasons[mixed].append(found.name)
            continue
        matches.append(found)
        unknown |= dict.fromkeys(sorted(set(of_a[0][0].facts) ^ set(of_b[0][0].facts) - set(allowed)))
    _refuse_same_settings(alone_a, alone_b, reasons)
    if not matches and not reasons:
        _refuse_nearest(alone_a, alone_b, reasons)
    refused = [Refusal(reason, tuple(dict.fromkeys(concerned))) for reason, concerned in reasons.items()]
    return Matching(matches, refused, alone_a, alone_b, list(unknown))


def _groups(runs: Iterable[Run], allowed: Collection[str]) -> list[Group]:
    every = list(runs)
    # What is the same in the records of one configuration is not enough here: a condition may be what is compared.
    known = dict.fromkeys(name for run in every for name in run.facts if name not in allowed)
    groups = repeats(every, lambda run: run.facts, known)
    told = [{name: value for name, value in group[0].facts.items() if name in known} for group in groups]
    return [Group(facts, tuple(group)) for facts, group in zip(told, groups, strict=True)]


def _components(a: list[Named], b: list[Named]) -> list[tuple[list[Named], list[Named]]]:
    """Return the groups that belong together, directly or by way of others; what has no partner comes alone."""
    everywhere = set.intersection(*(set(group.facts) for group, _ in (*a, *b))) if a or b else set()
    buckets: dict[tuple[str, ...], tuple[list[Named], list[Named]]] = defaultdict(lambda: ([], []))
    for side, entries in enumerate((a, b)):
        for entry in entries:
            buckets[tuple(entry[0].facts[name] for name in sorted(everywhere))][side].append(entry)
    return [component for bucket in buckets.values() for component in _connected(*bucket)]


def _connected(a: list[Named], b: list[Named]) -> list[tuple[list[Named], list[Named]]]:
    components: list[tuple[list[Named], list[Named]]] = [([], [entry]) for entry in b]
    for entry in a:
        near = [part for part in components if any(not differences(entry[0].facts, g.facts) for g, _ in part[1])]
        joined = ([e for part in near for e in part[0]] + [entry], [e for part in near for e in part[1]])
        components = [part for part in components if part not in near] + [joined]
    return components


def _joined(a: list[Named], b: list[Named]) -> Match:
    of_a = tuple(run for group, _ in a for run in group.runs)
    of_b = tuple(run for group, _ in b for run in group.runs)
    return Match(b[0][1], of_a, of_b, differences(_together(of_a), _together(of_b)))


def _together(runs: Sequence[Run]) -> Facts:
    """Return each fact that is told of `runs`; where they differ, all values."""
    values: dict[str, dict[str, None]] = defaultdict(dict)
    for run in runs:
        for name, value in run.facts.items():
            values[name][value] = None
    return {name: " + ".join(of_name) for name, of_name in values.items()}


def _mixed(side: str, runs: Sequence[Run]) -> str:
    """Return what is wrong where the runs of one side differ in more than software, else ""."""
    first: Facts = {}
    for run in runs:
        told = {name: value for name, value in run.facts.items() if name not in SOFTWARE_FACTS}
        for name, (one, other) in differences(first, told).items():
            what = f"{side} mixes {name} ({shown(one)} and {shown(other)})"
            return f"{what}. Give records of one of them, as by DIR@WORD with a tag, a set or the cell of a suite."
        first = told | first
    return ""


def _refuse_same_settings(a: list[Named], b: list[Named], reasons: dict[str, list[str]]) -> None:
    """Take groups out of both sides that differ in conditions alone, and say so."""
    by_settings: dict[frozenset[tuple[str, str]], list[Named]] = defaultdict(list)
    for entry in b:
        by_settings[entry.group.settings].append(entry)
    for entry in list(a):
        for other in by_settings.get(entry.group.settings, []):
            reasons[_reason(entry[0], other[0])].append(other[1])
            a[:] = [kept for kept in a if kept is not entry]
            b[:] = [kept for kept in b if kept is not other]


def _refuse_nearest(a: list[Named], b: list[Named], reasons: dict[str, list[str]]) -> None:
    pairs = [(one, other) for one, _ in a[:_LOOKED_AT] for other, _ in b[:_LOOKED_AT]]
    if pairs:
        one, other = min(pairs, key=lambda pair: len(differences(pair[0].facts, pair[1].facts)))
        reasons[_reason(one, other)] = []


def settings_of(facts: Facts) -> frozenset[tuple[str, str]]:
    """Return those of the facts that say what was measured."""
    return frozenset((name, value) for name, value in facts.items() if name not in CONDITION_FACTS)


def _reason(a: Group, b: Group) -> str:
    differing = differences(a.facts, b.facts)
    return f"{described(differing)}. Pass --allow_different={','.join(differing)} to compare anyway."
