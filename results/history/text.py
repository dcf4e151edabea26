"""Histories as text and as JSON."""

import json
from typing import Any

from results.history.series import Change, Difference, Series
from results.machines import HARDWARE
from results.naming import counted, name
from results.statistics.change_points import FEWEST
from results.texts import printable, shown


def text(series: list[Series]) -> str:
    """Return the series as text, a paragraph each."""
    return "\n\n".join("\n".join(_paragraph(each)) for each in series) + "\n"


def as_json(series: list[Series]) -> str:
    """Return the series as JSON: all runs, levels and changes."""
    return json.dumps({"series": [_plain(each) for each in series]}, indent=1) + "\n"


def title(series: Series) -> str:
    """Return what a series is of, on one line."""
    further = [fact for fact in series.settings if fact not in HARDWARE]
    return name(series.settings | {"machine": series.machine}, "machine", *further)


def extent(series: Series) -> str:
    """Return how many runs there are, from when to when, and how much they scatter."""
    runs = series.runs
    spread = f", which scatter by {series.noise:.1%}" if series.noise is not None else ""
    return f"{counted(len(runs), 'run')} from {day(runs[0].started_at)} to {day(runs[-1].started_at)}{spread}"


def told(difference: Difference) -> str:
    """Return a difference in words."""
    before, after = (shown(_short(difference.fact, value)) for value in difference[1:3])
    return f"{difference.fact} {before} -> {after}{_where(difference.runs_off)}"


def percent(ratio: float) -> str:
    """Return a ratio of two levels in words."""
    return f"{abs(ratio - 1):.1%} {'faster' if ratio > 1 else 'slower'}"


def day(started_at: str) -> str:
    """Return a time of a record to the minute."""
    return printable(started_at[:16].replace("T", " "))


def _paragraph(series: Series) -> list[str]:
    lines = [f"{title(series)}  [{series.configuration_key}]", f"  {extent(series)}"]
    if not series.long_enough:
        lines.append(f"  too few to look for changes: {FEWEST - len(series.runs)} more are needed")
    elif not series.changes:
        lines.append("  no change of the level")
    for change in series.changes:
        lines += _change(series, change)
    start, end, level = series.levels[-1]
    return [*lines, f"  level now: {level:,.1f} images/s (median of the last {end - start})"]


def _change(series: Series, change: Change) -> list[str]:
    run = series.runs[change.index]
    levels = f"{change.before:,.1f} -> {change.after:,.1f} images/s, {percent(change.ratio)}"
    lines = [f"  changed at {day(run.started_at)}: {levels}", f"    first run: {printable(run.file)}"]
    lines += [f"    {told(difference)}" for difference in change.differences]
    return lines if change.differences else [*lines, "    nothing that the records know of changed with it"]


def _short(fact: str, value: str) -> str:
    return value[:10] if fact == "commit" else value


def _where(runs_off: int) -> str:
    if not runs_off:
        return ""
    return f" ({counted(abs(runs_off), 'run')} {'later' if runs_off > 0 else 'earlier'})"


def _plain(series: Series) -> dict[str, Any]:
    return {
        "configuration_key": series.configuration_key,
        "settings": series.settings,
        "enough_runs": series.long_enough,
        "noise": series.noise,
        "levels": [
            {"first_run": start, "runs": end - start, "images_per_second": level} for start, end, level in series.levels
        ],
        "changes": [
            {
                "first_run": change.index,
                "started_at": series.runs[change.index].started_at,
                "record_id": series.runs[change.index].record_id,
                "before": change.before,
                "after": change.after,
                "ratio": change.ratio,
                "differences": [difference._asdict() for difference in change.differences],
            }
            for change in series.changes
        ],
        "runs": [run._asdict() for run in series.runs],
    }
