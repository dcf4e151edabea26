"""What TensorFlow's profiler recorded, as plain values.

It writes an XSpace (tsl/profiler/protobuf/xplane.proto): a plane for the host and for each GPU, on it a line for each
thread or stream, on that the events. TensorFlow 2.14 and 2.21 write that alone, and nothing for Chrome.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

STEP = "step"  # the name of the event that a traced step is
_GPU = "/device:GPU:"
_THREAD_ID = re.compile(r"/-?\d+$")  # which says nothing to a reader
_NUMBERS = re.compile(r"(?:[._]\d+)+$")
_TOWER = re.compile(r"(?:^|/)tower(\d+)/")


class Operation(NamedTuple):
    """A node of the step's graph: its name and the type of its kernel, such as Conv2D."""

    name: str
    kind: str

    @property
    def tower(self) -> int | None:
        """The tower that it belongs to, if it is one's own."""
        match = _TOWER.search(self.name)
        return int(match[1]) if match else None


@dataclass(frozen=True)
class Event:
    """Something that took time. Times are picoseconds, `begin` since the profiler began.

    `operation` is the one that it is (on the host) or that launched it (on a GPU), if any.
    """

    name: str
    begin: int
    duration: int
    operation: Operation | None
    facts: Mapping[str, Any]

    @property
    def end(self) -> int:
        """When it was over."""
        return self.begin + self.duration


@dataclass(frozen=True)
class Line:
    """A thread of the host, or a stream of a GPU; its events in the order of their beginning, outer ones first."""

    name: str
    events: tuple[Event, ...]


@dataclass(frozen=True)
class Plane:
    """The host, or a GPU."""

    name: str
    lines: tuple[Line, ...]

    @property
    def is_gpu(self) -> bool:
        """Whether its events are those of a GPU."""
        return self.name.startswith(_GPU)


@dataclass(frozen=True)
class Profile:
    """All that was recorded; `complaints` are the profiler's own words on what it could not see."""

    planes: tuple[Plane, ...]
    complaints: tuple[str, ...] = ()

    @functools.cached_property
    def steps(self) -> list[Event]:
        """The traced steps, in their order."""
        host = (line for plane in self.planes if not plane.is_gpu for line in plane.lines)
        found = [event for line in host for event in line.events if event.name == STEP]
        return sorted(found, key=lambda event: event.begin)


def read(space: bytes) -> Profile:
    """The profile in the serialised XSpace `space`. Marks without a duration, and planes without events, are left out.

    Such marks are the profiler's own: memory allocations, and who woke which thread.
    """
    # No public name leads to it, in any release; this one has been there from 2.14 to 2.21.
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    message = xplane_pb2.XSpace.FromString(space)
    planes = (Plane(plane.name, tuple(_lines(plane))) for plane in message.planes)
    return Profile(tuple(plane for plane in planes if plane.lines), (*message.errors, *message.warnings))


def _lines(plane: Any) -> Iterator[Line]:
    for line in plane.lines:
        begin = line.timestamp_ns * 1000
        events = [_event(plane, event, begin) for event in line.events if event.duration_ps]
        if events:
            events.sort(key=lambda event: (event.begin, -event.duration))
            name = line.display_name or line.name
            yield Line(_THREAD_ID.sub("", name), tuple(events))


def _event(plane: Any, event: Any, begin: int) -> Event:
    described = plane.event_metadata[event.metadata_id]
    facts = {name: value for stat in event.stats for name, value in _fact(plane, stat)}
    if "hlo_op" in facts:
        operation: Operation | None = _compiled(str(facts["hlo_op"]))
    elif plane.name.startswith(_GPU):
        operation = _launched_by(str(facts.get("tf_op", "")), described.name)
    else:
        operation = _started(described.name, facts) or _run(described.name, described.display_name)
    return Event(described.name, begin + event.offset_ps, event.duration_ps, operation, facts)


def _fact(plane: Any, stat: Any) -> Iterator[tuple[str, Any]]:
    """The name and value of `stat`, unless it only ties events together for TensorBoard."""
    name, kind = plane.stat_metadata[stat.metadata_id].name, stat.WhichOneof("value")
    if name == "id" or name.startswith("_") or kind in (None, "bytes_value"):
        return
    value = getattr(stat, kind)
    if kind == "ref_value":
        value = plane.stat_metadata[value].name
    elif isinstance(value, float) and not math.isfinite(value):
        value = str(value)  # JSON has no such number
    yield name, value


def _compiled(name: str) -> Operation:
    """An operation of XLA; what it does is its name without the numbers."""
    return Operation(name, f"XLA {_NUMBERS.sub('', name)}")


def _started(name: str, facts: Mapping[str, Any]) -> Operation | None:
    """An operation that others go on beside, in the words of TensorFlow 2.21."""
    if name == "ExecutorState::ProcessAsync::Start" and "kernel_type" in facts:
        return Operation(str(facts["name"]), str(facts["kernel_type"]))
    return None


def _run(name: str, display_name: str) -> Operation | None:
    """Any other operation on the host is named node:type, and shown as its type."""
    if display_name and name.endswith(f":{display_name}"):
        return Operation(name.removesuffix(f":{display_name}"), display_name)
    return None


def _launched_by(name: str, kernel: str) -> Operation:
    """What launched `kernel` is named in the same way; what TensorFlow copies by itself has the name of that."""
    node, _, kind = name.rpartition(":")
    return Operation(node, kind) if node else Operation(kernel, kernel)
