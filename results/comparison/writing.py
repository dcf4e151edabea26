"""A comparison as text, Markdown, CSV and JSON. What records say is escaped: they may come from anywhere."""

import csv
import io
import json
from collections.abc import Iterable
from typing import Any, NamedTuple

from results.checks import NOT_VALID, WRONG
from results.comparison.comparison import Comparison, Row
from results.comparison.facts import described
from results.markdown import escaped, table
from results.naming import counted
from results.statistics.two_sides import LEVEL
from results.texts import printable

_HEADINGS = ("configuration", ">A, images/s", ">B, images/s", ">runs", ">ratio B/A", ">p", "verdict on B")


def text(found: Comparison) -> str:
    """Return two lines a configuration, then all of them together, then what only one side has."""
    lines = []
    for row in found.rows:
        a, b = (f"{side.speed:,.1f} images/s ({counted(side.runs, 'run')}{side.admitted})" for side in _sides(row))
        p = f", p = {row.ratio.p:.2g}" if row.ratio.p is not None else ""
        lines += [printable(row.name), f"  A {a}, B {b}", f"  B: {row.verdict.words}{p}"]
    if found.mean_verdict and len(found.rows) > 1:
        lines += ["", f"Geometric mean of {len(found.rows)} configurations, B: {found.mean_verdict.words}"]
    said = [printable(note) for note in notes(found)]
    return "\n".join([*lines, *(["", *said] if said else [])]) + "\n"


def markdown(found: Comparison) -> str:
    """Return a Markdown table, and notes below it."""
    lines = []
    for row in found.rows:
        p = "" if row.ratio.p is None else f"{row.ratio.p:.2g}"
        sides = _sides(row)
        runs = " + ".join(f"{side.runs}{side.admitted}" for side in sides)
        cells = [escaped(row.name), *(f"{side.speed:,.1f}" for side in sides), runs]
        lines.append([*cells, f"{row.ratio.value:.3f}", p, row.verdict.words])
    if found.mean and found.mean_verdict and len(found.rows) > 1:
        lines.append(["geometric mean", "", "", "", f"{found.mean.value:.3f}", "", found.mean_verdict.words])
    return "\n".join([table(_HEADINGS, lines), "", *(f"* {escaped(note)}" for note in notes(found))]).rstrip() + "\n"


def as_csv(found: Comparison) -> str:
    """Return one row a configuration with every column of `rows`."""
    written = io.StringIO()
    lines = rows(found)
    writer = csv.DictWriter(written, list(lines[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return written.getvalue()


def as_json(found: Comparison) -> str:
    """Return everything as one JSON object: rows, geometric_mean, only_a, only_b, refused, not_told."""
    mean = found.mean
    assert mean
    assert found.mean_verdict
    whole = {
        "threshold": found.threshold,
        "level": LEVEL,
        "rows": rows(found),
        "geometric_mean": {
            "ratio": mean.value, "low": mean.low, "high": mean.high, "p": mean.p,
            "verdict": found.mean_verdict.kind, "words": found.mean_verdict.words,
        },
        "only_a": [name for _, name in found.matching.only_a],
        "only_b": [name for _, name in found.matching.only_b],
        "refused": [{"reason": reason, "configurations": names} for reason, names in found.matching.refused],
        "not_told_by_both": found.matching.unknown,
    }  # fmt: skip
    return json.dumps(whole, indent=1, allow_nan=False) + "\n"


def rows(found: Comparison) -> list[dict[str, Any]]:
    """Return one flat object a configuration; what is not known is None."""
    return [
        {
            "configuration": printable(row.name),
            "runs_a": row.runs_a,
            "runs_b": row.runs_b,
            "wrong_a": row.wrong_a,
            "wrong_b": row.wrong_b,
            "not_valid_a": row.not_valid_a,
            "not_valid_b": row.not_valid_b,
            "images_per_second_a": row.images_per_second_a,
            "images_per_second_b": row.images_per_second_b,
            "ratio": row.ratio.value,
            "low": row.ratio.low,
            "high": row.ratio.high,
            "p": row.ratio.p,
            "p_adjusted": row.p_adjusted,
            "noise": row.ratio.noise,
            "detectable": row.ratio.detectable,
            "verdict": row.verdict.kind,
            "words": row.verdict.words,
            "differing": printable(described(row.differing)),
        }
        for row in found.rows
    ]


def notes(found: Comparison) -> list[str]:
    """Return what a reader must know beside the figures."""
    allowed = dict.fromkeys(described(row.differing) for row in found.rows if row.differing)
    said = [f"Allowed: {what}." for what in allowed]
    said += [_wrong(side, row.name, wrong) for row in found.rows for side, wrong in _wrong_runs(row) if wrong]
    if found.matching.unknown:
        said.append(f"Not compared, as only one side tells it: {', '.join(found.matching.unknown)}.")
    for side, alone in (("A", found.matching.only_a), ("B", found.matching.only_b)):
        said += [f"Only in {side}: {name}" for _, name in alone]
    return said


class _Side(NamedTuple):
    """The runs of one side of a row; `admitted`: how many are there only as --include_invalid was given, in words."""

    runs: int
    speed: float
    admitted: str


def _sides(row: Row) -> tuple[_Side, _Side]:
    return (
        _Side(row.runs_a, row.images_per_second_a, _admitted(row.not_valid_a, row.wrong_a)),
        _Side(row.runs_b, row.images_per_second_b, _admitted(row.not_valid_b, row.wrong_b)),
    )


def _admitted(not_valid: int, wrong: int) -> str:
    return "".join(f", {count} {word}" for count, word in ((not_valid, NOT_VALID), (wrong, WRONG)) if count)


def _wrong_runs(row: Row) -> Iterable[tuple[str, int]]:
    return (("A", row.wrong_a), ("B", row.wrong_b))


def _wrong(side: str, name: str, count: int) -> str:
    return f"{WRONG}: {counted(count, 'run')} in {side} computed something wrong (--include_invalid): {name}"
