"""Charts of horizontal bars, each below its label, so that a label may be long where the page is narrow."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from results.report.drawing import WIDTH, face, number, plain_numbers, short

LINE = 0.165  # inches a line of a label
THICKNESS = 1.2  # of a bar, in lines


class Bar(NamedTuple):
    """One bar: `style` numbers its colour and hatch; `low` and `high` bound its interval, where known.

    `not_valid`: some of its runs are not.
    """

    label: str
    value: float
    style: int
    low: float | None = None
    high: float | None = None
    doubt: str = ""  # NOT_VALID or WRONG, where a run of it is that

    @property
    def heading(self) -> str:
        """What stands above it: beside an interval's end its figure would be taken for that."""
        figure = "" if self.high is None else f": {number(self.value)}"
        return f"{self.doubt}{': ' * bool(self.doubt)}{self.label}{figure}"


class Piece(NamedTuple):
    """A part of a bar that is made of several: `style` numbers its colour and hatch."""

    label: str
    value: float
    style: int


def bars_size(bars: Sequence[Bar]) -> tuple[float, float]:
    """Inches that a chart of `bars` takes."""
    return WIDTH, 0.7 + LINE * places([bar.heading for bar in bars])[1]


def bars(figure: Figure, found: Sequence[Bar], unit: str) -> None:
    """Horizontal bars from zero, each below its label, with its figure at the end or, beside its interval, above.

    Those that are not valid are pale, with a dashed edge.
    """
    axes = figure.add_subplot()
    middles, end = places([bar.heading for bar in found])
    for row, bar in zip(middles, found, strict=True):
        paler: dict[str, Any] = {"alpha": 0.35, "linestyle": "--"} if bar.doubt else {}
        axes.barh(row, bar.value, height=THICKNESS, **face(bar.style) | paler)
        if bar.low is not None and bar.high is not None:
            reach = [[bar.value - bar.low], [bar.high - bar.value]]
            axes.errorbar(bar.value, row, xerr=reach, color="black", capsize=3, linewidth=1.2)
        else:
            axes.annotate(number(bar.value), (bar.value, row), (5, 0), textcoords="offset points", va="center")
        axes.text(0, row - 0.6 * THICKNESS, short(bar.heading), va="bottom", fontsize=8.5)
    _beside_bars(axes, 1.2 * max(max(bar.value, bar.high or 0) for bar in found), end, unit)
    plain_numbers(axes, "x")


def stacked(figure: Figure, found: Sequence[tuple[str, Sequence[Piece]]], unit: str) -> None:
    """Horizontal bars of pieces, each bar below its label; pieces that have room for it carry their figure."""
    axes = figure.add_subplot()
    middles, end = places([label for label, _ in found])
    longest = max(sum(piece.value for piece in pieces) for _, pieces in found)
    seen: dict[tuple[int, str], Any] = {}
    for row, (label, pieces) in zip(middles, found, strict=True):
        begin = 0.0
        for piece in pieces:
            seen[piece.style, piece.label] = axes.barh(
                row, piece.value, left=begin, height=THICKNESS, **face(piece.style)
            )
            if piece.value > 0.07 * longest:
                box = {"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": "none"}
                middle = begin + piece.value / 2
                axes.text(middle, row, f"{piece.value:.0f}", ha="center", va="center", fontsize=7.5, bbox=box)
            begin += piece.value
        axes.text(0, row - 0.6 * THICKNESS, short(label), va="bottom", fontsize=8.5)
    _beside_bars(axes, 1.02 * longest, end, unit)
    keys = sorted(seen)
    names = [label for _, label in keys]
    figure.legend([seen[key] for key in keys], names, loc="outside lower left", ncols=3, handlelength=2)


def stacked_size(found: Sequence[tuple[str, Sequence[Piece]]]) -> tuple[float, float]:
    """Inches that bars of pieces and their legend take."""
    return WIDTH, 1.1 + LINE * places([label for label, _ in found])[1]


def places(labels: Sequence[str]) -> tuple[list[float], float]:
    """The middles of bars below their labels, in lines from the top, and where the last one ends."""
    middles, end = [], 0.0
    for label in labels:
        middle = end + short(label).count("\n") + 1.3 + THICKNESS / 2
        middles.append(middle)
        end = middle + THICKNESS / 2 + 0.35
    return middles, end


def _beside_bars(axes: Axes, reach: float, end: float, unit: str) -> None:
    """What stands beside bars that reach so far, and whose last one ends there: the values, and no line to the left."""
    axes.set_xlim(0, reach)
    axes.set_ylim(end, 0)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(unit)
