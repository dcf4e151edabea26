"""Counts and names the images that an input pipeline leaves out, and ends the run where there are too many."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from benchmarks.inputs.record_errors import TOO_MANY_SKIPPED

NAMED = 10  # the first ones that are met; the others are counted


class _Met(NamedTuple):
    """What has been left out by the pipelines of one device: how many, and the names of the first."""

    count: tf.Variable
    names: tf.Variable


class SkippedImages:
    """The images left out by all pipelines that count here; they are counted where the pipelines run.

    Pipelines read ahead: an image counts when it is met, even if the run ends before its batch would have been used.
    """

    def __init__(self, limit: int) -> None:
        """More than `limit` images on a machine end the step with an error."""
        self._limit = limit
        self._met: dict[str, _Met] = {}

    def counter(self) -> Callable[[tf.Tensor, tf.Tensor], tf.Operation]:
        """What counts an image of a name and of data that cannot be decoded; made on the device of the pipeline."""
        device = tf.zeros([], tf.int64).device
        met = self._met.get(device)
        if met is None:
            met = self._met[device] = _Met(
                tf.Variable(tf.zeros([], tf.int64), trainable=False), tf.Variable(tf.fill([NAMED], ""), trainable=False)
            )
        count, names = met

        def add(name: tf.Tensor, data: tf.Tensor) -> tf.Operation:
            # Counted and read at once: an image met at the same moment must not get the same number.
            number = 1 + tf.raw_ops.ResourceCountUpTo(resource=count.handle, limit=tf.int64.max, T=tf.int64)
            told = tf.strings.join([name, ": ", what_is_wrong(data)])
            first = tf.boolean_mask([number - 1], [number <= NAMED])
            named = names.scatter_update(tf.IndexedSlices(tf.boolean_mask([told], [number <= NAMED]), first))
            within = tf.debugging.Assert(number <= self._limit, [TOO_MANY_SKIPPED.format(limit=self._limit)])
            return tf.group(named, within)

        return add

    def total(self) -> int:
        """How many have been left out so far by the pipelines that this process has made, on whatever machine."""
        return sum(int(met.count.numpy()) for met in self._met.values())

    def named(self) -> list[str]:
        """Where the first of them are and what is wrong with them, at most `NAMED`, each once."""
        names = [name.decode(errors="replace") for met in self._met.values() for name in met.names.numpy() if name]
        return list(dict.fromkeys(names))[:NAMED]


class NoSkippedImages(SkippedImages):
    """For pipelines that run where nothing can be counted: the first image that cannot be decoded ends the step."""

    def __init__(self) -> None:
        super().__init__(0)

    def counter(self) -> Callable[[tf.Tensor, tf.Tensor], tf.Operation]:
        """What has no state, and so can be sent to other processes."""
        return lambda name, data: tf.debugging.Assert(
            False, [TOO_MANY_SKIPPED.format(limit=0), name, what_is_wrong(data)]
        )


def what_is_wrong(data: tf.Tensor) -> tf.Tensor:
    """In words, why `data`, a scalar string that could not be decoded, is no JPEG. Its first and last bytes tell."""
    begins = tf.strings.substr(data, 0, tf.minimum(2, tf.strings.length(data))) == b"\xff\xd8"
    ends = tf.strings.substr(data, -tf.minimum(2, tf.strings.length(data)), 2) == b"\xff\xd9"
    of_jpeg = tf.where(ends, "damaged", "truncated")
    return tf.where(tf.strings.length(data) == 0, "empty", tf.where(begins, of_jpeg, "no JPEG"))
