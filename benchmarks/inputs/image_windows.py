"""Which part of an image is used, and how it is cut out of a JPEG and brought to a size.

A window is int32 [4]: the first row and column, height and width, in pixels.
"""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

AREA = (0.05, 1.0)  # of the image; this and the next two are those of Inception's training
ASPECT = (0.75, 1.33)  # width over height
COVERED = 0.1  # of some object's box; where there are none, of the image
_ATTEMPTS = 100  # to find such a window; then it is the whole image
CENTRAL = 0.875  # of the sides, for evaluation

METHODS = ("nearest", "bilinear", "bicubic", "area")  # in the order of round_robin


def random_window(shape: tf.Tensor, boxes: Sequence[tf.Tensor], seed: tf.Tensor) -> tf.Tensor:
    """A window drawn by `seed` (int64 [2]) from an image of `shape` (height, width, channels).

    It covers a part of some object, if `boxes` has any: ymin, xmin, ymax, xmax, each float32 [boxes] in parts of the
    image's sides. They are cut at the image's edges, beyond which those of ImageNet reach now and then.
    """
    within = tf.clip_by_value(tf.stack(boxes, axis=-1)[None], 0.0, 1.0)
    begin, size, _ = tf.image.stateless_sample_distorted_bounding_box(
        shape,
        within,
        seed,
        min_object_covered=COVERED,
        aspect_ratio_range=ASPECT,
        area_range=AREA,
        max_attempts=_ATTEMPTS,
        use_image_if_no_bounding_boxes=True,
    )
    return tf.concat([begin[:2], size[:2]], axis=0)


def central_window(shape: tf.Tensor, *, square: bool) -> tf.Tensor:
    """The window in the middle of an image of `shape` that has 7/8 of its sides, or with `square` of its shorter side.

    Brought to 224, the square one is the middle of an image whose shorter side was brought to 256.
    """
    sides = shape[:2]
    measured = tf.repeat(tf.reduce_min(sides), 2) if square else sides
    window = tf.maximum(tf.cast(tf.round(CENTRAL * tf.cast(measured, tf.float32)), tf.int32), 1)
    return tf.concat([(sides - window) // 2, window], axis=0)


def cut_out(data: tf.Tensor, window: tf.Tensor, *, fused: bool) -> tf.Tensor:
    """The pixels of `window`, uint8 [height, width, 3], of the JPEG `data`.

    With `fused` only what is needed for them is decoded; without, everything: the pixels are the same. Colours are
    brought to full size, and frequencies to pixels, in the way that is fast.
    """
    how = {"channels": 3, "fancy_upscaling": False, "dct_method": "INTEGER_FAST"}
    if fused:
        return tf.io.decode_and_crop_jpeg(data, window, **how)
    row, column, height, width = tf.unstack(window)
    return tf.io.decode_jpeg(data, **how)[row : row + height, column : column + width]


def resized(pixels: tf.Tensor, height: int, width: int, method: str, number: tf.Tensor) -> tf.Tensor:
    """`pixels` [any, any, 3] as float32 [height, width, 3]; round_robin takes a method by the `number` of the image."""

    def by(name: str) -> tf.Tensor:
        return tf.cast(tf.image.resize(pixels, [height, width], name), tf.float32)

    if method != "round_robin":
        return by(method)
    turn = tf.cast(number % len(METHODS), tf.int32)
    return tf.switch_case(turn, [lambda name=name: by(name) for name in METHODS])
