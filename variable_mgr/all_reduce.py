"""Carries out an all-reduce schedule with TensorFlow's operations, each on the device that the schedule says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf

from variable_mgr import libraries
from variable_mgr.schedule import Divide, Schedule, Sum


def mean_everywhere(
    schedule: Schedule, tensors: Sequence[tf.Tensor], order: libraries.LaunchOrder | None = None
) -> list[tf.Tensor]:
    """The mean of `tensors`, one of the same shape and dtype on each tower's device, again on each tower's device.

    Sums of more than two numbers narrower than float32 are taken in float32 and rounded once. `order` keeps the
    launches of a library in one order across several calls; without it this call is by itself.
    """
    order = order or libraries.LaunchOrder()
    shape = tensors[0].shape
    slots = [_Slot(device) for device in schedule.devices]
    for slot, tensor in zip(slots, tensors, strict=False):  # the slots behind the towers' start empty
        with tf.device(slot.device):
            slot.write(0, schedule.elements, tensor if schedule.whole else tf.reshape(tensor, [-1]))
    for step in schedule.steps:
        begin, end = step.begin, step.end
        if isinstance(step, Sum):
            pieces = [slots[source].read(begin, end) for source in step.sources]
            with tf.device(slots[step.at].device):
                slots[step.at].write(begin, end, _sum(pieces))
        elif isinstance(step, Divide):
            piece = slots[step.at].read(begin, end)
            with tf.device(slots[step.at].device):
                slots[step.at].write(begin, end, piece / step.divisor)
        else:
            taking_part = [slots[slot] for slot in step.slots]
            pieces = [slot.read(begin, end) for slot in taking_part]
            devices = [slot.device for slot in taking_part]
            sums = libraries.sum_everywhere(step.library, pieces, devices, step.subdivisions, order)
            for slot, total in zip(taking_part, sums, strict=True):
                slot.write(begin, end, total)
    results = []
    for slot in slots[: schedule.towers]:
        result = slot.read(0, schedule.elements)
        with tf.device(slot.device):
            results.append(result if schedule.whole else tf.reshape(result, shape))
    return results


def _sum(pieces: Sequence[tf.Tensor]) -> tf.Tensor:
    """The sum, on the current device; one piece is copied there."""
    if len(pieces) == 1:
        return tf.identity(pieces[0])
    if len(pieces) == 2:
        return pieces[0] + pieces[1]
    dtype = pieces[0].dtype
    if dtype.size >= tf.float32.size:
        return tf.add_n(pieces)
    return tf.cast(tf.add_n([tf.cast(piece, tf.float32) for piece in pieces]), dtype)


class _Segment(NamedTuple):
    """Elements `[begin, end)` of what a slot holds: `tensor` has them, and begins at element `origin`."""

    begin: int
    end: int
    tensor: tf.Tensor
    origin: int


class _Slot:
    """What one slot holds at this point of the schedule: segments in order, cut and joined only when they are read."""

    def __init__(self, device: str) -> None:
        self.device = device
        self._segments: list[_Segment] = []

    def read(self, begin: int, end: int) -> tf.Tensor:
        """Elements `[begin, end)`, on the slot's device."""
        with tf.device(self.device):
            pieces = []
            for segment in self._segments:
                first, last = max(begin, segment.begin), min(end, segment.end)
                if first < last:
                    pieces.append(_cut(segment, first, last))
            return pieces[0] if len(pieces) == 1 else tf.concat(pieces, axis=0)

    def write(self, begin: int, end: int, tensor: tf.Tensor) -> None:
        """Replace elements `[begin, end)` by `tensor`."""
        before = [each._replace(end=min(each.end, begin)) for each in self._segments if each.begin < begin]
        after = [each._replace(begin=max(each.begin, end)) for each in self._segments if each.end > end]
        self._segments = [*before, _Segment(begin, end, tensor, begin), *after]


def _cut(segment: _Segment, begin: int, end: int) -> tf.Tensor:
    """Elements `[begin, end)` of a segment that has them."""
    if end - begin == segment.tensor.shape.num_elements():
        return segment.tensor
    return tf.slice(segment.tensor, [begin - segment.origin], [end - begin])
