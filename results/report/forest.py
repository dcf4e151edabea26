"""A forest plot: effects with their intervals on one axis, each beside what was claimed of it."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from results.report.bars import LINE, THICKNESS, places
from results.report.drawing import MARKERS, WIDTH, colour, short

_LEAST_REACH = 1.25  # on either side of 1, so that small effects look small
_BEYOND = 3.0  # of an interval: as many times as its effect; what goes on further is cut off
_SHADE = "#56B4E9"
_PAPER = {"boxstyle": "round,pad=0.1", "facecolor": "white", "edgecolor": "none", "alpha": 0.8}  # below texts


class Effect(NamedTuple):
    """How many times as good one thing is as another, with the bounds of its interval where they are known.

    `claimed` is the range that was claimed, None for no bound; () for no claim. `kind` is what became of the claim, in
    words, and `style` numbers its colour and marker.
    """

    label: str
    value: float
    low: float | None
    high: float | None
    claimed: tuple[float | None, float | None] | tuple[()]
    kind: str
    style: int


def forest_size(effects: Sequence[Effect]) -> tuple[float, float]:
    """Inches that a plot of `effects` and its legend take."""
    kinds = {effect.kind for effect in effects}
    return WIDTH, 0.75 + LINE * places([effect.label for effect in effects])[1] + 0.19 * -(-len(kinds) // 3)


def forest(figure: Figure, effects: Sequence[Effect], unit: str) -> None:
    """A row for each of `effects`, below its label: point and interval on a logarithmic axis, its figure at the end."""
    axes = figure.add_subplot()
    middles, end = places([effect.label for effect in effects])
    left, right = _limits(effects)
    axes.set_xscale("log")
    axes.set_xlim(left, right)
    axes.set_ylim(end, 0)
    axes.axvline(1, color="black", linewidth=1)
    seen: dict[str, Any] = {}
    for row, effect in zip(middles, effects, strict=True):
        _row(axes, row, effect, (left, right))
        seen[effect.kind] = axes.plot([effect.value], [row], **_point(effect))[0]
    axes.grid(visible=False, axis="y")
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.xaxis.set_major_locator(LogLocator(subs=_marks(left, right)))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:.4g}")
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel(unit)
    figure.legend(list(seen.values()), list(seen), loc="outside lower left", ncols=3, handlelength=1.5)


def _row(axes: Axes, row: float, effect: Effect, limits: tuple[float, float]) -> None:
    half = THICKNESS / 2
    if effect.claimed:
        low, high = (limit if bound is None else bound for bound, limit in zip(effect.claimed, limits, strict=True))
        axes.fill_betweenx([row - half, row + half], low, high, color=_SHADE, alpha=0.3, linewidth=0)
    if effect.low is not None and effect.high is not None:
        ends = [max(effect.low, limits[0]), min(effect.high, limits[1])]
        axes.plot(ends, [row, row], color=colour(effect.style), linewidth=2, solid_capstyle="butt")
        for end, bound, arrow in zip(ends, (effect.low, effect.high), "<>", strict=True):
            if end != bound:  # it goes on beyond the axis
                axes.plot([end], [row], color=colour(effect.style), marker=arrow, markersize=6, clip_on=False)
    known = effect.low is not None and effect.high is not None
    within = f"  ({_number(effect.low)} to {_number(effect.high)})" if known else ""
    axes.text(limits[0], row - 0.65 * THICKNESS, short(effect.label), va="bottom", fontsize=8.5, bbox=_PAPER)
    axes.annotate(
        f"{_number(effect.value)}{within}",
        (1, row),
        (-2, 0),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        ha="right",
        va="center",
        fontsize=8,
        bbox=_PAPER,
    )


def _point(effect: Effect) -> dict[str, Any]:
    marks = {"color": colour(effect.style), "marker": MARKERS[effect.style % len(MARKERS)]}
    return {**marks, "markersize": 6.5, "markeredgecolor": "black", "linestyle": "", "zorder": 3}


def _limits(effects: Sequence[Effect]) -> tuple[float, float]:
    """The ends of the axis: 1 and all effects are within, and the figures have room to the right of them."""
    least, most = 1 / _LEAST_REACH, _LEAST_REACH
    for value, low, high, claimed in ((each.value, each.low, each.high, each.claimed) for each in effects):
        least = min(least, value, max(low or value, value / _BEYOND))
        most = max(most, value, min(high or value, value * _BEYOND), *(bound for bound in claimed if bound))
    span = most / least
    return least / span**0.06, most * span**0.55


def _marks(left: float, right: float) -> tuple[float, ...]:
    """What of each power of ten has a number on the axis."""
    if right / left > 100:
        return (1.0,)
    return (1.0, 2.0, 5.0) if right / left > 6 else (1.0, 1.5, 2.0, 3.0, 5.0, 7.0, 8.0, 9.0)


def _number(value: float | None) -> str:
    assert value is not None
    return f"{value:.3g}" if value >= 10 or value < 0.1 else f"{value:.2f}"
