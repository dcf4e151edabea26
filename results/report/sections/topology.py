"""How the devices of a machine are linked, where records have it (as `nvidia-smi topo -m` says it)."""

import re
from typing import NamedTuple, TypeGuard

from results.naming import counted_names
from results.record import RunRecord
from results.report.drawing import links
from results.report.material import Material
from results.report.page import Figure, Section, table
from results.report.svg import Draw
from results.texts import printable

_MOST_DEVICES = 64
_MOST_NUMBERS = 10_000
_MOST = 4
# From the nearest to the farthest, with what nvidia-smi means by it.
_KINDS = {
    "NV": (1.0, "NVLink, with the number of links"),
    "PIX": (0.7, "through one PCIe switch"),
    "PXB": (0.55, "through several PCIe switches"),
    "PHB": (0.4, "through the processor's PCIe bridge"),
    "NODE": (0.25, "between PCIe bridges of one NUMA node"),
    "SYS": (0.1, "between processors"),
    "?": (0.0, "not told"),
}


class Links(NamedTuple):
    """Names of devices, a square of the links between them, and the numbers that the driver has for them."""

    names: tuple[str, ...]
    cells: tuple[tuple[str, ...], ...]
    numbers: tuple[int, ...]


def section(material: Material, draw: Draw) -> Section | None:
    """A heat map of every distinct topology."""
    found: dict[Links, None] = {}
    for group in material.groups:
        for record in group.records:
            topology = links_of(record)
            if topology:
                found[topology] = None
    if not found:
        return None
    kinds = "; ".join(f"{word}: {meaning}" for word, (_, meaning) in _KINDS.items())
    note = (f"The first {_MOST} of {len(found)} topologies are drawn.",) if len(found) > _MOST else ()
    figures = tuple(_figure(topology, draw) for topology in list(found)[:_MOST])
    return Section(
        "topology", "GPU topology", (f"Links between devices, the darker the faster. {kinds}.", *note), (), figures
    )


def links_of(record: RunRecord) -> Links | None:
    """The topology of a record; None where it has none, or one that is no square of words."""
    topology = record.hardware.get("topology")
    if not isinstance(topology, dict):
        return None
    names, cells = topology.get("gpus"), topology.get("links")
    if not _are_words(names) or not isinstance(cells, list) or not 1 < len(names) <= _MOST_DEVICES:
        return None
    if len(cells) != len(names) or not all(_are_words(row) and len(row) == len(names) for row in cells):
        return None
    return Links(
        tuple(map(printable, names)),
        tuple(tuple(printable(cell)[:8] for cell in row) for row in cells),
        _numbers(topology.get("indices"), len(names)),
    )


def _numbers(told: object, count: int) -> tuple[int, ...]:
    """Those that a record has for so many devices; their places where it has none, or what is none."""
    if isinstance(told, list) and len(told) == count and all(type(n) is int and 0 <= n < _MOST_NUMBERS for n in told):
        return tuple(told)
    return tuple(range(count))


def _figure(topology: Links, draw: Draw) -> Figure:
    short = [f"GPU{number}" for number in topology.numbers]
    shades = [[_shade(cell) for cell in row] for row in topology.cells]
    size = min(4.9, 1.6 + 0.42 * len(short))
    svg = draw(links, short, topology.cells, shades, size=(4.9, size))
    rows = [(f"{name} {full}", *row) for name, full, row in zip(short, topology.names, topology.cells, strict=True)]
    title = counted_names(topology.names)
    return Figure(title, f"Links between devices of {title}", svg, table(("device", *short), rows))


def _shade(cell: str) -> float:
    kind = re.sub(r"\d+$", "", cell.strip().upper())
    return _KINDS[kind][0] if kind in _KINDS else 0.0


def _are_words(value: object) -> TypeGuard[list[str]]:
    return isinstance(value, list) and all(isinstance(entry, str) for entry in value)
