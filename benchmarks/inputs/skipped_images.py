"""Counts the images that an input pipeline leaves out, and ends the run where there are too many."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from benchmarks.inputs.record_errors import TOO_MANY_SKIPPED


class SkippedImages:
    """The images left out by all pipelines that count here; the counts are kept where the pipelines run.

    Pipelines read ahead: an image counts when it is met, even if the run ends before its batch would have been used.
    """

    def __init__(self, limit: int) -> None:
        """More than `limit` images on a machine end the step with an error."""
        self._limit = limit
        self._counts: dict[str, tf.Variable] = {}

    def keep_and_count(self) -> Callable[[tf.Tensor, tf.Tensor, tf.Tensor], tf.Tensor]:
        """A filter for (image, label, decoded), made on the device of the pipeline: whether the image was decoded."""
        device = tf.zeros([], tf.int64).device
        count = self._counts.get(device)
        if count is None:
            count = self._counts[device] = tf.Variable(tf.zeros([], tf.int64), trainable=False)

        def keep(image: tf.Tensor, label: tf.Tensor, decoded: tf.Tensor) -> tf.Tensor:
            del image, label
            met = count.assign_add(tf.cast(~decoded, tf.int64), read_value=True)
            within = tf.debugging.Assert(met <= self._limit, [TOO_MANY_SKIPPED.format(limit=self._limit)])
            with tf.control_dependencies([within]):
                return tf.identity(decoded)

        return keep

    def total(self) -> int:
        """How many have been left out so far by the pipelines that this process has made, on whatever machine."""
        return sum(int(count.numpy()) for count in self._counts.values())


class NoSkippedImages(SkippedImages):
    """For pipelines that run where nothing can be counted: the first image that cannot be decoded ends the step."""

    def __init__(self) -> None:
        super().__init__(0)

    def keep_and_count(self) -> Callable[[tf.Tensor, tf.Tensor, tf.Tensor], tf.Tensor]:
        """A filter that has no state, and so can be sent to other processes."""

        def keep(image: tf.Tensor, label: tf.Tensor, decoded: tf.Tensor) -> tf.Tensor:
            del image, label
            with tf.control_dependencies([tf.debugging.Assert(decoded, [TOO_MANY_SKIPPED.format(limit=0)])]):
                return tf.identity(decoded)

        return keep
