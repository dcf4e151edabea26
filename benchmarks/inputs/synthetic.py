"""Synthetic input: one batch a tower that stays on its device, so that a step's time has no input in it."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from benchmarks.inputs.image_spec import ImageSpec
from benchmarks.inputs.tower_group import TowerGroup


def batches(
    spec: ImageSpec,
    num_classes: int,
    towers: TowerGroup,
    seed: int,
) -> list[tuple[tf.Tensor, tf.Tensor]]:
    """A resident batch of images and int32 labels on the device of each of `towers`.

    Pixels are truncated normal with mean 0 and standard deviation 1 before truncation at 2: the range of standardised
    images. Over all towers of the run every class occurs equally often, or as nearly so as the number of images allows
    (tf_cnn_benchmarks drew labels from a range that left the last class out). The same seed gives the same batches.
    """
    labels = np.random.default_rng(seed).permutation(np.arange(spec.batch_size * towers.total) % num_classes)
    of_tower = np.split(labels, towers.total)
    return [_batch(spec, device, seed=(seed, tower), labels=of_tower[tower]) for tower, device in towers]


def _batch(spec: ImageSpec, device: str, seed: tuple[int, int], labels: np.ndarray) -> tuple[tf.Tensor, tf.Tensor]:
    with tf.device(device):
        images = tf.cast(tf.random.stateless_truncated_normal(spec.shape, seed), tf.as_dtype(spec.dtype))
        # A constant of int32 stays in the host's memory and would be copied at each step; the result of a cast is not.
        return images, tf.cast(tf.constant(labels, tf.int64), tf.int32)
