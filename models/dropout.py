"""Dropout whose random numbers follow from the step: a training that goes on draws what it would have drawn."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

_PHILOX = 1  # the generator of Salmon et al. 2011, by its number in TensorFlow's raw operations


@dataclass(frozen=True)
class Noise:
    """The random numbers of one tower in one step: a function of all that is named here, and of the layer.

    `counter` is uint64 `[2]`: the numbers of a layer are counted from its first on, and the second is the step's. None
    stands for the first step.
    """

    seed: int = 0
    tower: int = 0
    counter: tf.Tensor | None = None

    def uniform(self, layer: int, shape: tf.Tensor, dtype: tf.DType) -> tf.Tensor:
        """Numbers from 0 to below 1 for the layer of that number.

        By one operation, as `tf.nn.dropout` has it. TensorFlow's stateless dropout has fifty more in each layer, by
        which it makes a key and a counter of a seed.
        """
        digest = hashlib.blake2s(f"{self.seed}/{self.tower}/{layer}".encode(), digest_size=8).digest()
        key = tf.constant(np.frombuffer(digest, np.dtype("<u8")), tf.uint64)
        counter = tf.zeros((2,), tf.uint64) if self.counter is None else self.counter
        return tf.raw_ops.StatelessRandomUniformV2(shape=shape, key=key, counter=counter, alg=_PHILOX, dtype=dtype)


def dropped(x: tf.Tensor, rate: float, noise: Noise, layer: int, *, whole_images: bool) -> tf.Tensor:
    """`x` with a share `rate` of the features, or of the images, set to zero, and the others scaled up."""
    shape = (tf.shape(x)[0], *[1] * (len(x.shape) - 1)) if whole_images else tf.shape(x)
    return tf.where(noise.uniform(layer, shape, x.dtype) >= rate, x * (1 / (1 - rate)), tf.zeros((), x.dtype))
