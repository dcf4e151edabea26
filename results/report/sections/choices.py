"""One choice at a time: strategies, data formats, precisions, XLA, where all else is the same."""

from results.comparison import verdict
from results.report.bars import Bar, bars, bars_size
from results.report.material import FACTS, Group, Material, varying, words
from results.report.page import Figure, Section, bounds, drawn, number, table
from results.report.sections.headline import by, fastest
from results.report.svg import Draw

_NAMED = ("model", "dataset", "accelerator", "num_gpus")  # in every figure's title
# What is compared: its title, and the facts that make the choice.
_CHOICES = {
    "strategies": ("Strategies", ("variable_update", "local_parameter_device", "all_reduce_spec")),
    "formats": ("Data formats", ("data_format",)),
    "precisions": ("Precisions", ("precision",)),
    "xla": ("XLA", ("xla",)),
}


def sections(material: Material, draw: Draw) -> list[Section]:
    """A section for each choice in which some groups differ and in nothing else."""
    found = (_section(material, draw, name, title, facts) for name, (title, facts) in _CHOICES.items())
    return [section for section in found if section]


def _section(material: Material, draw: Draw, name: str, title: str, chosen: tuple[str, ...]) -> Section | None:
    same = tuple(fact for fact in FACTS if fact not in chosen)
    sets = [part for part in by(material.groups, *same) if len({_choice(group, chosen) for group in part}) > 1]
    if not sets:
        return None
    differing = varying(group for part in sets for group in part)
    names = [fact for fact in same if fact in (*_NAMED, *differing) and fact != "source"]
    figures, note = drawn(sets, lambda part: _figure(part, draw, chosen, names), "comparisons")
    rows = [row for part in sets for row in _rows(part, chosen, same)]
    headings = ("+setting", "choice", ">images/s", ">95 % interval", ">of the fastest", ">its 95 % interval", "runs")
    told = (
        "All else that is known is the same. Where intervals overlap, or there are none, a difference may be chance: "
        "python -m results compare says more."
    )
    return Section(
        name, title, (told, *note), (table(headings, rows, f"{title}, all else equal", folded=True),), figures
    )


def _choice(group: Group, chosen: tuple[str, ...]) -> str:
    return words(group, chosen) or "not told"


def _options(part: list[Group], chosen: tuple[str, ...]) -> list[Group]:
    """The fastest group of each choice, fastest first."""
    groups = [fastest(same) for same in by(part, *chosen)]
    return sorted(groups, key=lambda group: -group.images_per_second)


def _rows(part: list[Group], chosen: tuple[str, ...], same: tuple[str, ...]) -> list[tuple[str, ...]]:
    options = _options(part, chosen)
    fastest_option = options[0]
    return [
        (
            words(group, [name for name in same if name != "source"]),
            _choice(group, chosen),
            number(group.images_per_second),
            bounds(*group.interval[1:]) if group.interval else "-",
            f"{group.images_per_second / fastest_option.images_per_second:.0%}",
            "-" if group is fastest_option else verdict.bounds(group.over(fastest_option)),
            group.validity,
        )
        for group in options
    ]


def _figure(part: list[Group], draw: Draw, chosen: tuple[str, ...], names: list[str]) -> Figure:
    options = _options(part, chosen)
    found = [
        Bar(_choice(group, chosen), group.images_per_second, style, *(group.interval[1:] if group.interval else ()))
        for style, group in enumerate(options)
    ]
    title = words(options[0], names)
    text = f"Bars of images per second, {title}: " + "; ".join(f"{bar.label} {number(bar.value)}" for bar in found)
    rows = [(bar.label, number(bar.value), bounds(bar.low, bar.high)) for bar in found]
    svg = draw(bars, found, "images/s", size=bars_size(found))
    return Figure(title, text, svg, table(("choice", ">images/s", ">95 % interval"), rows))
