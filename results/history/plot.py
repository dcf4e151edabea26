"""Histories as a figure: one panel a configuration, over time."""

import textwrap
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure

from results.history.series import Change, Series
from results.history.text import extent, percent, title, told
from results.store import FolderError

MOST_PANELS = 20
_RUN, _LEVEL, _CHANGE = "#56B4E9", "#0B3C5D", "#D55E00"  # told apart by colour-blind eyes, and by lightness in print
_WIDTH, _PANEL, _LINE = 9.0, 2.3, 0.16  # inches: of the figure, of a panel, of a line of text below it
_DOTS_PER_INCH = 150
_TEXT_COLUMNS = 118
_LEAST_MARGIN = timedelta(minutes=1)  # of time, beside the first run and the last


def figure(series: Sequence[Series]) -> Figure:
    """Return a figure of `series`: a point a run, a line a level, and under each panel what changed with the level.

    The axis of images per second does not begin at zero: a change of a few per cent is to be seen. Raise FolderError
    for more than MOST_PANELS series.
    """
    if len(series) > MOST_PANELS:
        raise FolderError(
            f"Cannot plot {len(series)} configurations: a plot has room for {MOST_PANELS}. Give fewer records."
        )
    notes = [_notes(each) for each in series]
    heights = [_PANEL + 0.75 + _LINE * len(lines) for lines in notes]
    total = sum(heights) + 0.1
    made = Figure(figsize=(_WIDTH, total), dpi=_DOTS_PER_INCH)
    FigureCanvasAgg(made)
    top = total - 0.1
    for each, lines, height in zip(series, notes, heights, strict=True):
        axes = made.add_axes((0.09, (top - 0.35 - _PANEL) / total, 0.88, _PANEL / total))
        _draw(axes, each)
        small: dict[str, Any] = {"fontsize": 8, "color": "#444444", "parse_math": False}
        made.text(0.02, (top - 0.35 - _PANEL - 0.28) / total, "\n".join(lines), va="top", **small)
        top -= height
    return made


def _draw(axes: Axes, series: Series) -> None:
    times: list[Any] = [datetime.fromisoformat(run.started_at) for run in series.runs]
    axes.plot(times, [run.images_per_second for run in series.runs], "o", color=_RUN, markersize=3.5, zorder=2)
    for start, end, level in series.levels:
        axes.plot([times[start], times[end - 1]], [level, level], color=_LEVEL, linewidth=1.6, zorder=3)
    for number, change in enumerate(series.changes, 1):
        axes.axvline(times[change.index], color=_CHANGE, linestyle="--", linewidth=1.1, zorder=1)
        place: dict[str, Any] = {"xycoords": ("data", "axes fraction"), "va": "top"}
        axes.annotate(f" {number}", (times[change.index], 1), color=_CHANGE, fontsize=9, **place)
    locator = AutoDateLocator(maxticks=9)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.10g}")
    axes.margins(y=0.15)
    axes.tick_params(labelsize=8.5)
    margin = max((times[-1] - times[0]) / 20, _LEAST_MARGIN)
    axes.set_xlim(times[0] - margin, times[-1] + margin)  # a single run would get an axis of years
    axes.xaxis.get_offset_text().set_fontsize(8.5)  # the day, where the ticks are of one
    axes.grid(axis="y", color="#dddddd", linewidth=0.8, zorder=0)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_ylabel("images/s", fontsize=9)
    axes.set_title(textwrap.shorten(title(series), 100, placeholder=" …"), fontsize=9.5, loc="left", parse_math=False)


def _notes(series: Series) -> list[str]:
    notes = [extent(series), *(_note(number, change) for number, change in enumerate(series.changes, 1))]
    return [line for note in notes for line in textwrap.wrap(note, _TEXT_COLUMNS, subsequent_indent="     ")]


def _note(number: int, change: Change) -> str:
    differences = "; ".join(map(told, change.differences)) or "nothing that the records know of changed with it"
    return f"{number}: {percent(change.ratio)}. {differences}"
