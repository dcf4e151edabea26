"""Convolution, plain, grouped or depthwise, by the fastest path that a device has in either layout."""

from __future__ import annotations

import tensorflow as tf

Padding = str | int  # "SAME", "VALID", or pixels on every side as Caffe and the ResNet authors pad


def convolve(
    x: tf.Tensor, kernel: tf.Tensor, stride: int, padding: Padding, *, data_format: str, on_gpu: bool
) -> tf.Tensor:
    """`x` convolved with `kernel` `[height, width, input channels a group, filters]`; the shapes say how many groups.

    Groups of one channel and one filter are a depthwise convolution, for which TensorFlow has kernels of its own.
    """
    height, width, group_channels, filters = kernel.shape
    pads: str | list[list[int]]
    if isinstance(padding, str):
        pads = padding
    else:
        keeps_size = stride == 1 and height == width == 2 * padding + 1
        x, pads = _explicit(x, padding, data_format, keeps_size=keeps_size, on_gpu=on_gpu)
    channels = x.shape[3 if data_format == "NHWC" else 1]
    if group_channels == 1 and channels == filters > 1:
        strides = (1, stride, stride, 1) if data_format == "NHWC" else (1, 1, stride, stride)
        kernel = tf.reshape(kernel, (height, width, filters, 1))
        return tf.nn.depthwise_conv2d(x, kernel, strides, pads, data_format=data_format)
    return tf.nn.conv2d(x, kernel, stride, pads, data_format=data_format)


def padded(x: tf.Tensor, pixels: int, fill: float, data_format: str) -> tf.Tensor:
    """`x` with `pixels` of `fill` on every side."""
    return tf.pad(x, _sides(pixels, data_format), constant_values=tf.cast(fill, x.dtype))


def repeated(x: tf.Tensor, pixels: int, data_format: str) -> tf.Tensor:
    """`x` with the outermost `pixels` of every side once more beyond it, mirrored."""
    return tf.pad(x, _sides(pixels, data_format), "SYMMETRIC")


def _explicit(
    x: tf.Tensor, pixels: int, data_format: str, *, keeps_size: bool, on_gpu: bool
) -> tuple[tf.Tensor, str | list[list[int]]]:
    """`x` and the padding to convolve it with, so that `pixels` are on every side.

    Explicit padding is cuDNN's own. oneDNN has none in the backward pass: there NCHW would fail, and a ResNet's
    stem in NHWC take twice as long (measured on TensorFlow 2.14 and 2.21) as after an operation that pads.
    """
    if keeps_size:
        return x, "SAME"
    if on_gpu:
        return x, _sides(pixels, data_format)
    return padded(x, pixels, 0, data_format), "VALID"


def _sides(pixels: int, data_format: str) -> list[list[int]]:
    sides = [[pixels, pixels], [pixels, pixels]]
    return [[0, 0], *sides, [0, 0]] if data_format == "NHWC" else [[0, 0], [0, 0], *sides]
