"""A profile in Chrome's Trace Event Format, which ui.perfetto.dev, chrome://tracing and others show."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from benchmarks.xplane import Event, Profile

_PICOSECONDS = 1e6  # in a microsecond, the format's unit


def chrome_trace(profile: Profile) -> dict[str, Any]:
    """The JSON object: a process for the host and each GPU, with a thread for each of its threads or streams."""
    return {"displayTimeUnit": "ms", "traceEvents": list(_entries(profile))}


def _entries(profile: Profile) -> Iterator[dict[str, Any]]:
    for process, plane in enumerate(profile.planes, start=1):
        yield _metadata("process_name", process, 0, {"name": plane.name})
        yield _metadata("process_sort_index", process, 0, {"sort_index": process})
        for thread, line in enumerate(plane.lines, start=1):
            yield _metadata("thread_name", process, thread, {"name": line.name})
            yield _metadata("thread_sort_index", process, thread, {"sort_index": thread})
            for event in line.events:
                yield _complete(event, process, thread, on_gpu=plane.is_gpu)


def _metadata(name: str, process: int, thread: int, facts: dict[str, Any]) -> dict[str, Any]:
    return {"ph": "M", "name": name, "pid": process, "tid": thread, "args": facts}


def _complete(event: Event, process: int, thread: int, *, on_gpu: bool) -> dict[str, Any]:
    """A span. On the host an operation has its node's name; a GPU's kernel has its own, and the node's beside it."""
    name, facts, category = event.name, dict(event.facts), "profiler"
    if operation := event.operation:
        category = operation.kind
        name = event.name if on_gpu else operation.name
        facts |= {"operation": operation.name, "type": operation.kind}
        facts |= {} if operation.tower is None else {"tower": operation.tower}
    return {
        "ph": "X",
        "name": name,
        "cat": category,
        "pid": process,
        "tid": thread,
        "ts": event.begin / _PICOSECONDS,
        "dur": event.duration / _PICOSECONDS,
        "args": facts,
    }
