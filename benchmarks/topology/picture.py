"""A picture of how GPUs are wired: on a circle, NVLinks across it, and around it what they share of PCIe."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from benchmarks.telemetry.wiring import Gpu, Wiring
from results.report.drawing import PALETTE
from results.texts import printable
from variable_mgr.link_graph import LEVELS, LinkGraph, components

_WIDTH, _HEIGHT = 6.4, 7.4  # inches
_EDGE = 1.6  # of the picture, where the radius of the circle is 1
_GAP = 1.0  # between NUMA nodes, in places on the circle
_MOST_WITH_LINES = 4  # GPUs, where all pairs are alike
_FIRST_ARC, _NEXT_ARC = 1.24, 0.09  # radii
_SHARED = {  # arcs, from the inside to the outside
    "PIX": ("one PCIe switch or board", "#333333"),
    "PXB": ("PCIe switches", "#666666"),
    "PHB": ("a host bridge", "#999999"),
    "NODE": ("a NUMA node's connection of host bridges", "#c4c4c4"),
}
_UNKNOWN_NODE, *_NODES = ("#ffffff", "#d6eaf8", "#fdebd0", "#d5f5e3", "#f5d7e8")

Point = tuple[float, float]


def picture(wiring: Wiring) -> Figure:
    """The picture of `wiring`, which has GPUs, for results.plots.save."""
    graph = wiring.graph()
    angles = _angles(graph)
    figure = Figure(figsize=(_WIDTH, _HEIGHT))
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.02, 0.15, 0.96, 0.78))
    axes.set_axis_off()
    axes.set_aspect("equal")
    axes.set_xlim(-_EDGE, _EDGE)
    axes.set_ylim(-_EDGE, _EDGE)
    marks = [*_draw_links(axes, wiring, angles), *_draw_shared(axes, graph, angles)]
    nodes = sorted({gpu.numa_node for gpu in wiring.gpus if gpu.numa_node is not None})
    for gpu, angle in zip(wiring.gpus, angles, strict=True):
        _draw_gpu(axes, gpu, _point(angle), _colour(nodes, gpu.numa_node))
    marks += [_dot(_colour(nodes, node), f"near NUMA node {node}") for node in nodes]
    figure.legend(handles=marks, loc="lower center", ncols=2, frameon=False, fontsize=9)
    names = Counter(printable(gpu.name or "GPU of unknown name") for gpu in wiring.gpus)
    title = ", ".join(f"{count} x {name}" for name, count in names.items())
    figure.text(0.5, 0.965, title, ha="center", va="center", fontsize=12, fontweight="bold", parse_math=False)
    remarks = printable(" ".join(_remarks(wiring)))
    figure.text(0.5, 0.935, remarks, ha="center", va="center", fontsize=8.5, color="#555555", parse_math=False)
    return figure


def _remarks(wiring: Wiring) -> list[str]:
    """What no line and no arc shows."""
    links = wiring.links.values()
    unknown = sum(link.word == "?" for link in links)
    said = [f"Of {unknown} pairs the driver does not tell what is between them."] if unknown else []
    if links and all(link.peers is False for link in links):
        said.append("None reaches another's memory.")
    if len(wiring.gpus) > _MOST_WITH_LINES and _all_over_pcie(wiring):
        said.append("All reach each other's memory over PCIe.")
    return said + [f"Not told of: {name}." for name in wiring.broken]


def _all_over_pcie(wiring: Wiring) -> bool:
    """Whether every two reach each other's memory, and none by NVLinks: words say it, lines would hide the rest."""
    return all(link.peers and not link.nvlinks for link in wiring.links.values())


def _angles(graph: LinkGraph) -> list[float]:
    """Where each GPU is on the circle, in radians, counter-clockwise from the right.

    Those that share a NUMA node, a host bridge, a switch are beside one another; of two nodes, which are left and
    right, opposite numbers are at the same height.
    """
    shared = {level: _sharing(graph, level) for level in LEVELS}
    order = sorted(range(graph.size), key=lambda gpu: [*(shared[level][gpu] for level in reversed(LEVELS)), gpu])
    groups = [list(group) for _, group in itertools.groupby(order, key=lambda gpu: shared["NODE"][gpu])]
    if len(groups) == 2:
        groups[1].reverse()
    gap = _GAP if len(groups) > 1 else 0.0
    places = graph.size + gap * len(groups)
    angles, place = {}, gap / 2
    for group in groups:
        for gpu in group:
            angles[gpu] = math.pi / 2 + 2 * math.pi * (place + 0.5) / places
            place += 1
        place += gap
    return [angles[gpu] for gpu in range(graph.size)]


def _sharing(graph: LinkGraph, level: str) -> list[int]:
    """Of each GPU the first of those with no longer way than `level` between them; itself where that is not known."""
    near = list(LEVELS)[: list(LEVELS).index(level) + 1]
    groups = components(graph.size, lambda one, other: graph.level(one, other) in near)
    first = {gpu: group[0] for group in groups for gpu in group}
    return [first[gpu] for gpu in range(graph.size)]


def _draw_links(axes: Axes, wiring: Wiring, angles: Sequence[float]) -> list[Any]:
    """NVLinks, those to switches as spokes, and who reaches whose memory without them; returns legend entries."""
    points = {gpu.index: _point(angle) for gpu, angle in zip(wiring.gpus, angles, strict=True)}
    counts = sorted({link.nvlinks for link in wiring.links.values() if link.nvlinks})
    marks: dict[str, dict[str, Any]] = {}
    spokes: dict[Point, dict[str, Any]] = {}
    all_alike = len(wiring.gpus) > _MOST_WITH_LINES and _all_over_pcie(wiring)
    for (first, second), link in wiring.links.items():
        ends = [points[first], points[second]]
        if link.switched:
            style = _nvlink_style(counts, link.nvlinks)
            spokes |= dict.fromkeys(ends, style)
            marks[f"{link.nvlinks} NVLinks to switches that reach all"] = style
        elif link.nvlinks:
            style = _nvlink_style(counts, link.nvlinks)
            _line(axes, ends, style)
            marks[f"{link.nvlinks} NVLink{'s' * (link.nvlinks > 1)}"] = style
        elif link.peers and not all_alike:
            style = {"color": "#bbbbbb", "linewidth": 0.7, "linestyle": (0, (4, 2)), "zorder": 0}
            _line(axes, ends, style)
            marks["reach each other's memory over PCIe"] = style
    for end, style in spokes.items():
        _line(axes, [(0.0, 0.0), end], style)
    if spokes:
        box = {"boxstyle": "round,pad=0.5", "facecolor": "white", "edgecolor": "#333333"}
        axes.text(0, 0, "NVSwitch", ha="center", va="center", fontsize=10, bbox=box, zorder=5)
    return [Line2D([], [], label=label, **style) for label, style in sorted(marks.items())]


def _draw_shared(axes: Axes, graph: LinkGraph, angles: Sequence[float]) -> list[Any]:
    """An arc outside the circle over those that share a part of PCIe, the nearer it is to them, the further inside."""
    marks: list[Any] = []
    seen: set[tuple[int, ...]] = set()
    half = 0.7 * math.pi / max(graph.size + 2, 4)
    for level, (meaning, colour) in _SHARED.items():
        firsts = _sharing(graph, level)
        groups = {tuple(gpu for gpu in range(graph.size) if firsts[gpu] == first) for first in firsts}
        groups = {group for group in groups if len(group) > 1} - seen
        if not groups:
            continue
        seen |= groups
        radius = _FIRST_ARC + _NEXT_ARC * len(marks)
        style = {"color": colour, "linewidth": 3.0, "solid_capstyle": "butt"}
        for group in groups:
            begin, end = min(angles[gpu] for gpu in group) - half, max(angles[gpu] for gpu in group) + half
            steps = [begin + (end - begin) * step / 60 for step in range(61)]
            axes.plot(*zip(*(_point(angle, radius) for angle in steps), strict=True), **style)
        marks.append(Line2D([], [], label=f"share {meaning}", **style))
    return marks


def _draw_gpu(axes: Axes, gpu: Gpu, point: Point, colour: str) -> None:
    axes.plot(*point, "o", markersize=34, color=colour, markeredgecolor="#333333", zorder=3)
    axes.text(*point, f"GPU{gpu.index}", ha="center", va="center", fontsize=8.5, zorder=4)


def _nvlink_style(counts: Sequence[int], nvlinks: int) -> dict[str, Any]:
    """Colour and width by where `nvlinks` is among the `counts` that there are."""
    rank = counts.index(nvlinks)
    return {"color": PALETTE[rank % len(PALETTE)], "linewidth": 1.6 + 1.4 * rank, "zorder": 1}


def _line(axes: Axes, ends: Sequence[Point], style: dict[str, Any]) -> None:
    axes.plot([x for x, _ in ends], [y for _, y in ends], **style)


def _colour(nodes: Sequence[int], node: int | None) -> str:
    return _UNKNOWN_NODE if node is None else _NODES[nodes.index(node) % len(_NODES)]


def _dot(colour: str, label: str) -> Any:
    return Line2D([], [], marker="o", linestyle="", markersize=10, color=colour, markeredgecolor="#333333", label=label)


def _point(angle: float, radius: float = 1.0) -> Point:
    return radius * math.cos(angle), radius * math.sin(angle)
