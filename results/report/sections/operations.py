"""Operations a second: what runs achieved, and which share that is of what their devices were measured to do."""

import statistics
from collections.abc import Sequence

from results import cost
from results.report.bars import Bar, bars, bars_size
from results.report.material import Group, Material, varying, words
from results.report.page import Figure, Section, number, table
from results.report.svg import Draw

_MOST_BARS = 14
_SETTING = ("batch_size", "variable_update", "data_format", "xla")


def section(material: Material, draw: Draw) -> Section | None:
    """A table of all configurations whose cost is known, and bars of those whose devices' peaks were measured."""
    rows = [row for group in material.groups if (row := _row(group))]
    if not rows:
        return None
    headings = (
        "model",
        "data",
        "accelerator",
        "precision",
        "+setting",
        ">devices",
        "an image",
        ">a second",
        ">and device",
        *(f">of {name}" for name in cost.PEAKS.values()),
        ">runs",
    )
    measured = [group for group in material.groups if any(_shares(group).values())]
    told = [
        "FLOP of an image (counted from the layers, two for each multiplication with its addition) times images a "
        "second of the whole window; mean over the runs."
    ]
    if measured:
        told.append(
            "Shares are of what the same devices did alone, after the same run, in its precision (--measure_peak); no "
            "vendor's figure is in them."
        )
    figures = (_figure(material, measured[:_MOST_BARS], draw),) if measured else ()
    return Section(
        "operations", "Operations a second", tuple(told), (table(headings, rows, "FLOP/s", folded=True),), figures
    )


def _row(group: Group) -> tuple[str, ...] | None:
    known = [record.cost for record in group.records if cost.speed(record.cost) is not None]
    if not known:
        return None
    total = statistics.fmean(cost.speed(found) or 0.0 for found in known)
    each = [cost.number(found.get("flops_per_second_and_tower")) for found in known]
    an_image, shares = cost.number(known[0].get("flops_an_image")), _shares(group)
    facts = group.facts
    return (
        facts["model"],
        facts["dataset"],
        facts["accelerator"],
        facts["precision"],
        words(group, _SETTING),
        facts["num_gpus"],
        cost.flops(an_image) if an_image is not None else "-",
        f"{cost.flops(total)}/s",
        f"{cost.flops(statistics.fmean(filter(None, each)))}/s" if all(each) else "-",
        *(f"{shares[name]:.1%}" if name in shares else "-" for name in cost.PEAKS),
        str(len(known)),
    )


def _shares(group: Group) -> dict[str, float]:
    """The mean share of each peak over the runs that measured it."""
    found = [cost.shares(record.cost) for record in group.records]
    return {
        name: statistics.fmean(shares[name] for shares in found if name in shares)
        for name in cost.PEAKS
        if any(name in shares for shares in found)
    }


def _figure(material: Material, groups: Sequence[Group], draw: Draw) -> Figure:
    """A bar for each configuration and peak."""
    names = list(dict.fromkeys(["model", *varying(groups)]))
    found = [
        Bar(f"{words(group, names)}: of {cost.PEAKS[name]}", 100 * share, material.style(group.facts["accelerator"]))
        for group in groups
        for name, share in _shares(group).items()
        if share
    ]
    rows = [(bar.label, number(bar.value)) for bar in found]
    text = "Bars of shares of measured peaks: " + "; ".join(f"{bar.label} {bar.value:.1f} %" for bar in found)
    svg = draw(bars, found, "% of what the devices do alone", size=bars_size(found))
    return Figure("Share of measured peaks", text, svg, table(("setting", ">%"), rows, folded=True))
