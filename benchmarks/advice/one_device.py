"""The images/sec of one device, from which all others are predicted: given, published, or of records."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from results import reference, store
from results.conditions import settings
from results.frame import accelerator
from results.record import RunRecord
from results.reference.hardware import matches

PUBLISHED = "tf2017"


class OneDevice(NamedTuple):
    """Images/sec of one device with `batch_size` images a step, and where they are from, in words.

    `variables_on_cpu`: whether each step brought them from there; else they were on the device.
    """

    images_per_second: float
    batch_size: int
    source: str
    variables_on_cpu: bool = False


def of_records(folder: Path, model: str, card: str, batch_size: int, precision: str) -> OneDevice | None:
    """The geometric mean of the valid runs in `folder` of one tower on such a `card`; None where there is none."""
    if not folder.is_dir():
        return None
    records = [
        record
        for record in store.readable(folder.glob("*.json"))
        if _fits(record, model, batch_size, precision)
        and settings(record).get("device") == "gpu"
        and matches(card, accelerator(record))
    ]
    return _mean(records, batch_size, f"records in {folder}")


def published(platform: str, model: str, batch_size: int, precision: str) -> OneDevice | None:
    """The published figure of `platform` with synthetic images; with a `batch_size` of 0 that of the largest."""
    records = [
        record
        for record in reference.records(PUBLISHED)
        if record.provenance.get("platform") == platform
        and record.dataset.get("synthetic")
        and _fits(record, model, batch_size, precision)
    ]
    batch = max((record.batch_size or 0 for record in records), default=0)
    of_batch = [record for record in records if record.batch_size == batch]
    return (
        _mean(of_batch, batch, f"published: {of_batch[0].provenance['source']}, results/reference") if batch else None
    )


def _fits(record: RunRecord, model: str, batch_size: int, precision: str) -> bool:
    told = settings(record)
    wanted = {"model": model, "num_gpus": 1, "precision": precision}
    same = all(told.get(name) == value for name, value in wanted.items())
    plain = not any(told.get(name) for name in ("forward_only", "input_only", "eval", "xla"))
    return (
        same
        and plain
        and record.valid
        and batch_size in (0, record.batch_size)
        and bool(record.steady_images_per_second)
    )


def _mean(records: Sequence[RunRecord], batch_size: int, source: str) -> OneDevice | None:
    """That of the runs whose variables were on the device, or if there are none, of the others."""
    for on_cpu in (False, True):
        speeds = [
            speed for record in records if _on_cpu(record) == on_cpu and (speed := record.steady_images_per_second)
        ]
        if speeds:
            several = f", mean of {len(speeds)}" if len(speeds) > 1 else ""
            return OneDevice(statistics.geometric_mean(speeds), batch_size, source + several, on_cpu)
    return None


def _on_cpu(record: RunRecord) -> bool:
    told = settings(record)
    held = told.get("variable_update") in ("parameter_server", "distributed_replicated")
    return held and told.get("local_parameter_device") == "cpu"
