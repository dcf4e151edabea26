"""What TensorBoard shows of a training, written in pauses of the table."""

from __future__ import annotations

import math

import numpy as np
import tensorflow as tf

from benchmarks.errors import UserError
from benchmarks.measure import Recording
from benchmarks.step import TrainingStep

_BUCKETS = 30  # as TensorBoard's own histograms have


class Summaries:
    """The pauses after every `interval` steps in which events are written into `folder`."""

    def __init__(self, folder: str, step: TrainingStep, interval: int, verbosity: int) -> None:
        """From `verbosity` 2 on, histograms of the variables of the first tower too."""
        self._step = step
        self._interval = interval
        self._with_histograms = verbosity >= 2
        try:
            self._writer = tf.summary.create_file_writer(folder)
            self._writer.flush()
        except tf.errors.OpError as error:
            raise UserError(f"--train_dir={folder} cannot be written: {error.message}. Give another folder.") from error

    def due(self, recording: Recording) -> bool:
        """Whether the latest step ends an interval."""
        steps = len(recording.step_seconds)
        return steps > 0 and steps % self._interval == 0

    def __call__(self, recording: Recording) -> bool:
        """Write; the training goes on. The rate is that of the step to come, the speed that of the interval."""
        step = recording.earlier.steps + len(recording.step_seconds)
        seconds = math.fsum(recording.step_seconds[-self._interval :])
        with self._writer.as_default(step), tf.device("/cpu:0"):
            _scalar("loss", recording.outcomes[-1].loss)
            _scalar("learning_rate", float(self._step.rate.value()))
            _scalar("images_per_second", recording.images_per_step * self._interval / seconds)
            if self._with_histograms:
                for name, variable in self._step.strategy.stores[0].variables.items():
                    _histogram(f"variables/{name}", variable.numpy())
        self._writer.flush()
        return False


def _scalar(tag: str, value: float) -> None:
    tf.summary.write(tag, np.float32(value), metadata=_metadata("scalars", 1))


def _histogram(tag: str, values: np.ndarray) -> None:
    """Rows of left edge, right edge and count, float64 [buckets, 3]; what is not finite is in none."""
    counts, edges = np.histogram(values[np.isfinite(values)], bins=_BUCKETS)
    tf.summary.write(tag, np.stack([edges[:-1], edges[1:], counts], axis=1), metadata=_metadata("histograms", 2))


def _metadata(plugin: str, data_class: int) -> tf.compat.v1.SummaryMetadata:
    """What tells TensorBoard how to show it.

    tf.summary.scalar and histogram need the package tensorboard, which TensorFlow does not bring since 2.21; the events
    are the same. The class 1 is a scalar, 2 a tensor (tensorflow/core/framework/summary.proto).
    """
    metadata = tf.compat.v1.SummaryMetadata()
    metadata.plugin_data.plugin_name = plugin
    metadata.data_class = data_class
    return metadata
