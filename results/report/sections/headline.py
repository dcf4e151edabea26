"""The figures that one looks for first: how fast is each model on each accelerator."""

from collections.abc import Iterable

from results.checks import NOT_VALID, WRONG
from results.report.bars import Bar, bars, bars_size
from results.report.material import Group, Material, kind, varying, words
from results.report.page import Figure, Section, bounds, drawn, number, table
from results.report.svg import Draw

_MOST_BARS = 14
_HEADINGS = (
    "model",
    "accelerator",
    ">devices",
    ">images/s",  # early, so that a phone shows it
    ">95 % interval",
    "runs",
    "data",
    "precision",
    "+conditions",
)
_CONDITIONS = (
    "platform",
    "batch_size",
    "variable_update",
    "local_parameter_device",
    "all_reduce_spec",
    "data_format",
    "xla",
)


def best(material: Material) -> list[Group]:
    """For each model, data set, accelerator and precision: the fastest group on the fewest and on the most devices."""
    found = []
    for groups in by(material.groups, "model", "dataset", "accelerator", "precision"):
        counts = [group.devices or 0 for group in groups]
        for count in dict.fromkeys((min(counts), max(counts))):
            found += [fastest(group for group in groups if (group.devices or 0) == count)]
    return found


def by(groups: Iterable[Group], *names: str) -> list[list[Group]]:
    """The groups in lists of equal facts `names`, sorted by these."""
    found: dict[tuple[str, ...], list[Group]] = {}
    for group in groups:
        found.setdefault(tuple(group.facts[name] for name in names), []).append(group)
    return [found[key] for key in sorted(found)]


def fastest(groups: Iterable[Group]) -> Group:
    """The group with the highest throughput."""
    return max(groups, key=lambda group: group.images_per_second)


def section(material: Material, draw: Draw) -> Section | None:
    """The table of `best`, and bars for each model and data set."""
    if not material.groups:
        return None
    groups = best(material)
    parts = by(material.groups, "model", "dataset")
    figures, note = drawn(parts, lambda part: _chart(material, draw, _on_shared_number(part)), "models and data sets")
    return Section(
        "throughput",
        "Throughput",
        (
            "Images per second of all devices together, on the fewest and on the most devices of each accelerator; of "
            "several settings the fastest. The interval is Student's 95 % over runs; one run has none.",
            *note,
        ),
        (table(_HEADINGS, map(_row, groups), "Fastest settings of each model and accelerator", folded=True),),
        figures,
    )


def _row(group: Group) -> tuple[str, ...]:
    facts, known = group.facts, group.interval
    return (
        facts["model"],
        facts["accelerator"],
        facts["num_gpus"],
        number(group.images_per_second),
        bounds(known.low, known.high) if known else "-",
        group.validity,
        facts["dataset"],
        facts["precision"],
        words(group, _CONDITIONS),
    )


def _on_shared_number(groups: list[Group]) -> list[Group]:
    """The groups on one number of devices: the smallest of those that most accelerators have."""
    counts = {group.devices for group in groups}
    shared = max(counts, key=lambda count: (len(_accelerators(groups, count)), -(count or 0)))
    return [group for group in groups if group.devices == shared]


def _chart(material: Material, draw: Draw, groups: list[Group]) -> Figure:
    ordered = sorted(groups, key=lambda group: -group.images_per_second)
    names = [name for name in varying(ordered) if name != "source" or len(varying(ordered)) == 1]
    shown = _some_of_each(ordered)
    found = [_bar(material, group, names) for group in shown]
    first = ordered[0]
    title = words(first, ("model", "dataset", "num_gpus"))
    if len(shown) < len(ordered):
        title += f" ({_which(ordered, len(shown))})"
    rows = [
        (bar.label, number(bar.value), bounds(bar.low, bar.high), group.validity)
        for bar, group in zip(found, shown, strict=True)
    ]
    text = f"Bars of images per second, {title}: " + "; ".join(f"{bar.label} {number(bar.value)}" for bar in found)
    svg = draw(bars, found, "images/s", size=bars_size(found))
    return Figure(title, text, svg, table(("setting", ">images/s", ">95 % interval", "runs"), rows))


def _bar(material: Material, group: Group, names: list[str]) -> Bar:
    label = words(group, names) or group.facts["accelerator"] or group.facts["model"]
    low, high = group.interval[1:] if group.interval else (None, None)
    kinds = {kind(record) for record in group.records}
    doubt = next((word for word in (WRONG, NOT_VALID) if word in kinds), "")
    return Bar(label, group.images_per_second, material.style(group.facts["accelerator"]), low, high, doubt)


def _some_of_each(ordered: list[Group]) -> list[Group]:
    """At most _MOST_BARS of the groups, which begin with the fastest: the fastest of each accelerator before others."""
    rank = {id(g): i for groups in by(ordered, "accelerator") for i, g in enumerate(groups)}
    kept = sorted(ordered, key=lambda group: rank[id(group)])[:_MOST_BARS]
    chosen = {id(group) for group in kept}
    return [group for group in ordered if id(group) in chosen]


def _which(ordered: list[Group], shown: int) -> str:
    """Which settings _some_of_each takes, in words."""
    accelerators = len(by(ordered, "accelerator"))
    if accelerators < shown:
        return f"{shown} of {len(ordered)} settings: the fastest of each accelerator, and further ones of each"
    of_all = f"the {shown} fastest of {accelerators}" if accelerators > shown else f"each of {shown}"
    return f"the fastest of {len(ordered)} settings on {of_all} accelerators"


def _accelerators(groups: list[Group], count: int | None) -> set[str]:
    return {group.facts["accelerator"] for group in groups if group.devices == count}
