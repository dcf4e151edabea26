"""From a description to the settings of its cells: grids multiplied out, cells left out, and settings overridden."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.errors import UserError
from benchmarks.suite import yaml_lines
from benchmarks.suite.description import Axes, Description, Placed, Setting, Settings
from benchmarks.suite.words import WORDS_OF_A_CELL, known

SET = "--set"


@dataclass(frozen=True)
class Expanded:
    """The settings of all cells, and what to tell of how they came about."""

    cells: list[Placed]
    notices: list[str]


def set_axes(given: Sequence[str], problems: list[str]) -> Axes:
    """The values that each --set FLAG=VALUE,VALUE gives; what is wrong with them is added to `problems`.

    Values are written as in a YAML list, so that "0,1" in quotes is one, and null is none.
    """
    axes: Axes = {}
    for text in given:
        where = SET
        name, equals, values = text.partition("=")
        if not equals:
            problems.append(f"{where} {text}: has no value. Write {SET} FLAG=VALUE, or several with commas.")
        elif name in axes:
            problems.append(f"{where}: {name} stands twice. Give all of its values at once, with commas.")
        elif known(name, where, WORDS_OF_A_CELL, problems, values):
            axes[name] = _values(name, values, problems)
    return axes


def expanded(found: Description, sets: Axes, max_cells: int, problems: list[str]) -> Expanded | None:
    """The settings of the cells of `found`, with `sets` in place of what it says of these flags.

    None where they are more than `max_cells`: then nothing is made, and `problems` says so.
    """
    groups = _groups(found, sets)
    single = {name: values[0] for name, values in sets.items() if name in WORDS_OF_A_CELL and len(values) == 1}
    studies = [*found.studies, *(cell for cell in found.cells if "study" in cell.settings)]
    studies = [Placed(_words(found.base) | each.settings | single, each.where) for each in studies]
    count = sum(math.prod(map(len, axes.values())) for _, axes in groups) + len(studies)
    if count > max_cells:
        sizes = " and ".join(_size(axes) for _, axes in groups if len(axes) > 0)
        told = f"{count:,} cells{f' ({sizes})' if sizes else ''}, more than --max_cells={max_cells}"
        problems.append(f"{found.where}: {told}. Leave values out, or raise --max_cells.")
        return None
    cells = [Placed(start.settings | own, start.where) for start, axes in groups for own in _products(axes)]
    notices = _without_effect(sets, bool(groups), bool(studies))
    runs, cells = len(cells), [*cells, *studies]
    any_before = bool(cells)
    for condition in found.exclude:
        left = [cell for cell in cells if not condition.holds(cell.settings)]
        if len(left) == len(cells):
            notices.append(f"{condition.where}: this exclusion leaves no cell out.")
        cells = left
    if any_before and not cells:
        problems.append(f"{found.exclude[-1].where}: the exclusions leave no cell. Leave one of them out.")
    elif runs and all("study" in cell.settings for cell in cells):
        notices.append(
            f"{found.exclude[-1].where}: the exclusions leave studies alone, and none of {runs} other cells."
        )
    for override in found.overrides:
        meant = [override.condition.holds(cell.settings) for cell in cells]
        if not any(meant):
            notices.append(f"{override.condition.where}: this override concerns no cell.")
        own = {name: setting for name, setting in override.settings.items() if name not in sets}
        cells = [
            Placed(cell.settings | own, cell.where) if concerned else cell
            for cell, concerned in zip(cells, meant, strict=True)
        ]
    return Expanded(cells, notices)


def _groups(found: Description, sets: Axes) -> list[tuple[Placed, Axes]]:
    """What cells start from, and what they are multiplied by."""
    groups = [(Placed(found.base, _where(axes, found.where)), axes | sets) for axes in found.grids]
    groups += [
        (Placed(found.base | cell.settings, cell.where), sets) for cell in found.cells if "study" not in cell.settings
    ]
    flags_alone = set(found.base) - set(WORDS_OF_A_CELL)
    if not groups and not found.studies and not found.cells and (flags_alone or sets):
        groups = [(Placed(found.base, found.where), sets)]
    return groups


def _without_effect(sets: Axes, runs: bool, studies: bool) -> list[str]:
    """What of --set concerns no cell, or not all of them, where a suite has `runs`, or `studies`, or both."""
    found = []
    for name, values in sets.items():
        if name in WORDS_OF_A_CELL and len(values) > 1 and studies:
            found.append(f"{SET}: {name} has {len(values)} values, of which studies take none: give them one.")
        elif name not in WORDS_OF_A_CELL and not runs:
            found.append(f"{SET}: {name} concerns no cell: all are studies, whose flags stand in the study.")
    return found


def _products(axes: Axes) -> list[Settings]:
    return [dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values())]


def _words(settings: Settings) -> Settings:
    """Those that are no flags: a study has none."""
    return {name: setting for name, setting in settings.items() if name in WORDS_OF_A_CELL}


def _size(axes: Axes) -> str:
    return " x ".join(f"{len(values)} {name}" for name, values in axes.items())


def _where(axes: Axes, default: str) -> str:
    return next((values[0].where for values in axes.values()), default)


def _values(name: str, text: str, problems: list[str]) -> list[Setting]:
    values: list[Setting] = []
    try:
        node = yaml_lines.parsed(f"[{text}]", SET, problems)
        items = node.items if isinstance(node, yaml_lines.Sequence) else ()
        values = [Setting(item.text, SET) for item in items if isinstance(item, yaml_lines.Text)]
        complete = len(values) == len(items) > 0
    except UserError:
        complete = False
    if not complete:
        told = "no value, or several with commas between. Put what has commas or brackets itself in quotes"
        problems.append(f"{SET}: {name}={text} is {told}.")
    return values or [Setting(None, SET)]
