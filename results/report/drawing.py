"""What the figures of a report look like. Each function draws plain numbers and texts onto a matplotlib figure."""

import textwrap
from collections.abc import Sequence
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, NullLocator

# Okabe and Ito 2008: told apart by colour-blind eyes. Hatches, markers and dashes tell apart in gray print.
PALETTE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#999999")
HATCHES = ("", "///", "\\\\\\", "xx", "---", "||", "++", "//")  # lines only: dots make large files
MARKERS = "os^DvPX*"
DASHES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)), (0, (8, 2)))
WIDTH = 4.9  # inches: a phone's width, so that text keeps its size there
_LABEL = 58  # characters a line
_KEY = 0.19  # inches a line of a legend


class Line(NamedTuple):
    """One curve."""

    label: str
    x: Sequence[float]
    y: Sequence[float]
    style: int


def colour(style: int) -> str:
    """The colour of a style; styles beyond the palette begin anew."""
    return PALETTE[style % len(PALETTE)]


def panels(figure: Figure, found: Sequence[tuple[str, Sequence[Line]]], x_unit: str) -> None:
    """Curves of several quantities below one another, each with its unit, over a common axis."""
    every_axes = figure.subplots(len(found), 1, sharex=True, squeeze=False)[:, 0]
    seen: dict[str, Any] = {}
    for axes, (unit, lines) in zip(every_axes, found, strict=True):
        for line in lines:
            stroke = _stroke(line.style) | {"markevery": max(1, len(line.x) // 10), "markersize": 4}
            (seen[line.label],) = axes.plot(line.x, line.y, **stroke, linewidth=1.2)
        axes.set_title(unit, loc="left", fontsize=8.5)
        axes.set_ylim(0, 1.1 * max(max(line.y) for line in lines) or 1)
        axes.locator_params(axis="y", nbins=4)
        plain_numbers(axes, "y")
    every_axes[-1].set_xlabel(x_unit)
    figure.legend(list(seen.values()), list(seen), loc="outside lower left", ncols=4, handlelength=3)


def panels_size(found: Sequence[tuple[str, Sequence[Line]]]) -> tuple[float, float]:
    """Inches that panels and their legend take."""
    labels = {line.label for _, lines in found for line in lines}
    return WIDTH, 0.75 + 1.05 * len(found) + _KEY * -(-len(labels) // 4)


def scaling(figure: Figure, lines: Sequence[Line], bound: float) -> None:
    """Speed-up over the number of devices with the ideal line, and below it the efficiency with its bound."""
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    devices = sorted({x for line in lines for x in line.x})
    upper.plot(devices, devices, color="#777777", linewidth=1, linestyle=(0, (1, 2)), label="ideal")
    lower.axhline(100, color="#777777", linewidth=1, linestyle=(0, (1, 2)))
    lower.axhline(100 * bound, color="black", linewidth=0.9, linestyle="--")
    lower.annotate(f"bound {bound:.0%}", (devices[0], 100 * bound), (2, -9), textcoords="offset points", fontsize=8)
    for line in lines:
        _curve(upper, line, line.y)
        _curve(lower, line, [100 * y / x for x, y in zip(line.x, line.y, strict=True)])
    upper.set_xscale("log", base=2)
    upper.set_yscale("log", base=2)
    upper.set_xticks(devices, [f"{x:g}" for x in devices])
    upper.set_yticks(devices, [f"{x:g}" for x in devices])
    for axis in (upper.xaxis, upper.yaxis):
        axis.set_minor_locator(NullLocator())
        axis.set_minor_formatter(NullFormatter())
    upper.set_ylabel("speed-up (devices' worth)")
    lower.set_ylabel("efficiency (%)")
    lower.set_ylim(0, max(110.0, *(105 * y / x for line in lines for x, y in zip(line.x, line.y, strict=True))))
    lower.set_xlabel("devices")
    _legend(figure, upper)


def scaling_size(lines: Sequence[Line]) -> tuple[float, float]:
    """Inches that curves and their legend take."""
    return WIDTH, 4.3 + _legend_height(lines)


def curves(figure: Figure, lines: Sequence[Line], x_unit: str, y_unit: str) -> None:
    """Plain curves over a common axis."""
    axes = figure.add_subplot()
    for line in lines:
        every = max(1, len(line.x) // 10)  # markers tell lines apart, and need not hide them
        axes.plot(line.x, line.y, **_stroke(line.style), markevery=every, linewidth=1.3, label=short(line.label))
    axes.set_xlabel(x_unit)
    axes.set_ylabel(y_unit)
    _legend(figure, axes)


def curves_size(lines: Sequence[Line]) -> tuple[float, float]:
    """Inches that curves and their legend take."""
    return WIDTH, 2.9 + _legend_height(lines)


def histogram(figure: Figure, values: Sequence[float], unit: str, style: int) -> None:
    """How often which value came, with the median and the 99th percentile marked."""
    import numpy as np

    axes = figure.add_subplot()
    bins = min(30, max(5, len(values) // 4))
    axes.hist(values, bins=bins, **face(style))
    median, high = np.percentile(values, (50, 99))
    axes.axvline(float(median), color="black", linewidth=1.4, label=f"median {number(float(median))}")
    axes.axvline(float(high), color="black", linewidth=1.2, linestyle="--", label=f"99th percentile {number(high)}")
    axes.set_xlabel(unit)
    axes.set_ylabel("steps")
    _legend(figure, axes)


def links(
    figure: Figure, names: Sequence[str], cells: Sequence[Sequence[str]], shades: Sequence[Sequence[float]]
) -> None:
    """A square of links between devices, the darker the faster (`shades` from 0 to 1), with its word in each cell."""
    axes = figure.add_subplot()
    axes.pcolormesh(shades, cmap="Blues", vmin=0, vmax=1.3, edgecolors="white", linewidth=1)  # lines, no bitmap
    axes.set_aspect("equal")
    axes.invert_yaxis()
    for row, line in enumerate(cells):
        for column, word in enumerate(line):
            dark = shades[row][column] > 0.75
            axes.text(
                column + 0.5,
                row + 0.5,
                word,
                ha="center",
                va="center",
                fontsize=7.5,
                color="white" if dark else "black",
            )
    axes.grid(visible=False)
    middles = [number + 0.5 for number in range(len(names))]
    axes.set_xticks(middles, names, rotation=90 if len(names) > 6 else 0)
    axes.set_yticks(middles, names)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_xlabel("device")


def pareto(figure: Figure, points: Sequence[Line], frontier: Sequence[tuple[float, float]], x_unit: str) -> None:
    """Throughput against cost: a marker each, and a line through those that nothing is both faster and cheaper than."""
    axes = figure.add_subplot()
    axes.plot(
        *zip(*frontier, strict=True),
        color="#777777",
        linewidth=1.2,
        linestyle="--",
        label="nothing is better",
        zorder=1,
    )
    for point in points:
        marks: dict[str, Any] = _stroke(point.style) | {"linestyle": ""}
        axes.plot(point.x, point.y, **marks, markersize=7, markeredgecolor="black", label=short(point.label))
    axes.set_xlim(0)
    axes.set_ylim(0)
    axes.set_xlabel(x_unit)
    axes.set_ylabel("images/s, all devices")
    plain_numbers(axes, "y")
    _legend(figure, axes)


def _curve(axes: Axes, line: Line, y: Sequence[float]) -> None:
    axes.plot(line.x, y, **_stroke(line.style), markersize=5, linewidth=1.3, label=short(line.label))


def _stroke(style: int) -> dict[str, Any]:
    dashes = DASHES[(style + style // len(PALETTE)) % len(DASHES)]
    return {"color": colour(style), "marker": MARKERS[style % len(MARKERS)], "linestyle": dashes}


def face(style: int) -> dict[str, Any]:
    """What fills an area of a style, for matplotlib."""
    hatch = HATCHES[(style + style // len(PALETTE)) % len(HATCHES)]
    return {"color": colour(style), "hatch": hatch, "edgecolor": "#333333", "linewidth": 0.6}


def _legend(figure: Figure, axes: Axes) -> None:
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower left", handlelength=3)


def _legend_height(lines: Sequence[Line]) -> float:
    return _KEY * sum(short(line.label).count("\n") + 1 for line in lines)


def short(label: str) -> str:
    """A label in lines that fit; two at most."""
    lines = textwrap.wrap(label, _LABEL, max_lines=2, placeholder=" …", break_on_hyphens=False)
    return "\n".join(lines)


def plain_numbers(axes: Axes, which: str) -> None:
    """Write the values along the axis "x" or "y" in full."""
    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_major_formatter(lambda value, _: f"{value:,.10g}")
    if which == "x":
        axes.locator_params(axis="x", nbins=5)


def number(value: float) -> str:
    """A figure as it stands in a drawing."""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.4g}"
