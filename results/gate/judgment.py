"""Tonight against the nights before: what became of each benchmark, and the answer to the whole."""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from results.checks import WRONG
from results.comparison.facts import SOFTWARE_FACTS, Run, described, facts
from results.comparison.matching import Matching, match, settings_of
from results.comparison.verdict import percent
from results.gate.nights import nights
from results.gate.series import Series, changes, series
from results.naming import names
from results.record import RunRecord
from results.statistics.family import detectable, judge

# What may become of a benchmark, in the order in which it is told. The first four keep a gate from passing.
SLOWER, INVALID, MISSING, INSUFFICIENT = "slower", "invalid", "missing", "insufficient"
NOT_COMPARABLE, NEW, NOT_SLOWER = "not comparable", "new", "not slower"
STATUSES = (SLOWER, INVALID, MISSING, INSUFFICIENT, NOT_COMPARABLE, NEW, NOT_SLOWER)
_UNJUDGED = (INVALID, MISSING, INSUFFICIENT)
PASSED, REGRESSED, CANNOT_SAY = 0, 1, 2


class Rules(NamedTuple):
    """`threshold`: the slowdown that counts, a share of the speed. `must_detect`: the slowdown that must be visible."""

    threshold: float = 0.02
    must_detect: float = 0.1
    allow_partial: bool = False


@dataclass(frozen=True)
class Benchmark:
    """One benchmark. `change` (positive is faster) and `detectable` (a slowdown) are shares of the baseline's speed."""

    name: str
    status: str
    words: str
    change: float | None = None
    detectable: float | None = None
    p: float | None = None


@dataclass(frozen=True)
class Judgment:
    """All benchmarks, the worst first. `notes`: what else must be known."""

    benchmarks: list[Benchmark]
    exit_code: int
    headline: str
    partial_allowed: bool
    notes: list[str] = field(default_factory=list)


class Candidate(NamedTuple):
    """What is to be judged: its valid runs, the records that are not valid, and messages on what could not be read."""

    runs: Sequence[Run]
    invalid: Sequence[RunRecord]
    unreadable: Sequence[str] = ()


def gate(
    baseline: Sequence[Run],
    candidate: Candidate,
    rules: Rules = Rules(),  # noqa: B008  # immutable
    allowed: Collection[str] = (),
    last: int | None = None,
) -> Judgment:
    """Judge `candidate` by `baseline`: all of its nights, or the last `last` that have something comparable.

    Differences of software are what a gate is there to notice: they are named, not refused.
    """
    matching = match(baseline, candidate.runs, {*SOFTWARE_FACTS, *allowed})
    comparable = {run.record.record_id for found in matching.matches for run in found.a}
    by_night = [{record.record_id for record in night} for night in nights([run.record for run in baseline])]
    # Where nothing can be compared, all nights count, so that what is missing tonight is told.
    by_night = ([night for night in by_night if night & comparable] or by_night)[-last if last else None :]
    family = [series(found, by_night) for found in matching.matches]
    family = [entry for entry in family if entry.baseline]
    judged = _judged(family, rules)
    judged += _unjudged(matching, candidate, set().union(*by_night), {entry.name for entry in family})
    judged.sort(key=lambda benchmark: STATUSES.index(benchmark.status))
    return _whole(judged, candidate, rules, len(by_night), [*_wrong_beside_valid(candidate), *_software(family)])


def _judged(family: Sequence[Series], rules: Rules) -> list[Benchmark]:
    if not family:
        return []
    tonight, before = changes(family)
    found = judge(tonight, rules.threshold, before if any(entry.by_night for entry in family) else None)
    visible = detectable(tonight, found.critical, rules.threshold)
    rows = zip(tonight.estimate, visible, found.p_adjusted, found.slower, strict=True)
    figures = [_Figures(float(estimate), float(d), float(p), bool(slower)) for estimate, d, p, slower in rows]
    return [_benchmark(entry, of_it, rules) for entry, of_it in zip(family, figures, strict=True)]


class _Figures(NamedTuple):
    """What the statistics say of one benchmark: changes of the logarithm of speed."""

    estimate: float
    detectable: float
    p: float
    slower: bool


def _benchmark(entry: Series, figures: _Figures, rules: Rules) -> Benchmark:
    if math.isnan(figures.estimate):
        runs = f"{len(entry.baseline)} and {len(entry.candidate)}"
        words = f"no noise to judge by: {runs} run(s) in fewer than 3 nights; 2 and 2 are the least"
        return Benchmark(entry.name, INSUFFICIENT, words)
    change, visible = math.expm1(figures.estimate), -math.expm1(-figures.detectable)
    visible = 1.0 if math.isnan(visible) else visible  # nothing is detectable
    told = f"{100 * abs(change):.1f} % {'slower' if change < 0 else 'faster'}"
    source = f"{sum(map(bool, entry.nights))} nights" if entry.by_night else f"{len(entry.baseline)} runs"
    words = f"{told} than {source}, adjusted p {figures.p:.2g}, smallest detectable slowdown {percent(visible)}"
    status = SLOWER if figures.slower else INSUFFICIENT if visible > rules.must_detect else NOT_SLOWER
    if status == INSUFFICIENT:
        words += f", more than --must_detect={percent(rules.must_detect).replace(' ', '')}"
    return Benchmark(entry.name, status, words, change, visible, figures.p)


def _unjudged(
    matching: Matching, candidate: Candidate, considered: set[str], judged: Collection[str]
) -> list[Benchmark]:
    tonight = {settings_of(run.facts) for run in candidate.runs}
    invalid = {settings_of(facts(record)): record for record in candidate.invalid}
    labels = names([facts(record) for record in invalid.values()])
    found = [
        Benchmark(name, INVALID, f"no valid run: {_why(record)}")
        for (settings, record), name in zip(invalid.items(), labels, strict=True)
        if settings not in tonight
    ]
    found += [
        Benchmark(name, MISSING, "in the baseline, but not in the candidate")
        for group, name in matching.only_a
        if group.settings not in tonight | invalid.keys()
        and any(run.record.record_id in considered for run in group.runs)
    ]
    for reason, concerned in matching.refused:
        found += [Benchmark(name, NOT_COMPARABLE, reason) for name in concerned]
    unmatched = [name for _, name in matching.only_b] + [m.name for m in matching.matches if m.name not in judged]
    return found + [Benchmark(name, NEW, "not in the baseline") for name in unmatched]


def _wrong_beside_valid(candidate: Candidate) -> list[str]:
    """What is told of runs that computed something wrong, of benchmarks that others of tonight are judged by."""
    tonight = {settings_of(run.facts) for run in candidate.runs}
    wrong = [(facts(record), record) for record in candidate.invalid if record.wrong]
    beside = [(told, record) for told, record in wrong if settings_of(told) in tonight]
    labels = names([told for told, _ in beside])
    return [
        f"{WRONG}: {name}: run {record.record_id[:8]} is in no figure: {'; '.join(record.wrong)}."
        for (_, record), name in zip(beside, labels, strict=True)
    ]


def _why(record: RunRecord) -> str:
    wrong = f"{WRONG}: " * bool(record.wrong)
    told = [text for text in (record.message, *record.problems) if text]
    return wrong + "; ".join(told) or ("it has no figure" if record.valid else f"it is {record.status}")


def _whole(judged: list[Benchmark], candidate: Candidate, rules: Rules, num_nights: int, notes: list[str]) -> Judgment:
    counts = {status: sum(one.status == status for one in judged) for status in STATUSES}
    notes = [*notes, *candidate.unreadable]
    unjudged = bool(candidate.unreadable) or any(counts[status] for status in _UNJUDGED)
    if counts[SLOWER]:
        exit_code, words = REGRESSED, "REGRESSION"
    elif not counts[NOT_SLOWER]:
        exit_code, words = CANNOT_SAY, "NOTHING WAS MEASURED that could be judged"
    elif unjudged and not rules.allow_partial:
        exit_code, words = CANNOT_SAY, "INCOMPLETE (--allow_partial passes what could be judged)"
    else:
        exit_code, words = PASSED, "no regression"
    told = ", ".join(f"{count} {status}" for status, count in counts.items() if count) or "no benchmark"
    return Judgment(
        judged, exit_code, f"{words}: {told}; baseline of {num_nights} night(s)", rules.allow_partial, notes
    )


def _software(family: Sequence[Series]) -> list[str]:
    """Return the differences of software, each once; tonight's are told against all values of the nights."""
    return [f"Software: {words}." for words in dict.fromkeys(described(e.differing) for e in family if e.differing)]
