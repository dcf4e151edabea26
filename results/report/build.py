"""From material to the page: which sections there are, in which order."""

from collections import Counter

from results.checks import NOT_VALID, WRONG
from results.naming import counted
from results.report.material import Material, kind
from results.report.page import Page, Section
from results.report.sections import (
    against,
    choices,
    devices,
    foot,
    hardware,
    headline,
    operations,
    parts,
    steps,
    topology,
    value,
)
from results.report.svg import Draw, Drawer


def page(material: Material, title: str, draw: Draw | None = None) -> Page:
    """The page of `material`, with the sections for which there are data; drawings by a Drawer, if not by `draw`."""
    draw = draw or Drawer()
    compared = against.section(material, draw)
    two = len(material.accelerators) == 2  # a page that asks which of two; else it comes after each one's figures
    found: list[Section | None] = [
        compared if two else None,
        headline.section(material, draw),
        devices.section(material, draw),
        *choices.sections(material, draw),
        value.section(material, draw),
        None if two else compared,
        operations.section(material, draw),
        parts.section(material, draw),
        hardware.section(material, draw),
        steps.step_times(material, draw),
        steps.losses(material, draw),
        topology.section(material, draw),
        foot.validity(material, draw),
        foot.origins(material, draw),
    ]
    return Page(title, _summary(material), tuple(section for section in found if section))


def _summary(material: Material) -> tuple[str, ...]:
    records = [record for group in material.groups for record in group.records]
    kinds = Counter(map(kind, records))
    *others, last = [
        counted(kinds["valid"] + kinds["reported"], "valid run"),
        *(f"{kinds[word]:,} {word}" for word in (NOT_VALID, WRONG) if kinds[word]),
    ]
    runs = f"{', '.join(others)} and {last} (--include_invalid)" if others else last
    models = len({group.facts["model"] for group in material.groups})
    accelerators = ", ".join(filter(None, material.accelerators)) or "unknown"
    told = f"{runs} of {counted(models, 'model')}. Accelerators: {accelerators}."
    left_out = (
        f" Left out, for reasons that stand at the foot: {counted(len(material.left_out), 'run')}."
        if material.left_out
        else ""
    )
    return (told + left_out,)
