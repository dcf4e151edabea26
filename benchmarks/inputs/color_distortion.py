"""Random changes of brightness, saturation, hue and contrast, as Inception was trained with.

Images are float32 [height, width, 3] with values of 0 to 1; what the changes bring beyond that is cut off at the end.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import tensorflow as tf

# Colours to brightness (Y) and two differences (I, Q), as tf.image.rgb_to_yiq has it: values = rgb @ matrix.
_TO_YIQ = np.array(
    [[0.299, 0.59590059, 0.2115], [0.587, -0.27455667, -0.52273617], [0.114, -0.32134392, 0.31119955]], np.float32
)
_FROM_YIQ = np.linalg.inv(_TO_YIQ)
_BRIGHTNESS = 32 / 255
_HUE = 0.2  # of half a turn in YIQ, of a whole one in HSV: tf_cnn_benchmarks' ranges
_FACTORS = (0.5, 1.5)


class Change(NamedTuple):
    """What is done to an image: scalars of float32.

    `brightness` is added, `saturation` and `contrast` are factors, `hue` is between -0.2 and 0.2.
    """

    brightness: tf.Tensor
    saturation: tf.Tensor
    hue: tf.Tensor
    contrast: tf.Tensor


def draw(seed: tf.Tensor) -> Change:
    """A change drawn by `seed` (int64 [2])."""
    low = tf.constant([-_BRIGHTNESS, _FACTORS[0], -_HUE, _FACTORS[0]])
    high = tf.constant([_BRIGHTNESS, _FACTORS[1], _HUE, _FACTORS[1]])
    return Change(*tf.unstack(low + (high - low) * tf.random.stateless_uniform([4], seed)))


def in_yiq(image: tf.Tensor, change: Change) -> tf.Tensor:
    """`image` with `change`, where hue and saturation turn and stretch the plane of I and Q.

    That is a matrix, and contrast stretches about the mean of each channel, so both orders of the two are the same, and
    all of it is one product with a matrix.
    """
    angle = math.pi * change.hue
    sine, cosine = change.saturation * tf.sin(angle), change.saturation * tf.cos(angle)
    turn = tf.reshape(tf.stack([1.0, 0.0, 0.0, 0.0, cosine, sine, 0.0, -sine, cosine]), [3, 3])
    colors = tf.matmul(tf.matmul(_TO_YIQ, turn), _FROM_YIQ)
    pixels = tf.reshape(image, [-1, 3])
    by_column = tf.reduce_mean(image, axis=0)  # first along what lies far apart in memory: a quarter of the time
    mean = tf.matmul(tf.reduce_mean(by_column, axis=0, keepdims=True), colors)
    changed = tf.matmul(pixels, change.contrast * colors) + ((1.0 - change.contrast) * mean + change.brightness)
    return tf.clip_by_value(tf.reshape(changed, tf.shape(image)), 0.0, 1.0)


def in_hsv(image: tf.Tensor, change: Change, *, contrast_first: tf.Tensor) -> tf.Tensor:
    """`image` with `change` by tf.image's functions; contrast comes last, or before saturation and hue."""

    def colors(image: tf.Tensor) -> tf.Tensor:
        return tf.image.adjust_hue(tf.image.adjust_saturation(image, change.saturation), change.hue)

    def contrast(image: tf.Tensor) -> tf.Tensor:
        return tf.image.adjust_contrast(image, change.contrast)

    image = tf.image.adjust_brightness(image, change.brightness)
    changed = tf.cond(contrast_first, lambda: colors(contrast(image)), lambda: contrast(colors(image)))
    return tf.clip_by_value(changed, 0.0, 1.0)
