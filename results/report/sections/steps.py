"""Within the runs: how long the steps took, and how the loss went."""

import math
from collections.abc import Sequence

from results.record import RunRecord
from results.report.drawing import PALETTE, Line, curves, curves_size, histogram
from results.report.material import Group, Material, varying, words
from results.report.page import Figure, Section, table
from results.report.svg import Draw

_PANELS = 6
_MOST_POINTS = 300  # of a curve; more are not seen
_TABLE_POINTS = 8


def step_times(material: Material, draw: Draw) -> Section | None:
    """A histogram of the step times of each of the first configurations."""
    groups = [group for group in material.groups if any(_steps(record) for record in group.records)]
    if not groups:
        return None
    names = _naming(groups)
    told = "Wall time of the measured steps, warm-up apart. A configuration's runs are drawn together, to look at only."
    figures = tuple(
        _histogram(group, _label(group, names), draw, style) for style, group in enumerate(groups[:_PANELS])
    )
    return Section("steps", "Step times", (told, *_more(groups, _PANELS)), (), figures)


def losses(material: Material, draw: Draw) -> Section | None:
    """The loss of the first run of each of the first configurations, step by step, and as the source has it."""
    groups = [group for group in material.groups if len(_finite(group.records[0])) > 1]
    if not groups:
        return None
    names = _naming(groups)
    shown = groups[: len(PALETTE)]
    lines = [_loss(group.records[0], _label(group, names), style) for style, group in enumerate(shown)]
    told = "Total loss of the first run of each configuration. On synthetic or sample data it says nothing."
    rows = [(line.label, f"{step:g}", f"{loss:.4g}") for line in lines for step, loss in _sample(line)]
    text = "Loss over steps: " + "; ".join(f"{line.label} from {line.y[0]:.4g} to {line.y[-1]:.4g}" for line in lines)
    svg = draw(curves, lines, "step", "loss", size=curves_size(lines))
    figure = Figure("Loss", text, svg, table(("setting", ">step", ">loss"), rows, folded=True))
    return Section("loss", "Loss", (told, *_more(groups, len(PALETTE))), (), (figure,))


def _histogram(group: Group, label: str, draw: Draw, style: int) -> Figure:
    import numpy as np

    times = [1000 * seconds for record in group.records for seconds in _steps(record)]
    shown = (("shortest", 0), ("5 %", 5), ("median", 50), ("95 %", 95), ("99 %", 99), ("longest", 100))
    figures = [(name, f"{np.percentile(times, share):.4g}") for name, share in shown]
    rows = [*figures, ("steps", f"{len(times):,}"), ("runs", str(len(group.records)))]
    text = f"Histogram of step times in milliseconds, {label}: " + ", ".join(f"{name} {value}" for name, value in rows)
    svg = draw(histogram, times, "step time (ms)", style, size=(4.9, 2.9))
    return Figure(label, text, svg, table(("of the steps", ">ms"), rows))


def _steps(record: RunRecord) -> tuple[float, ...]:
    return record.measurement.step_seconds if record.measurement else ()


def _finite(record: RunRecord) -> list[tuple[int, float]]:
    """Step and loss where the loss is known and finite."""
    if record.measurement:
        found: list[tuple[int, float | None]] = list(enumerate(record.measurement.losses, 1))
    else:
        found = [(row.step, row.loss) for row in record.reported.rows] if record.reported else []
    return [(step, loss) for step, loss in found if loss is not None and math.isfinite(loss)]


def _loss(record: RunRecord, label: str, style: int) -> Line:
    points = _finite(record)
    every = math.ceil(len(points) / _MOST_POINTS)
    steps, values = zip(*[*points[:-1:every], points[-1]], strict=True)
    return Line(label, steps, values, style)


def _sample(line: Line) -> list[tuple[float, float]]:
    points = list(zip(line.x, line.y, strict=True))
    every = math.ceil(len(points) / _TABLE_POINTS)
    return [*points[:-1:every], points[-1]]


def _naming(groups: Sequence[Group]) -> list[str]:
    return list(dict.fromkeys(["model", *varying(groups)]))


def _label(group: Group, names: Sequence[str]) -> str:
    return words(group, names) or "unknown model"


def _more(groups: Sequence[Group], shown: int) -> tuple[str, ...]:
    more = len(groups) > shown
    return (f"The first {shown} of {len(groups):,} configurations are drawn; --only=model=... shows others.",) * more
