"""Published figures as series for the cost model: one workload on one kind of machine, on more and more devices."""

from __future__ import annotations

import csv
import functools
import math
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.advice import rates
from benchmarks.advice.machine import Machine, Network, of_platform, plain
from benchmarks.advice.traffic import BETWEEN_MACHINES, STRATEGIES, Layout, Workload
from benchmarks.errors import UserError
from benchmarks.params.option import closest
from results.reference import FOLDER

NEEDED = (
    "platform", "accelerator", "num_devices", "model", "batch_size_per_device", "variable_update", "images_per_sec",
)  # fmt: skip
_SAME = ("source", "date", "platform", "accelerator", "model", "batch_size_per_device", "data", "precision")
# The links of a machine, as columns or for all rows; GB/s and Gbit/s as rated.
LINKS = ("gpus_per_machine", "gpu_link_GBs", "network_gbit_per_sec")
NUMBERS = (
    "num_devices",
    "num_workers",
    "num_ps",
    "images_per_sec",
    "batch_size_per_device",
    "gradient_megabytes",
    *LINKS,
)
_NCCL_2 = "2018-06"  # TensorFlow came to NCCL 2 with release 1.9
_BYTES = {"fp16": 2, "bf16": 2}  # of a gradient's number in an all-reduce
_MXNET = re.compile(r"dist_(device_)?sync|kvstore")
_VARIABLES = re.compile(r"(\d+) variables, largest (\d+) elements")


@dataclass(frozen=True)
class Series:
    """The `figures` (images/sec) of one `workload` on one kind of `machine`; `name` and `strategy` for readers."""

    name: str
    strategy: str
    workload: Workload
    machine: Machine
    figures: dict[Layout, float]


@dataclass(frozen=True)
class _Model:
    parameters: float
    variables: int
    largest: int


Row = dict[str, str]


def read(path: Path, given: dict[str, str] | None = None) -> list[Series]:
    """The series of a table with the columns of `results/reference` (see its README), in its order.

    Rows that differ in the number of devices, machines and servers alone are one series; another row with the same
    numbers begins one more. Rows without a figure are left out. Of a series with several strategies that of its last
    row counts. `given` has values for columns that the table lacks or leaves empty. Raise UserError for a table that is
    none, and for a machine, model or strategy that is not known.
    """
    rows = [
        row | {name: value for name, value in (given or {}).items() if value and not row.get(name)}
        for row in _rows(path)
    ]
    lacking = [name for name in NEEDED if not rows or name not in rows[0]]
    if lacking:
        raise UserError(f"--series={path}: lacks the column(s) {', '.join(lacking)}. It needs {', '.join(NEEDED)}.")
    found: dict[tuple[str, ...], dict[Layout, Row]] = defaultdict(dict)
    for number, row in enumerate(rows, 2):
        if not row["images_per_sec"]:
            continue
        try:
            layout = _layout(row)
            key = tuple(row.get(name) or "" for name in _SAME)
            key = next(begun for time in range(len(rows)) if layout not in found[begun := (*key, str(time))])
        except ValueError as error:
            raise UserError(f"--series={path}, line {number}: {error}. Correct or remove the row.") from error
        found[key][layout] = row
    return [_series(by_layout) for by_layout in found.values() if by_layout]


def _rows(path: Path) -> list[Row]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            return [
                {name: (value or "").strip() for name, value in row.items() if name} for row in csv.DictReader(stream)
            ]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"--series={path}: cannot be read: {error}. Give a CSV file.") from error


def _layout(row: Row) -> Layout:
    for name in NUMBERS:
        given = row.get(name)
        if given and not 0 < float(given) < math.inf:
            raise ValueError(f"{name} must be above 0, is {given}")
    devices, machines = int(row["num_devices"]), int(row.get("num_workers") or 0)
    return Layout(devices, machines or -(-devices // _machine(row).gpus), int(row.get("num_ps") or 0))


def _series(by_layout: dict[Layout, Row]) -> Series:
    rows = [by_layout[layout] for layout in sorted(by_layout)]
    last = rows[-1]
    figures = {layout: float(by_layout[layout]["images_per_sec"]) for layout in sorted(by_layout)}
    data = "" if last.get("data") in ("synthetic", "", None) else f", {last['data']}"
    name = f"{last['platform']}, {last['accelerator']}: {last['model']}, {last['batch_size_per_device']} images{data}"
    return Series(name, last["variable_update"], _workload(last), _machine(last), figures)


def _machine(row: Row) -> Machine:
    return _machine_of(row["platform"], row["accelerator"], *(float(row.get(name) or 0) for name in LINKS))


@functools.cache
def _machine_of(platform: str, accelerator: str, gpus: float, link: float, network: float) -> Machine:
    achieved = network * rates.GIGABIT * rates.ETHERNET_SHARE
    if gpus or link:
        return plain(
            platform, accelerator, int(gpus) or 1024, link=link * rates.GIGA * rates.PCIE_SHARE, network=achieved
        )
    machine = of_platform(platform, accelerator)
    if not achieved:
        return machine
    return Machine(**{**vars(machine), "network": Network(achieved)})


def _workload(row: Row) -> Workload:
    strategy, nccl, sliced = _strategy(row["variable_update"])
    width = _BYTES.get(row.get("precision") or "", 4) if strategy in ("replicated", *BETWEEN_MACHINES) else 4
    model = _models().get(row["model"])
    size = float(row.get("gradient_megabytes") or 0) * 1e6
    if model is None and not size:
        close = closest(row["model"], _models())
        hint = f" Did you mean {close!r}?" if close else ""
        raise UserError(
            f"The model {row['model']!r} is not known.{hint} There are {', '.join(_models())}; for another, add a "
            "column gradient_megabytes."
        )
    return Workload(
        row["model"],
        gradient_bytes=size or (model.parameters * width if model else 0.0),
        tensors=model.variables if model else 0,
        batch_size=int(row["batch_size_per_device"] or 0) or _no_batch(row),
        strategy=strategy,
        place=row["local_parameter_device"] if row.get("local_parameter_device") in ("cpu", "gpu") else "",
        nccl=nccl,
        largest_bytes=min(size or math.inf, model.largest * width) if model else 0.0,
        one_ring=bool(row.get("date")) and row["date"] < _NCCL_2,
        synthetic=row.get("data") == "synthetic",
        sliced=sliced,
    )


def _no_batch(row: Row) -> int:
    raise UserError(
        f"{row['model']} on {row['platform']}: batch_size_per_device is empty. Fill it in, pass "
        "--batch_size_per_device, or remove the row."
    )


def _strategy(text: str) -> tuple[str, bool, bool]:
    """A value of the column variable_update as strategy, whether by NCCL, and whether servers slice variables.

    tf_cnn_benchmarks took NCCL for replicated unless it was told not to.
    """
    if _MXNET.search(text):
        return "distributed_replicated", False, True
    name, _, rest = text.partition(" ")
    if name not in STRATEGIES:
        raise UserError(
            f"The strategy {text!r} is not known. There are {', '.join(STRATEGIES)}, "
            "replicated (with NCCL), and MXNet's dist_sync and dist_device_sync; --variable_update fills empty ones."
        )
    return name, name == "replicated" and "without NCCL" not in rest, False


@functools.cache
def _models() -> dict[str, _Model]:
    """What models.csv says: of rows of one name the first, which is of tf_cnn_benchmarks where that has the model."""
    found: dict[str, _Model] = {}
    with (FOLDER / "models.csv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            if row["params_millions"] and row["model"] not in found:
                counted = _VARIABLES.search(row["notes"])
                variables, largest = (int(counted[1]), int(counted[2])) if counted else (0, 0)
                found[row["model"]] = _Model(float(row["params_millions"]) * 1e6, variables, largest)
    return found


def layout_of(series: Series, devices: int) -> Layout:
    """How `devices` would stand on the machines of `series`: as full as in its largest figure.

    Servers are in proportion to the machines, at least one; 0 where the figure tells of none.
    """
    largest = max(series.figures)
    machines = -(-devices // (largest.each if largest.machines > 1 else series.machine.gpus))
    servers = max(1, round(largest.servers / largest.machines * machines)) if largest.servers else 0
    return Layout(devices, machines, servers)


def fitted_and_judged(series: Series, figures: int) -> tuple[dict[Layout, float], Sequence[Layout]]:
    """The first `figures` by their number of devices, one of each, and the layouts of more devices than those."""
    first: dict[int, Layout] = {}
    for layout in sorted(series.figures):
        first.setdefault(layout.devices, layout)
    fitted = [first[devices] for devices in sorted(first)[:figures]]
    judged = [layout for layout in sorted(series.figures) if layout.devices > fitted[-1].devices]
    return {layout: series.figures[layout] for layout in fitted}, judged
