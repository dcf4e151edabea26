"""One side against another: every configuration that both have, and all of them together."""

import statistics
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from results.comparison.facts import Run
from results.comparison.matching import Match, Matching, match
from results.comparison.verdict import Verdict, percent, verdict
from results.statistics.two_sides import Ratio, mean_ratio, more_runs, ratio

THRESHOLD = 0.02  # what run-to-run noise and the choice of a clock or a driver easily make; below it nobody should act


@dataclass(frozen=True)
class Row:
    """One configuration. `images_per_second_a` and `_b`: geometric means of the runs, one value a run.

    `wrong_a` and `_b`: how many of the runs computed something wrong, `not_valid_a` and `_b`: how many are not valid
    for another reason; none, unless those were asked for.
    """

    name: str
    runs_a: int
    runs_b: int
    images_per_second_a: float
    images_per_second_b: float
    ratio: Ratio
    p_adjusted: float | None
    verdict: Verdict
    differing: dict[str, tuple[str, str]]
    wrong_a: int = 0
    wrong_b: int = 0
    not_valid_a: int = 0
    not_valid_b: int = 0


@dataclass(frozen=True)
class Comparison:
    """All rows, the geometric mean of their ratios (None where there is no row), and what was not compared."""

    rows: list[Row]
    mean: Ratio | None
    mean_verdict: Verdict | None
    threshold: float
    matching: Matching


def compare(
    a: Sequence[Run], b: Sequence[Run], allowed: Collection[str] = (), threshold: float = THRESHOLD
) -> Comparison:
    """Compare `b` with `a`. `allowed`: facts that may differ; `threshold`: the fraction from which a change counts."""
    matching = match(a, b, allowed)
    ratios = [ratio(_values(found.a), _values(found.b)) for found in matching.matches]
    adjusted = _adjusted([entry.p for entry in ratios])
    family = sum(p is not None for p in adjusted)
    rows = [_row(*parts, threshold, family) for parts in zip(matching.matches, ratios, adjusted, strict=True)]
    mean = mean_ratio(ratios) if ratios else None
    return Comparison(rows, mean, _of_mean(mean, threshold) if mean else None, threshold, matching)


def _row(found: Match, of_both: Ratio, p_adjusted: float | None, threshold: float, family: int) -> Row:
    a, b = _values(found.a), _values(found.b)
    said = verdict(of_both, threshold, p_adjusted, family)
    if said.kind == "no interval":
        sides = " and ".join(side for side, runs in (("A", a), ("B", b)) if len(runs) == 1)
        which = "one run each" if sides == "A and B" else f"one run in {sides}"
        said = Verdict(said.kind, f"{said.words}, {which}: no interval")
    if said.kind == "too few runs":
        said = Verdict(said.kind, _with_more(said.words, more_runs(a, b, threshold), threshold))
    mean_a, mean_b = _mean(a), _mean(b)
    wrong = [sum(bool(run.record.wrong) for run in runs) for runs in (found.a, found.b)]
    not_valid = [sum(not run.record.valid for run in runs) for runs in (found.a, found.b)]
    of_other_kind = [every - of_these for every, of_these in zip(not_valid, wrong, strict=True)]
    counts = (*wrong, *of_other_kind)
    return Row(found.name, len(a), len(b), mean_a, mean_b, of_both, p_adjusted, said, found.differing, *counts)


def _of_mean(mean: Ratio, threshold: float) -> Verdict:
    said = verdict(mean, threshold)
    if said.kind == "no interval":
        return Verdict(said.kind, f"{said.words}, of some there is one run: no interval")
    return said


def _with_more(words: str, more: int | None, threshold: float) -> str:
    beginning, _, interval = words.partition(": ")
    enough = (
        f"{more} more of each would show {percent(threshold)}"
        if more
        else f"not even 1000 more of each would show {percent(threshold)}"
    )
    return f"{beginning}: {enough} ({interval})"


def _adjusted(values: Sequence[float | None]) -> list[float | None]:
    """Return p values adjusted for being several (Benjamini and Hochberg); None stays None."""
    known = [p for p in values if p is not None]
    if len(known) < 2:
        return list(values)
    from scipy import stats  # takes longer to import than all the rest

    adjusted = iter(stats.false_discovery_control(known).tolist())
    return [None if p is None else next(adjusted) for p in values]


def _mean(values: Sequence[float]) -> float:
    return statistics.geometric_mean(values)


def _values(runs: Sequence[Run]) -> list[float]:
    return [run.images_per_second for run in runs]
