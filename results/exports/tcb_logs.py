"""The two files that tf_cnn_benchmarks wrote with --benchmark_log_dir, made from the record of a run.

Their form is that of BenchmarkFileLogger (https://github.com/tensorflow/models, official/r1/utils/logs/logger.py), and
tf_cnn_benchmarks (benchmark_cnn.py) says what is in them. Here both are of the same, latest run, and written whole;
there metric.log grew with every run.
"""

import json
import math
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from results.files import write_whole
from results.measurement import Measurement
from results.mode import mode
from results.record import RunRecord
from results.store import unwritable

FLAG, WHAT = "--benchmark_log_dir", "log"  # as errors have them
METRIC_LOG, RUN_LOG = "metric.log", "benchmark_run.log"
_TIME = "%Y-%m-%dT%H:%M:%S.%fZ"
_RUN_PARAMETERS = {"num_batches": "num_batches", "num_epochs": "num_epochs", "data_format": "data_format",
                   "rewrite_config": "rewriter_config", "optimizer": "optimizer"}  # fmt: skip


def write(record: RunRecord, folder: Path) -> None:
    """Write both files into `folder` (made if need be); raise FolderError where that cannot be done."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / RUN_LOG, _lines([run_info(record)]))
        write_whole(folder / METRIC_LOG, _lines(metrics(record)))
    except OSError as error:
        raise unwritable(folder, error, FLAG, WHAT) from error


def metrics(record: RunRecord) -> Iterator[dict[str, Any]]:
    """The lines of metric.log: the rows that the console had (as means, whatever --display_perf_ewma), and the total.

    The time of a row is the end of the run less the steps that followed; where a run went on after its last step, as
    for --measure_exchange, all rows are that much late.
    """
    measurement = record.measurement
    if not measurement or not measurement.step_seconds:
        return
    for step in _displayed(record, measurement):
        later = math.fsum(measurement.step_seconds[step:])
        time = (datetime.fromisoformat(record.finished_at) - timedelta(seconds=later)).strftime(_TIME)
        mean_seconds = math.fsum(measurement.step_seconds[:step]) / step
        if mean_seconds:
            speed = measurement.batch_size * measurement.num_towers / mean_seconds
            yield _metric("current_examples_per_sec", speed, step, time)
        if measurement.top_1:
            yield _metric("top_1_accuracy", measurement.top_1[step - 1], step, time)
            yield _metric("top_5_accuracy", measurement.top_5[step - 1], step, time)
    if record.status == "completed" and measurement.images_per_second is not None:
        total = measurement.images_per_second
        yield _metric("average_examples_per_sec", total, len(measurement.step_seconds), _moment(record.finished_at))


def run_info(record: RunRecord) -> dict[str, Any]:
    """What benchmark_run.log has. Frequency of the processor and free memory are not known to records."""
    cpu = record.hardware.get("cpu", {})
    variables = record.environment.get("variables", {})
    return {
        "model_name": record.params.get("model"),
        "dataset": {"name": _dataset(record)},
        "machine_config": {
            "cpu_info": {"num_cores": cpu.get("logical_cores"), "cpu_info": cpu.get("model"), "mhz_per_cpu": None},
            "memory_total": record.hardware.get("memory_bytes"),
            "memory_available": None,
        },
        "test_id": record.params.get("benchmark_test_id"),
        "run_date": _moment(record.started_at),
        "tensorflow_version": {
            "version": record.environment.get("packages", {}).get("tensorflow"),
            "git_hash": None,
        },
        "tensorflow_environment_variables": [
            {"name": name, "value": value} for name, value in sorted(variables.items()) if name.startswith("TF_")
        ],
        "run_parameters": [_parameter(name, value) for name, value in sorted(_run_parameters(record).items())],
    }


def _run_parameters(record: RunRecord) -> dict[str, Any]:
    batch_size, num_towers = record.batch_size, record.num_towers
    towers = record.placement.get("towers", [])
    return {
        "model": record.params.get("model"),
        "dataset": _dataset(record),
        "mode": mode(record.params),
        "single_sess": record.params.get("variable_update") == "distributed_all_reduce",
        "devices": towers,
        "batch_size": batch_size * num_towers if batch_size and num_towers else None,
        "batch_size_per_device": float(batch_size) if batch_size else None,  # a quotient there
        "session_config": None,  # TensorFlow 2 has no session
        **{name: record.params.get(flag) for name, flag in _RUN_PARAMETERS.items()},
    }


def _displayed(record: RunRecord, measurement: Measurement) -> Iterator[int]:
    every = record.params.get("display_every") or 10
    steps = len(measurement.step_seconds)
    return (step for step in range(1, steps + 1) if step == 1 or step % every == 0)


def _dataset(record: RunRecord) -> str | None:
    name = record.params.get("data_name")
    return f"{name} (synthetic)" if record.dataset.get("synthetic") else name


def _metric(name: str, value: float, step: int, time: str) -> dict[str, Any]:
    return {"name": name, "value": value, "unit": None, "global_step": step, "timestamp": time, "extras": []}


def _parameter(name: str, value: Any) -> dict[str, Any]:
    """A run parameter under the key of its type; the logger wrote bool_value as text, and all other values too."""
    if isinstance(value, bool):
        return {"name": name, "bool_value": str(value)}
    if isinstance(value, int):
        return {"name": name, "long_value": value}
    if isinstance(value, float):
        return {"name": name, "float_value": value}
    return {"name": name, "string_value": str(value)}


def _moment(text: str) -> str:
    return datetime.fromisoformat(text).strftime(_TIME)


def _lines(entries: Any) -> bytes:
    return "".join(json.dumps(entry) + "\n" for entry in entries).encode()
