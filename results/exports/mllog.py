"""Records as lines of MLPerf's logging, for tools that read MLLOG.

https://github.com/mlcommons/logging (mlperf_logging/mllog: the line, and the keys in constants.py). A throughput stands
under `tracked_stats`, as in published training logs. These are no submissions: no key that only a submission has is
written, and MLPerf's compliance checker would ask for more.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from results.record import RunRecord


def mllog(records: Sequence[RunRecord]) -> bytes:
    """Return the lines of each record after those of the one before; `namespace` tells the records apart."""
    return "".join(f":::MLLOG {json.dumps(event)}\n" for record in records for event in _events(record)).encode()


def _events(record: RunRecord) -> Iterator[dict[str, Any]]:
    started, finished = _milliseconds(record.started_at), _milliseconds(record.finished_at)

    def event(kind: str, time_ms: int | None, key: str, value: Any = None, **metadata: Any) -> dict[str, Any]:
        return {
            "namespace": record.record_id,
            "time_ms": time_ms,
            "event_type": kind,
            "key": key,
            "value": value,
            "metadata": {"file": record.file, "lineno": 0} | metadata,
        }

    for key, value in _facts(record).items():
        if value is not None:
            yield event("POINT_IN_TIME", started, key, value)
    yield event("INTERVAL_START", started, "run_start")
    if record.images_per_second is not None:
        steps = len(record.measurement.step_seconds) if record.measurement else None
        yield event("POINT_IN_TIME", finished, "tracked_stats", {"throughput": record.images_per_second}, step=steps)
    status = "success" if record.valid else "aborted"
    problems = "; ".join(filter(None, [record.message, *record.problems]))
    yield event("INTERVAL_END", finished, "run_stop", status=status, **({"problems": problems} if problems else {}))


def _facts(record: RunRecord) -> dict[str, Any]:
    batch_size, num_towers = record.batch_size, record.num_towers
    return {
        "seed": record.seeds.get("tf_random_seed"),
        "global_batch_size": batch_size * num_towers if batch_size and num_towers else None,
        "opt_name": record.configuration.get("optimizer"),
        "opt_base_learning_rate": record.configuration.get("init_learning_rate"),
    }


def _milliseconds(moment: str) -> int | None:
    return round(datetime.fromisoformat(moment).timestamp() * 1000) if moment else None
