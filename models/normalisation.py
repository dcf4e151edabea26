"""Batch norm of separate operations: what the fused kernel is measured against."""

from __future__ import annotations

import tensorflow as tf


def composed_batch_norm(
    x: tf.Tensor,
    scale: tf.Tensor,
    offset: tf.Tensor,
    mean: tf.Tensor | None = None,
    variance: tf.Tensor | None = None,
    *,
    epsilon: float,
    data_format: str,
    is_training: bool,
    exponential_avg_factor: float = 1.0,
) -> tuple[tf.Tensor, tf.Tensor | None, tf.Tensor | None]:
    """`x` normalised, and the next moving `mean` and `variance`, as `tf.compat.v1.nn.fused_batch_norm` has them.

    It is computed in float32, as within the fused kernel, by an operation each for the mean, the squared differences,
    their mean, and the product and the sum that scale and shift: what networks did before there was the kernel.
    """
    axes, shape = ((0, 1, 2), (1, 1, 1, -1)) if data_format == "NHWC" else ((0, 2, 3), (1, -1, 1, 1))
    wide = tf.cast(x, tf.float32)
    by, less = mean, variance
    if is_training:
        by, less = tf.nn.moments(wide, axes)
        if mean is not None and variance is not None:
            others = tf.maximum(tf.size(x) // tf.size(by) - 1, 1)  # of each value in its channel
            unbiased = less * (tf.cast(others + 1, tf.float32) / tf.cast(others, tf.float32))
            mean += exponential_avg_factor * (by - mean)
            variance += exponential_avg_factor * (unbiased - variance)
    by, less, offset, scale = (tf.reshape(each, shape) for each in (by, less, offset, scale))
    return tf.cast(tf.nn.batch_normalization(wide, by, less, offset, scale, epsilon), x.dtype), mean, variance
