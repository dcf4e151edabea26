"""A frame as a text table: what all records share stands above it, what is wrong with a record stands below it."""

import textwrap
import unicodedata
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from results.checks import TRIAL, UNFIT, WRONG
from results.repeats import SAME
from results.texts import printable, shown

_MEANINGS = {WRONG: "what was computed is wrong", UNFIT: "the figure is in doubt"}
_LONGEST_CELL = 28  # of a text; CPU names are longer, and their ends say least


@dataclass(frozen=True)
class _Column:
    """One column of the table: where it comes from, how it is headed, and how a value is written."""

    name: str
    heading: str
    write: Callable[[Any], str] = str
    right: bool = False
    meaning: str = ""  # told below the table, where the heading alone does not say it


_SETTINGS = (
    _Column("model", "model"),
    _Column("dataset", "data set"),
    _Column("device", "device"),
    _Column("num_gpus", "towers", right=True),
    _Column("batch_size", "batch", right=True, meaning="images per tower and step"),
    _Column("variable_update", "variables"),
    _Column("data_format", "format"),
    _Column("precision", "precision"),
    _Column("xla", "xla"),
    _Column("optimizer", "optimizer"),
    _Column("gpu", "gpu"),
    _Column("cpu", "cpu"),
    _Column("tensorflow", "tensorflow"),
)
# What else tells machines apart: worth a column where it does, and no word where all are alike.
_MACHINES = (
    _Column("usable_cores", "cores", right=True),
    _Column("memory_gib", "GiB", right=True),
    _Column("virtualisation", "guest of"),
)
_JITTER = "1.4826 * median absolute deviation of the step times / their median"
_FIGURES = (
    _Column("num_batches", "steps", right=True),
    _Column(
        "images_per_second",
        "images/s",
        lambda value: f"{value:,.1f}",
        right=True,
        meaning="images in the measured window / its wall time; comparisons and histories go by its steady part",
    ),
    _Column("median_step_seconds", "step ms", lambda value: f"{1000 * value:,.2f}", right=True, meaning="median"),
    _Column("jitter", "jitter %", lambda value: f"{100 * value:.1f}", right=True, meaning=_JITTER),
    _Column(
        "flops_per_second",
        "GFLOP/s",
        lambda value: f"{value / 1e9:,.1f}",
        right=True,
        meaning="of convolutions and matrix products",
    ),
    _Column("first_step_seconds", "first s", lambda value: f"{value:.1f}", right=True, meaning="the very first step"),
)
# What goes first where the table is too wide. Model, towers, batch and the figures proper always stay.
_EXPENDABLE = (
    "first_step_seconds", "flops_per_second", "tensorflow", "optimizer", "xla", "data_format", "jitter", "num_batches",
    "virtualisation", "memory_gib", "cpu", "dataset", "precision", "gpu", "variable_update", "usable_cores", "device",
)  # fmt: skip


def table(frame: pd.DataFrame, width: int = 110) -> str:
    """Return `frame` as text of at most `width` columns (as far as the columns that always stay allow).

    Repeats of one configuration stand together, in the order in which the configurations first ran. A record that is
    not valid has its figures in brackets, its state in capitals, and the reason in a footnote.
    """
    frame = _repeats_together(frame)
    settings = [column for column in _SETTINGS if _is_told(frame, column.name)]
    varying = [column for column in (*settings, *_MACHINES) if frame[column.name].astype(str).nunique() > 1]
    common = [column for column in settings if column not in varying]
    figures = [column for column in _FIGURES if column.name != "flops_per_second" or _is_told(frame, column.name)]
    body, dropped = _fit(frame, [*varying, *figures], width)
    parts = [*_common(frame, common, width), body]
    if dropped:
        names = ", ".join(column.heading for column in dropped)
        parts.append(_wrap(f"Not shown for want of width: {names}; --format=csv has every column.", width))
    parts.append(_wrap(_legend([column for column in (*settings, *figures) if column not in dropped]), width))
    parts.extend(_footnotes(frame, width))
    return "\n\n".join(parts) + "\n"


def state(valid: bool, status: str, wrong: bool) -> str:
    """Return the state of a record in one word: "ok", or a word in capitals.

    Of one that completed this is WRONG where it computed something wrong, for which a run ends with exit code 3 and
    says INVALID, and UNFIT where its figure is in doubt.
    """
    if valid:
        return "ok"
    return (WRONG if wrong else UNFIT) if status == "completed" else status.upper()


def _repeats_together(frame: pd.DataFrame) -> pd.DataFrame:
    by_time = frame.sort_values("started_at", kind="stable")
    rank = by_time.groupby(list(SAME), sort=False, dropna=False).ngroup()
    together: pd.DataFrame = by_time.iloc[rank.argsort(kind="stable")]
    return together


def _fit(frame: pd.DataFrame, columns: list[_Column], width: int) -> tuple[str, list[_Column]]:
    """Return the table's body and the columns left out to make it fit."""
    dropped: list[_Column] = []
    body = _body(frame, columns)
    for name in _EXPENDABLE:
        if _columns_of(body) <= width:
            break
        dropped += [column for column in columns if column.name == name]
        columns = [column for column in columns if column.name != name]
        body = _body(frame, columns)
    return body, dropped


def _body(frame: pd.DataFrame, columns: list[_Column]) -> str:
    states = _states(frame)
    cells = [["record", *frame["record_id"].str[:8]]]
    for column in columns:
        written = [_cell(value, column) for value in frame[column.name]]
        if column in _FIGURES:
            # Brackets take a place on both sides, so that the digits of all rows stay below each other.
            written = [
                f"{text} " if valid or text == "-" else f"({text})"
                for text, valid in zip(written, frame["valid"], strict=True)
            ]
        cells.append([column.heading + (" " if column in _FIGURES else ""), *written])
    cells.append(["state", *states])
    rights = [False, *(column.right for column in columns), False]
    padded = [_pad(texts, right) for texts, right in zip(cells, rights, strict=True)]
    lines = ["  ".join(row).rstrip() for row in zip(*padded, strict=True)]
    return "\n".join([lines[0], "-" * max(map(_display_width, lines)), *lines[1:]])


def _states(frame: pd.DataFrame) -> list[str]:
    notes = iter(_notes(frame[~frame["valid"]]))
    words = [state(*facts) for facts in zip(frame["valid"], frame["status"], frame["wrong"], strict=True)]
    return [word if word == "ok" else f"{word} [{next(notes)}]" for word in words]


def _notes(bad: pd.DataFrame) -> list[int]:
    """Return the number of each record's footnote: trials of searches by one flag share one, as there are many."""
    numbers: dict[object, int] = {}
    unfit = (bad["status"] == "completed") & ~bad["wrong"]  # others have a reason of their own
    shared = [_trial(problems) if alike else "" for problems, alike in zip(bad["problems"], unfit, strict=True)]
    keys = [trial or place for place, trial in enumerate(shared)]
    return [numbers.setdefault(key, len(numbers) + 1) for key in keys]


def _trial(problems: str) -> str:
    """Return what says in `problems` that a search made the run; "" where none did."""
    return next((each for each in problems.split("; ") if each.startswith(TRIAL)), "")


def _footnotes(frame: pd.DataFrame, width: int) -> list[str]:
    bad = frame[~frame["valid"]]
    words = {state(False, *facts) for facts in zip(bad["status"], bad["wrong"], strict=True)}
    meanings = "; ".join(f"{word}: {meaning}" for word, meaning in _MEANINGS.items() if word in words)
    heading = f"Not valid{meanings and f' ({meanings})'}, figures in brackets are not to be used:"
    sharing: dict[int, list[dict[Hashable, Any]]] = {}
    for number, row in zip(_notes(bad), bad.to_dict("records"), strict=True):
        sharing.setdefault(number, []).append(row)
    lines = [_wrap(f"[{number}] {_reason(rows)}", width, indent="    ") for number, rows in sharing.items()]
    return ["\n".join([_wrap(heading, width), *lines])] if lines else []


def _reason(rows: list[dict[Hashable, Any]]) -> str:
    """Return what a footnote says of its records: of trials how many there are."""
    first = rows[0]
    where = f" ({printable(first['file'])})" if first["file"] else ""
    if len(rows) > 1:
        return (
            f"{len(rows)} records, {first['record_id'][:8]}{where} first: each {printable(_trial(first['problems']))}"
        )
    reason = printable(first["problems"]) or f"status {first['status']}, no reason given"
    return f"{first['record_id'][:8]}: {reason}{where}"


def _legend(columns: list[_Column]) -> str:
    return " ".join(f"{column.heading}: {column.meaning}." for column in columns if column.meaning)


def _common(frame: pd.DataFrame, columns: list[_Column], width: int) -> list[str]:
    if frame.empty or not columns:
        return []
    facts = [f"{column.heading} {_cell(frame[column.name].iloc[0], column, limit=200)}" for column in columns]
    heading = "1 record" if len(frame) == 1 else f"{len(frame)} records, all with"
    return [_wrap(f"{heading}: {', '.join(facts)}", width, indent="  ")]


def _is_told(frame: pd.DataFrame, name: str) -> bool:
    """Return whether a setting is worth a word: known for some record, and for GPUs, used by some record."""
    values = frame[name]
    if name == "gpu" and not (frame["device"] == "gpu").any():
        return False
    return bool((values.notna() & (values.astype(str) != "")).any())


def _cell(value: Any, column: _Column, limit: int = _LONGEST_CELL) -> str:
    if pd.isna(value) or value == "":
        return "-"
    return shown(column.write(value), limit)


def _pad(texts: list[str], right: bool) -> list[str]:
    widest = max(map(_display_width, texts))
    fills = [" " * (widest - _display_width(text)) for text in texts]
    return [fill + text if right else text + fill for text, fill in zip(texts, fills, strict=True)]


def _display_width(text: str) -> int:
    """Return the terminal columns of one line; wide East Asian characters take two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def _columns_of(body: str) -> int:
    return max(map(_display_width, body.splitlines()))


def _wrap(text: str, width: int, indent: str = "") -> str:
    return textwrap.fill(text, width, subsequent_indent=indent, break_on_hyphens=False)
