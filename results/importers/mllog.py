"""MLPerf training logs: lines of `:::MLLOG {json}`, as the package mlperf_logging writes them.

MLPerf demands no throughput. Where a log has one, under "throughput" or within "tracked_stats", the last one counts; it
is in samples per second of all devices, as the known implementations write it. Without one the record has no figure.
"""

import json
import re
from collections.abc import Iterable
from typing import Any

from results.importers.figures import moment
from results.importers.run import Run
from results.reported import ReportedRow

SIGNATURE = re.compile(r"(?:[\w\-.:\[\] |]{0,60})?:::MLLOG \{")
_LINE = re.compile(r":::MLLOG (\{.*)")
_SETTINGS = {"opt_name": "optimizer", "submission_benchmark": "model"}
_THROUGHPUTS = ("throughput", "images_per_second", "total_images_per_second")
_LOSSES = ("train_loss", "loss")
_STEPS = ("step", "step_num", "samples_count", "epoch_num")


def read(lines: Iterable[str]) -> list[Run]:
    """Return the run of a log."""
    run, events = Run(tool="MLLOG", message="the log ends without run_stop"), _Events()
    for line in lines:
        if (match := _LINE.search(line)) and (event := _parsed(match[1])):
            events.see(run, event)
    for name, value in (("submission_org", "organisation"), ("submission_platform", "platform")):
        if name in events.facts:
            run.provenance[value] = events.facts[name]
    if "submission_benchmark" in events.facts:
        run.model = {"name": events.facts["submission_benchmark"]}
    if events.unreadable:
        run.provenance["unreadable_lines"] = events.unreadable
    return [run]


def _parsed(text: str) -> dict[str, Any] | None:
    try:
        event = json.loads(text)
    except (ValueError, RecursionError):
        return {"key": ""}
    return event if isinstance(event, dict) else {"key": ""}


class _Events:
    """What the events said so far."""

    def __init__(self) -> None:
        self.facts: dict[str, str] = {}
        self.unreadable = 0
        self._rows = 0

    def see(self, run: Run, event: dict[str, Any]) -> None:
        """Take notice of one event."""
        key, value = event.get("key"), event.get("value")
        if not isinstance(key, str) or not key:
            self.unreadable += 1
            return
        metadata = event.get("metadata") if isinstance(event.get("metadata"), dict) else {}
        time = _time(event.get("time_ms"))
        if key.startswith("submission_") and isinstance(value, str):
            self.facts.setdefault(key, value[:200])
        if key in _SETTINGS and isinstance(value, str):
            run.configuration[_SETTINGS[key]] = value[:200]
        elif key == "global_batch_size" and isinstance(value, int):
            run.configuration["global_batch_size"] = value if 0 < value < 2**53 else None
        elif key == "run_start":
            run.started = time
        elif key == "run_stop":
            run.finished = time
            status = str((metadata or {}).get("status"))[:40]
            run.complete, run.message = status == "success", f"run_stop says: {status}"
        self._figures(run, key, value, metadata or {}, time)

    def _figures(self, run: Run, key: str, value: Any, metadata: dict[str, Any], time: float | None) -> None:
        named = value if key == "tracked_stats" and isinstance(value, dict) else {key: value}
        speed = next((_finite(named[name]) for name in _THROUGHPUTS if name in named), None)
        loss = next((_number(named[name]) for name in _LOSSES if name in named), None)
        if speed is None and loss is None:
            return
        if speed is not None and speed >= 0:
            run.images_per_second = speed
        self._rows += 1
        step = next((metadata[name] for name in _STEPS if type(metadata.get(name)) is int), self._rows)
        step = step if abs(step) < 2**53 else self._rows
        run.add_row(ReportedRow(step=step, images_per_second=speed, loss=loss, unix_seconds=time))


def _number(value: Any) -> float | None:
    if isinstance(value, int) and abs(value) > 2**53:
        return None
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _finite(value: Any) -> float | None:
    found = _number(value)
    return found if found is not None and abs(found) < float("inf") else None


def _time(milliseconds: Any) -> float | None:
    value = _number(milliseconds)
    return None if value is None else moment(str(value / 1000))
