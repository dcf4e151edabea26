"""Records as a pandas frame: one row a record, one column a fact."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from results import cost
from results.mig import part_names
from results.record import RunRecord

# The columns, in order, and their pandas types. In text columns "" says "not known"; elsewhere it is NaN or NA.
COLUMNS = {
    "record_id": "str",
    "started_at": "datetime64[us, UTC]",
    "status": "str",
    "valid": "bool",
    "wrong": "bool",  # whether it computed something wrong; else what is not valid is in doubt, or did not complete
    "problems": "str",
    "model": "str",
    "dataset": "str",
    "device": "str",
    "num_gpus": "Int64",  # towers, on whatever device; named as the flag
    "batch_size": "Int64",  # per tower
    "variable_update": "str",
    "data_format": "str",
    "precision": "str",
    "xla": "str",
    "optimizer": "str",
    "num_batches": "Int64",  # as measured, which an interrupted run has fewer of than it was asked for
    "images_per_second": "float64",
    "steady_images_per_second": "float64",  # of the steps from steady_from on; what runs are compared by
    "interval_low": "float64",  # of steady_images_per_second, 95 %, within this run; in images/s
    "interval_high": "float64",
    "effective_steps": "float64",  # how many independent steps would tell as much
    "steady_from": "Int64",  # number of the first steady step, from 1
    "median_step_seconds": "float64",
    "jitter": "float64",  # a fraction of the median step
    "first_step_seconds": "float64",
    "time_to_first_step_seconds": "float64",
    "flops_per_second": "float64",  # of convolutions and matrix products, over all towers
    "share_of_matrix_product": "float64",  # flops_per_second over the peak that was measured in the same run
    "share_of_convolution": "float64",
    "cpu": "str",
    "usable_cores": "Int64",  # logical ones
    "memory_gib": "Int64",
    "virtualisation": "str",  # what the machine is a guest of; "none": of nothing
    "gpu": "str",
    "accelerator": "str",  # what the towers ran on: the GPU, or else the processor
    "tensorflow": "str",
    "source": "str",  # the tool that an imported record comes from; "" for a run of our own
    "configuration_key": "str",
    "file": "str",
}


_NO_TRAINING = {"input_only": "input only", "forward_only": "forward only", "eval": "evaluation"}


def frame(records: Iterable[RunRecord]) -> pd.DataFrame:
    """Return one row a record, in the order given, with the columns and types of COLUMNS, even for no record."""
    return of_rows([row(record) for record in records])


def of_rows(rows: Sequence[Sequence[Any]]) -> pd.DataFrame:
    """Return the frame of `rows`, as `row` makes them."""
    values = zip(*rows, strict=True) if rows else ([] for _ in COLUMNS)
    columns: dict[str, Any] = dict(zip(COLUMNS, map(list, values), strict=True))
    columns["started_at"] = pd.to_datetime(columns["started_at"], utc=True, format="ISO8601")
    made: pd.DataFrame = pd.DataFrame(columns).astype(COLUMNS)
    return made


def row(record: RunRecord) -> tuple[Any, ...]:
    """Return what a frame has of `record`, in the order of COLUMNS."""
    found = facts(record)
    return tuple(found[name] for name in COLUMNS)


def facts(record: RunRecord) -> dict[str, Any]:
    """Return what a frame has of `record`, by column; text, numbers, booleans and None only."""
    return {
        "record_id": record.record_id,
        "started_at": record.started_at,
        "status": record.status,
        "valid": record.valid,
        "wrong": bool(record.wrong),
        "problems": "; ".join(filter(None, [record.message, *record.problems])),
        "model": _text(_fact(record.model, "name") or _setting(record, "model")),
        "dataset": _dataset(record),
        "device": _text(_setting(record, "device")),
        "batch_size": record.batch_size or _count(_setting(record, "batch_size")),
        "num_gpus": record.num_towers or _count(_setting(record, "num_gpus")),
        "variable_update": _text(_setting(record, "variable_update")),
        "data_format": _text(_setting(record, "data_format")),
        "precision": _precision(record),
        "xla": _text(_setting(record, "xla")),
        "optimizer": _text(_setting(record, "optimizer")),
        **_figures(record),
        **_operations(record),
        **hardware(record),
        "gpu": _gpus(record),
        "tensorflow": _text(_fact(record.environment, "packages", "tensorflow")),
        "source": _text(_fact(record.provenance, "tool")),
        "configuration_key": record.configuration_key,
        "file": record.file,
    }


def _figures(record: RunRecord) -> dict[str, Any]:
    measurement = record.measurement
    names = ("median_step_seconds", "jitter", "first_step_seconds", "time_to_first_step_seconds")
    figures = {name: getattr(measurement, name) if measurement else None for name in names}
    steps = len(measurement.step_seconds) if measurement else None
    return {"num_batches": steps, "images_per_second": record.images_per_second, **figures, **_steady(record)}


def _operations(record: RunRecord) -> dict[str, Any]:
    shares = cost.shares(record.cost)
    return {
        "flops_per_second": cost.speed(record.cost),
        **{f"share_of_{name}": shares.get(name) for name in cost.PEAKS},
    }


def _steady(record: RunRecord) -> dict[str, Any]:
    found, interval = record.statistics, record.steady_interval
    return {
        "steady_images_per_second": record.steady_images_per_second,
        "interval_low": interval.low if interval else None,
        "interval_high": interval.high if interval else None,
        "effective_steps": found.effective_steps if found else None,
        "steady_from": found.steady_from if found else None,
    }


def _dataset(record: RunRecord) -> str:
    name = _text(_fact(record.dataset, "name") or _setting(record, "data_name"))
    kinds = [kind for kind in ("synthetic", "sample") if _fact(record.dataset, kind) is True]
    # no training: not to be taken for its speed
    kinds += [words for flag, words in _NO_TRAINING.items() if _setting(record, flag) is True]
    return f"{name} ({', '.join(kinds)})" if name and kinds else name or ", ".join(kinds)


def _precision(record: RunRecord) -> str:
    """Return the numbers that were computed with; those of a quantised model, whatever it was converted from."""
    quantized = _text(_setting(record, "quantize"))
    return f"{quantized} (LiteRT)" if quantized not in ("", "none") else _text(_setting(record, "precision"))


def gpus_of_run(record: RunRecord) -> list[Any]:
    """Return what is known of the GPUs that the run computed on; where it does not say which, of all of the machine."""
    gpus = _fact(record.hardware, "gpus")
    if not isinstance(gpus, list):
        return []
    numbers = _fact(record.hardware, "gpus_of_run")
    own = [gpu for gpu in gpus if _fact(gpu, "index") in numbers] if isinstance(numbers, list) else []
    return own or gpus


def _gpus(record: RunRecord) -> str:
    """Return the distinct names of the GPUs of the run."""
    names = [_text(_fact(gpu, "name")) for gpu in gpus_of_run(record)]
    return " + ".join(dict.fromkeys(filter(None, names)))


def hardware(record: RunRecord) -> dict[str, Any]:
    """Return the facts of results.machines.HARDWARE of `record`."""
    memory = _count(_fact(record.hardware, "memory_bytes"))
    return {
        "accelerator": accelerator(record),
        "cpu": _text(_fact(record.hardware, "cpu", "model")),
        "usable_cores": _count(_fact(record.hardware, "cpu", "usable_cores")),
        "memory_gib": None if memory is None else (memory + 2**29) // 2**30,
        "virtualisation": _text(_fact(record.hardware, "virtualisation", "kind")),
    }


def accelerator(record: RunRecord) -> str:
    """Return what the towers ran on: GPUs, or parts of them (MIG), or else the processor; "" where it is not known."""
    if _setting(record, "device") == "gpu":
        return " or ".join(part_names(record, gpus_of_run(record))) or _gpus(record)
    return _text(_fact(record.hardware, "cpu", "model"))


def _setting(record: RunRecord, name: str) -> Any:
    """Return a flag's resolved value; a run that ended early has only `params`."""
    return record.configuration.get(name, record.params.get(name))


def _fact(section: Any, *names: str) -> Any:
    """Return `section[name][name]...`, or None where the free-form section is of another shape."""
    for name in names:
        section = section.get(name) if isinstance(section, Mapping) else None
    return section


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return "" if value is None else str(value)


def _count(value: Any) -> int | None:
    return value if type(value) is int and abs(value) < 2**63 else None
