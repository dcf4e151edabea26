"""Figures from frames. A function takes a frame and returns a matplotlib Figure; no global state, no display."""

import io
import re
import statistics
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from results.files import write_whole
from results.machines import HARDWARE, labels
from results.naming import counted
from results.repeats import FASTEST, SAME, SETTINGS, SLOWEST
from results.store import FolderError
from results.table import state
from results.texts import printable

_BAR, _POINT = "#56B4E9", "#0B3C5D"  # two blues that differ in lightness: for colour-blind eyes, and in gray print
_GRAY = "#555555"
_WIDTH = 9.0  # inches
_DOTS_PER_INCH = 150
_LABEL_COLUMNS = 34  # characters of a bar's label a line
_TEXT_COLUMNS = 125  # characters of title and footnote lines: what fits _WIDTH at their font size
_LINE = 0.19  # inches a line of text
_THICKEST_BAR = 0.3  # inches
_NAMED_EXCLUSIONS = 8  # records named in the footnote; more are counted
# What tells one bar from another, in words; like a report, a chart keeps versions of TensorFlow apart.
_SETTINGS = (*SETTINGS, "xla", "optimizer", "machine", "tensorflow")
_FIGURE = "steady_images_per_second"  # what runs are compared by
_FORMATS = (".png", ".svg", ".pdf")


@dataclass(frozen=True)
class _Bar:
    label: str
    images_per_second: tuple[float, ...]  # one a repeat
    mean: float  # the geometric one


def bar_chart(frame: pd.DataFrame) -> Figure:
    """Return a chart of images per second, one horizontal bar a configuration, from zero.

    A bar is as long as the geometric mean of the repeats, each of which is a point on it; a run's figure is that of its
    steady part. Records that are not valid have no bar; a footnote lists them with the reason.
    """
    usable = frame["valid"] & frame[_FIGURE].between(SLOWEST, FASTEST)
    plotted = frame[usable]
    bars = _bars(plotted.assign(machine=_machines(_shortened(plotted))))
    common = _common(plotted.assign(machine=_machines(plotted)))
    notes = _footnotes(frame[~usable])
    title = textwrap.wrap(common, _TEXT_COLUMNS)
    pitch = max((max(0.42, _LINE * (bar.label.count("\n") + 1) + 0.14) for bar in bars), default=0.8)
    top = 0.5 + _LINE * len(title)
    bottom = 0.62 + _LINE * len(notes)
    height = top + pitch * max(1, len(bars)) + bottom
    figure = Figure(figsize=(_WIDTH, height), dpi=_DOTS_PER_INCH)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.3, bottom / height, 0.67, 1 - (top + bottom) / height))
    _draw(axes, bars, thickness=min(0.62, _THICKEST_BAR / pitch))
    figure.text(0.02, 1 - 0.12 / height, "Throughput", va="top", fontsize=12, fontweight="bold")
    small: dict[str, Any] = {"fontsize": 8.5, "color": _GRAY, "parse_math": False}
    figure.text(0.02, 1 - 0.40 / height, "\n".join(title), va="top", **small)
    figure.text(0.02, 0.08 / height, "\n".join(notes), va="bottom", **small)
    return figure


def save(figure: Figure, path: Path) -> None:
    """Write `figure` to `path`, whole or not at all, in the format of its suffix; raise FolderError where it cannot."""
    if path.suffix.lower() not in _FORMATS:
        raise FolderError(f"Cannot write plot '{path}': its name must end in one of {', '.join(_FORMATS)}.")
    image = io.BytesIO()
    figure.savefig(image, format=path.suffix[1:].lower())
    try:
        write_whole(path, image.getvalue())
    except OSError as error:
        raise FolderError(f"Cannot write plot '{path}': {error.strerror or error}.") from error


def _bars(usable: pd.DataFrame) -> list[_Bar]:
    """Return the bars in the order in which their configurations first ran."""
    varying = [name for name in _SETTINGS if _varies(usable, name)]
    groups = list(_groups(usable))
    labels = [_label(group, varying) for group in groups]
    return [
        _Bar(
            # Equal labels: the configurations differ in a flag that is no column, so only the key tells them apart.
            label if labels.count(label) == 1 else f"{label}\n{group['configuration_key'].iloc[0]}",
            tuple(group[_FIGURE]),
            statistics.geometric_mean(group[_FIGURE]),
        )
        for group, label in zip(groups, labels, strict=True)
    ]


def _machines(usable: pd.DataFrame) -> list[str]:
    known = usable[list(HARDWARE)].astype(object)
    return labels(known.where(known.notna(), None).to_dict("records"))


def _shortened(usable: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with short names of accelerators and processors; long ones stay where one would mean two."""
    made: pd.DataFrame = usable.copy()
    names = {*usable["accelerator"], *usable["cpu"]}
    counts = Counter(map(_short, names))
    for column in ("accelerator", "cpu"):
        made[column] = [_short(name) if counts[_short(name)] == 1 else name for name in usable[column]]
    return made


def _groups(usable: pd.DataFrame) -> Iterator[pd.DataFrame]:
    names = dict.fromkeys((*SAME, *_SETTINGS))
    for _, group in usable.sort_values("started_at").groupby(list(names), sort=False, dropna=False):
        yield group


def _draw(axes: Axes, bars: list[_Bar], thickness: float) -> None:
    if not bars:
        axes.set_axis_off()
        axes.figure.text(0.5, 0.6, "No valid record to plot", ha="center", fontsize=11)
        return
    rows = range(len(bars))
    repeated = any(len(bar.images_per_second) > 1 for bar in bars)
    axes.barh(rows, [bar.mean for bar in bars], height=thickness, color=_BAR, zorder=2)
    for row, bar in zip(rows, bars, strict=True):
        _draw_runs(axes, row, bar, repeated)
    longest = max(max(bar.images_per_second) for bar in bars)
    axes.set_xlim(0, longest * 1.22 or 1)  # room for the figures at the ends
    axes.set_ylim(len(bars) - 0.5, -0.5)  # the first at the top
    axes.set_yticks(list(rows), [bar.label for bar in bars], fontsize=9, parse_math=False)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.10g}")
    axes.tick_params(axis="x", labelsize=9)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color="#dddddd", linewidth=0.8, zorder=0)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.set_xlabel(
        "images/s" + (" (bar: geometric mean of the runs; circle: one run)" if repeated else ""), fontsize=9.5
    )


def _draw_runs(axes: Axes, row: int, bar: _Bar, repeated: bool) -> None:
    """Draw the points of one bar, if it has several, and the figure at its end."""
    runs = bar.images_per_second
    if len(runs) > 1:
        axes.plot(runs, [row] * len(runs), "o", color=_POINT, markersize=4.5, markerfacecolor="none", zorder=3)
    count = f"  ({counted(len(runs), 'run')})" if repeated else ""
    text = f"{_figure(bar.mean)}{count}"
    axes.annotate(text, (max(runs), row), (7, 0), textcoords="offset points", va="center", fontsize=9)


def _label(group: pd.DataFrame, varying: list[str]) -> str:
    words = [_words(name, group[name].iloc[0]) for name in varying]
    return _lines(filter(None, words)) or _words("model", group["model"].iloc[0]) or "unknown model"


def _lines(words: Iterable[str]) -> str:
    """Return `words` with commas between, in lines that break between words where that is possible."""
    text = ""
    for word in words:
        last_line = text.rpartition("\n")[2]
        if not text:
            text = _wrap(word)
        elif len(last_line) + len(word) + 2 <= _LABEL_COLUMNS:
            text += f", {word}"
        else:
            text += f",\n{_wrap(word)}"
    return text


def _wrap(word: str) -> str:
    return "\n".join(textwrap.wrap(word, _LABEL_COLUMNS, break_on_hyphens=False))


def _short(name: str) -> str:
    """Return the name of a processor without what every name of its vendor has."""
    return re.sub(r"\((R|TM)\)| CPU @ .*| (\d+-Core )?Processor$|^NVIDIA ", "", name)


def _common(usable: pd.DataFrame) -> str:
    """Return what all bars share, for the line under the title."""
    if usable.empty:
        return ""
    words = [_words(name, usable[name].iloc[0]) for name in _SETTINGS if not _varies(usable, name)]
    return ", ".join(filter(None, words))


def _words(name: str, value: object) -> str:
    if pd.isna(value) or value == "":  # type: ignore[call-overload]  # the stubs know no plain object
        return ""
    text = printable(str(value))
    forms = {
        "num_gpus": f"{text} tower" + ("" if text == "1" else "s"),
        "batch_size": f"batch {text}",
        "xla": f"xla {text}",
        "tensorflow": f"TensorFlow {text}",
    }
    return forms.get(name, text)


def _varies(usable: pd.DataFrame, name: str) -> bool:
    return usable[name].astype(str).nunique() > 1


def _footnotes(excluded: pd.DataFrame) -> list[str]:
    """Return the footnote's lines: which records have no bar, and why."""
    if excluded.empty:
        return []
    lines = [f"Not plotted, as not valid ({len(excluded)}):"]
    for row in excluded.head(_NAMED_EXCLUSIONS).to_dict("records"):
        reason = printable(row["problems"]) or "no figure"
        word = state(row["valid"], row["status"], row["wrong"])
        text = f"{row['record_id'][:8]} {printable(row['model'])}: {word}, {reason}"
        lines.append(textwrap.shorten(text, _TEXT_COLUMNS, placeholder=" …"))
    more = len(excluded) - _NAMED_EXCLUSIONS
    return lines + ([f"and {more} more"] if more > 0 else [])


def _figure(value: float) -> str:
    """Return a figure with about four digits: 12,345 or 753.9 or 0.1234."""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.4g}"
