"""What the hardware did during the measured window: telemetry of representative runs, and the energy of an image."""

import itertools
import statistics
from collections.abc import Mapping
from typing import Any, NamedTuple

from results.naming import counted
from results.record import RunRecord
from results.report.drawing import Line, panels, panels_size
from results.report.material import Group, Material, varying, words
from results.report.page import Figure, Section, Table, drawn, number, table
from results.report.svg import Draw
from results.schema import section as object_of
from results.sections import some
from results.telemetry import is_held_down, is_quantity, out_of_order
from results.texts import printable


class Quantity(NamedTuple):
    """What is drawn of a series: its heading, and what a value is divided by for it."""

    heading: str
    divisor: float = 1.0


# By the names in a record's telemetry, in the order of the panels.
_OF_A_GPU = {
    "utilisation": Quantity("GPUs computing, % of the time", 0.01),
    "power_watts": Quantity("power, W"),
    "memory_used_bytes": Quantity("GPU memory in use, GB", 1e9),
    "temperature_celsius": Quantity("temperature, °C"),
    "sm_clock_mhz": Quantity("clock of the multiprocessors, MHz"),
    "memory_clock_mhz": Quantity("clock of the memory, MHz"),
    "throttle_reasons": Quantity("clocks held down (1) or not (0)"),
    "pcie_sent_bytes_per_second": Quantity("sent over PCIe, GB/s", 1e9),
    "pcie_received_bytes_per_second": Quantity("received over PCIe, GB/s", 1e9),
}
_OF_THE_HOST = {
    "cpu_utilisation": Quantity("processors of the host busy, %", 0.01),
    "processors_of_process": Quantity("processors that the run keeps busy"),
    "running_tasks": Quantity("tasks of the host that run or wait"),
    "stolen_share": Quantity("processors taken by a hypervisor, %", 0.01),
    "resident_bytes": Quantity("host memory of the run, GB", 1e9),
    "read_bytes_per_second": Quantity("files read by the run, MB/s", 1e6),
    "written_bytes_per_second": Quantity("files written by the run, MB/s", 1e6),
    "network_sent_bytes_per_second": Quantity("sent by the host over networks, MB/s", 1e6),
    "network_received_bytes_per_second": Quantity("received by the host over networks, MB/s", 1e6),
}
_HOST, _HOST_STYLE = "host", 7
_LEAST_SAMPLES = 3  # of a curve
_MOST_GPUS = 7  # in a figure: as many colours as the host leaves
_MOST_POINTS = 300  # of a curve; more are not seen


class Series(NamedTuple):
    """One quantity of one device during the window: seconds and values, in the unit of its quantity."""

    device: str
    quantity: Quantity
    seconds: tuple[float, ...]
    values: tuple[float, ...]

    @property
    def curve(self) -> tuple[str, tuple[float, ...], tuple[float, ...]]:
        """What is drawn of it."""
        every = -(-len(self.seconds) // _MOST_POINTS)
        return self.device, self.seconds[::every], self.values[::every]


def section(material: Material, draw: Draw) -> Section | None:
    """A figure for a representative run of each configuration whose hardware was watched, and joules an image."""
    watched = [(group, record) for group in material.groups if (record := representative(group))]
    energy, brief = _energy(material), _brief(material)
    if not watched and not energy.rows and not brief:
        return None
    names = list(dict.fromkeys(["model", *varying(group for group, _ in watched)]))
    figures, note = drawn(watched, lambda each: _figure(*each, names, draw), "configurations")
    told = (
        "Of each configuration the run whose speed is the median of those that were watched, over the measured window. "
        "Pauses are not in it."
    )
    ailing = [f"{words(group, names)}: {each}." for group, record in watched for each in _out_of_order(record)]
    paragraphs = (*([told] if watched else []), *note, *ailing, *brief)
    return Section("hardware", "What the hardware did", paragraphs, (energy,) if energy.rows else (), figures)


def _out_of_order(record: RunRecord) -> list[str]:
    return [printable(each).rstrip(".") for each in some(list(out_of_order(record.telemetry)))]


def _brief(material: Material) -> tuple[str, ...]:
    """A word on the configurations that were watched for too short a time."""
    groups = [group for group in material.groups if any(series_of(each.telemetry) for each in group.records)]
    count = sum(representative(group) is None for group in groups)
    if not count:
        return ()
    return (
        f"Of {counted(count, 'configuration')} no curves are drawn: the hardware was looked at fewer than "
        f"{_LEAST_SAMPLES} times (--telemetry_interval). results show has what was seen.",
    )


def representative(group: Group) -> RunRecord | None:
    """Of the runs that were watched the one of the (lower) median speed, or the nearest to it that can be drawn."""
    watched = [record for record in group.records if record.telemetry]
    watched.sort(key=lambda record: record.steady_images_per_second or 0.0)
    middle = (len(watched) - 1) // 2
    nearest = sorted(range(len(watched)), key=lambda place: abs(place - middle))
    return next((watched[place] for place in nearest if _curves(watched[place])), None)


def _curves(record: RunRecord) -> list[Series]:
    """What can be drawn of its telemetry as curves."""
    return [each for each in series_of(record.telemetry) if len(each.values) >= _LEAST_SAMPLES]


def series_of(telemetry: Mapping[str, Any]) -> list[Series]:
    """All that can be drawn of a record's telemetry, by quantity: a record may come from anywhere."""
    gpus = object_of(telemetry, "gpus")
    found = [
        _series(printable(name), object_of(gpus, name), key, quantity)
        for key, quantity in _OF_A_GPU.items()
        for name in gpus
    ]
    host = object_of(telemetry, "host")
    found += [_series(_HOST, host, key, quantity) for key, quantity in _OF_THE_HOST.items()]
    return [each for each in found if each]


def _series(device: str, facts: Mapping[str, Any], key: str, quantity: Quantity) -> Series | None:
    kept = object_of(facts, "series")
    seconds, values = kept.get("seconds"), kept.get(key)
    if not isinstance(seconds, list) or not isinstance(values, list):
        return None
    pairs = zip(seconds, values, strict=False)
    of = is_held_down if key == "throttle_reasons" else float
    known = [(at, of(value) / quantity.divisor) for at, value in pairs if is_quantity(at) and is_quantity(value)]
    return Series(device, quantity, *map(tuple, zip(*known, strict=True))) if known else None


def _quantity(series: Series) -> Quantity:
    return series.quantity


def _figure(group: Group, record: RunRecord, names: list[str], draw: Draw) -> Figure:
    found = _curves(record)
    gpus = list(dict.fromkeys(each.device for each in found if each.device != _HOST))
    styles = {device: style for style, device in enumerate(gpus[:_MOST_GPUS])} | {_HOST: _HOST_STYLE}
    shown = [
        (quantity.heading, [Line(*each.curve, styles[each.device]) for each in alike])
        for quantity, alike in itertools.groupby((each for each in found if each.device in styles), _quantity)
    ]
    rows = [
        (
            each.device,
            each.quantity.heading,
            number(min(each.values)),
            number(statistics.fmean(each.values)),
            number(max(each.values)),
        )
        for each in found
    ]
    title = words(group, names) or "unknown model"
    if len(gpus) > _MOST_GPUS:
        title += f" ({_MOST_GPUS} of {len(gpus)} GPUs; all in the table)"
    text = f"What the hardware did, {title}. Means: " + "; ".join(f"{row[0]} {row[1]} {row[3]}" for row in rows)
    svg = draw(panels, shown, "seconds of the window", size=panels_size(shown))
    return Figure(title, text, svg, table(("device", "quantity", ">least", ">mean", ">most"), rows))


def _energy(material: Material) -> Table:
    """Joules an image, of the GPUs alone: one value a run."""
    rows = []
    for group in material.groups:
        told = [record.telemetry.get("joules_per_image") for record in group.records]
        joules = [float(each) for each in told if is_quantity(each)]
        if joules:
            spread = f"{number(min(joules))} to {number(max(joules))}" if len(joules) > 1 else "one run"
            facts = (group.facts["model"], group.facts["dataset"], group.facts["accelerator"])
            setting = words(group, ("batch_size", "precision", "variable_update", "data_format", "xla"))
            rows.append(
                (*facts, setting, group.facts["num_gpus"], number(statistics.fmean(joules)), spread, str(len(joules)))
            )
    headings = ("model", "data", "accelerator", "+setting", ">devices", ">J an image (mean)", ">over the runs", ">runs")
    return table(headings, rows, "Energy of an image, of the GPUs alone, as measured", folded=True)
