"""Records as the summaries that PerfZero writes of its benchmarks, a JSON object a line.

https://github.com/tensorflow/benchmarks/tree/master/perfzero (README, "Json formatted benchmark summary"). What a
record does not know is left out; so are the bounds of the metrics, which say what a benchmark must reach to succeed.
"""

import json
import math
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from results.conditions import conditions
from results.frame import facts
from results.naming import name
from results.record import RunRecord


def perfzero(records: Sequence[RunRecord]) -> bytes:
    """Return a summary a record; `wall_time` is that of the measured window in seconds, -1 where there is none."""
    return "".join(json.dumps(_known(summary(record))) + "\n" for record in records).encode()


def summary(record: RunRecord) -> dict[str, Any]:
    """Return the summary of one record; what is not known is None or empty."""
    known, measurement = conditions(record), record.measurement
    return {
        "ml_framework_info": {"name": "tensorflow", "version": known.get("tensorflow")},
        "execution_timestamp": _timestamp(record.started_at),
        "execution_id": record.record_id,
        "benchmark_info": {
            "harness_name": "run_benchmark.py" if not record.provenance else str(record.provenance.get("tool")),
            "harness_info": {"hash": known.get("commit")},
            "has_exception": record.status == "failed",
        },
        "system_info": _system(record, known),
        "process_info": {},
        "benchmark_result": {
            "name": name(facts(record)),
            "succeeded": record.valid,
            "wall_time": measurement.window_seconds if measurement and measurement.step_seconds else -1,
            "metrics": _metrics(record),
        },
    }


def _metrics(record: RunRecord) -> list[dict[str, Any]]:
    measurement = record.measurement
    figures = {
        "exp_per_second": record.images_per_second,
        "median_step_seconds": measurement.median_step_seconds if measurement else None,
        "startup_time": measurement.time_to_first_step_seconds if measurement else None,
        "accuracy_top_1": measurement.top_1[-1] if measurement and measurement.top_1 else None,
        "accuracy_top_5": measurement.top_5[-1] if measurement and measurement.top_5 else None,
    }
    known = {metric: value for metric, value in figures.items() if value is not None and math.isfinite(value)}
    return [{"name": metric, "value": value} for metric, value in known.items()]


def _system(record: RunRecord, known: dict[str, str]) -> dict[str, Any]:
    cpu, gpus = record.hardware.get("cpu"), record.hardware.get("gpus")
    cpu = cpu if isinstance(cpu, dict) else {}
    return {
        "system_name": record.environment.get("hostname"),
        "platform_name": record.environment.get("platform"),
        "accelerator_count": len(gpus) if isinstance(gpus, list) else None,
        "accelerator_model": facts(record)["gpu"],
        "accelerator_driver_version": known.get("driver"),
        "cpu_model": known.get("cpu"),
        "physical_cpu_count": cpu.get("physical_cores"),
        "logical_cpu_count": cpu.get("logical_cores"),
    }


def _timestamp(started_at: str) -> float | None:
    return datetime.fromisoformat(started_at).timestamp() if started_at else None


def _known(section: dict[str, Any]) -> dict[str, Any]:
    """Return `section` and those in it without what is not known."""
    within = {key: _known(value) if isinstance(value, dict) else value for key, value in section.items()}
    return {key: value for key, value in within.items() if value not in (None, "")}
