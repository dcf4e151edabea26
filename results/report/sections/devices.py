"""How throughput grows with the number of devices: curves, speed-up, efficiency and verdicts."""

from typing import NamedTuple

from results.comparison.verdict import ONE_RUN
from results.report.drawing import PALETTE, Line, scaling, scaling_size
from results.report.material import FACTS, Group, Material, varying, words
from results.report.page import Figure, Section, drawn, number, table
from results.report.sections.headline import by, fastest
from results.report.svg import Draw
from results.scaling import KNEE, Point, Scaling, examine

_ALIKE = tuple(name for name in FACTS if name != "num_gpus")
_HEADINGS = (">devices", ">images/s", ">speed-up", ">efficiency", ">its 95 % interval", "verdict")


class Curve(NamedTuple):
    """Groups that differ in nothing but the number of devices, and their scaling."""

    groups: tuple[Group, ...]
    scaling: Scaling

    def interval(self, point: Point) -> str:
        """The 95 % interval of the efficiency in words; there is none of the base, by which it is defined."""
        base, group = (self._at(each.devices) for each in (self.scaling.base, point))
        found = group.over(base)
        if group is base:
            return "-"
        if found.low is None or found.high is None:
            return ONE_RUN
        share = self.scaling.base.devices / point.devices
        return f"{share * found.low:.1%} to {share * found.high:.1%}"

    def _at(self, devices: int) -> Group:
        return next(group for group in self.groups if group.devices == devices)


def section(material: Material, draw: Draw) -> Section | None:
    """Verdicts first, then curves for each model, data set and precision."""
    found = curves(material)
    if not found:
        return None
    flagged = [curve for curve in found if curve.scaling.flagged]
    bound = material.efficiency_bound
    figures, note = drawn(_parts(found), lambda part: _figure(part, draw, bound), "models, data sets and precisions")
    rows = [_flag(curve, point) for curve in flagged for point in curve.scaling.points if curve.scaling.verdict(point)]
    headings = ("model", "data", "accelerator", "+setting", *_HEADINGS)
    return Section(
        "scaling",
        "Scaling",
        (
            f"{len(flagged)} of {len(found)} curves are flagged: more devices give less, or the efficiency falls "
            f"under {bound:.0%} (--efficiency_bound).",
            "The batch per device stays the same along a curve (weak scaling). Speed-up: throughput over that of one "
            "device at the curve's smallest number of devices. Efficiency: speed-up over devices; its interval is that "
            f"of a comparison of the runs. Knee: from there on a further device adds less than {KNEE:.0%} of one.",
            *note,
        ),
        (table(headings, rows, "Flagged"),) if rows else (),
        figures,
    )


def curves(material: Material) -> list[Curve]:
    """All curves over at least two numbers of devices; of equal settings with other unnamed flags, the fastest."""
    found = []
    for groups in by((group for group in material.groups if group.devices), *_ALIKE):
        chosen = [fastest(part) for part in by(groups, "num_gpus")]
        examined = examine(map(_point, chosen), material.efficiency_bound)
        if examined:
            found.append(Curve(tuple(chosen), examined))
    return found


def _point(group: Group) -> Point:
    low, high = group.interval[1:] if group.interval else (None, None)
    return Point(group.devices or 0, group.images_per_second, low, high)


def _flag(curve: Curve, point: Point) -> tuple[str, ...]:
    first = curve.groups[0]
    names = ("platform", "precision", "batch_size", "variable_update", "local_parameter_device", "all_reduce_spec")
    shown = (first.facts["model"], first.facts["dataset"], first.facts["accelerator"], words(first, names))
    return (*shown, *_figures_of(curve, point))


def _figures_of(curve: Curve, point: Point) -> tuple[str, ...]:
    found = curve.scaling
    return (
        str(point.devices),
        number(point.images_per_second),
        f"{found.speed_up(point):.2f}",
        f"{found.efficiency(point):.0%}",
        curve.interval(point),
        found.verdict(point),
    )


def _parts(found: list[Curve]) -> list[list[Curve]]:
    """The curves of each model, data set and precision; parts with flagged curves first."""
    parts: dict[tuple[str, ...], list[Curve]] = {}
    for curve in found:
        facts = curve.groups[0].facts
        parts.setdefault((facts["model"], facts["dataset"], facts["precision"]), []).append(curve)
    return sorted(parts.values(), key=lambda part: not any(curve.scaling.flagged for curve in part))


def _figure(part: list[Curve], draw: Draw, bound: float) -> Figure:
    """One figure: as many curves as there are colours, the flagged ones first; all of them in the table."""
    ordered = sorted(part, key=lambda curve: not curve.scaling.flagged)
    names = [name for name in varying(curve.groups[0] for curve in ordered) if name in _ALIKE]
    labels = [words(curve.groups[0], names) or curve.groups[0].facts["accelerator"] for curve in ordered]
    shown = list(zip(ordered, labels, strict=True))[: len(PALETTE)]
    lines = [_line(curve, label, style) for style, (curve, label) in enumerate(shown)]
    title = words(ordered[0].groups[0], ("model", "dataset", "precision"))
    if len(shown) < len(ordered):
        title += f" ({len(shown)} of {len(ordered)} curves; all in the table)"
    rows = [
        (label, *_figures_of(curve, point))
        for curve, label in zip(ordered, labels, strict=True)
        for point in curve.scaling.points
    ]
    ends = [f"{line.label} {line.y[-1]:.2f} on {line.x[-1]:g}" for line in lines]
    text = f"Speed-up and efficiency over the number of devices, {title}: {'; '.join(ends)}"
    svg = draw(scaling, lines, bound, size=scaling_size(lines))
    return Figure(title, text, svg, table(("setting", *_HEADINGS), rows, folded=True))


def _line(curve: Curve, label: str, style: int) -> Line:
    points = curve.scaling.points
    return Line(label, [point.devices for point in points], [curve.scaling.speed_up(point) for point in points], style)
