"""Events for TensorBoard, written by the default writer at its step.

tf.summary.scalar and histogram need the package tensorboard, which TensorFlow does not bring since 2.21; the events are
the same.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf

_BUCKETS = 30  # as TensorBoard's own histograms have
_SCALAR, _TENSOR = 1, 2  # tensorflow/core/framework/summary.proto


def scalar(tag: str, value: float) -> None:
    """One number."""
    tf.summary.write(tag, np.float32(value), metadata=_metadata("scalars", _SCALAR))


def histogram(tag: str, values: np.ndarray) -> None:
    """Rows of left edge, right edge and count, float64 [buckets, 3]; what is not finite is in none."""
    counts, edges = np.histogram(values[np.isfinite(values)], bins=_BUCKETS)
    tf.summary.write(tag, np.stack([edges[:-1], edges[1:], counts], axis=1), metadata=_metadata("histograms", _TENSOR))


def _metadata(plugin: str, data_class: int) -> tf.compat.v1.SummaryMetadata:
    """What tells TensorBoard how to show it."""
    metadata = tf.compat.v1.SummaryMetadata()
    metadata.plugin_data.plugin_name = plugin
    metadata.data_class = data_class
    return metadata
