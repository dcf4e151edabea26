"""A variable that a network needs, and the value that it starts from."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass

import tensorflow as tf


@dataclass(frozen=True)
class Declaration:
    """One variable that a network needs, before it exists anywhere. Always float32.

    Initial values are normal with `stddev` around zero, or the constant `fill` where `stddev` is zero.
    """

    name: str
    shape: tuple[int, ...]
    stddev: float = 0.0
    fill: float = 0.0
    trainable: bool = True
    decayed: bool = True

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""
        return 4 * self.size

    def initial_value(self, seed: int) -> tf.Tensor:
        """The value to start from: a function of name, shape and `seed` alone, the same in every store and process."""
        if not self.stddev:
            return tf.fill(self.shape, tf.constant(self.fill, tf.float32))
        name_hash = int.from_bytes(hashlib.blake2s(self.name.encode(), digest_size=4).digest(), "little", signed=True)
        with tf.init_scope():  # XLA draws other numbers from the same seed
            return tf.random.stateless_normal(self.shape, [name_hash, seed], stddev=self.stddev, alg="philox")
