"""Small steps that put their operations on devices in one way or another, after the examples of TensorFlow's old guide.

A step is a function of the devices, of which the first is nearest, and of how much work it has.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import tensorflow as tf

_HOST = "/cpu:0"
_LINKS = 8  # of a chain of operations, each of which needs what the one before has computed


@dataclass(frozen=True)
class Work:
    """Matrices of `side` times `side` numbers, and how many `products` a tower makes of them, one after another."""

    side: int
    products: int = 1


# A GPU needs more for what it computes to be more than what it costs to begin.
COMPUTED = {"cpu": Work(1024), "gpu": Work(4096, products=8)}

Compute = Callable[[Sequence[str], Work], tf.Tensor]


def images(work: Work) -> tf.Tensor:
    """Random numbers, which are not known before the step runs, in rows whose sums are about 1."""
    return tf.random.uniform((work.side, work.side), maxval=2 / work.side)


def pinned(devices: Sequence[str], work: Work) -> tf.Tensor:
    """Images are made and prepared on the CPU, their products are on the last device."""
    with tf.device(_HOST):
        prepared = tf.sqrt(images(work))
    with tf.device(devices[-1]):
        return _products(prepared, work)


def free(_devices: Sequence[str], work: Work) -> tf.Tensor:
    """The same, wherever TensorFlow puts it."""
    return _products(tf.sqrt(images(work)), work)


def on_the_host(_devices: Sequence[str], work: Work) -> tf.Tensor:
    """The same, all of it on the CPU."""
    return pinned((_HOST,), work)


def together(devices: Sequence[str], work: Work) -> tf.Tensor:
    """A chain of operations on one device."""
    return _chain([devices[0]] * _LINKS, work)


def alternating(devices: Sequence[str], work: Work) -> tf.Tensor:
    """The same chain, each operation on another device than the one before: every result crosses."""
    return _chain([(devices[0], devices[-1])[link % 2] for link in range(_LINKS)], work)


def several(devices: Sequence[str], work: Work) -> tf.Tensor:
    """Each device computes products of its own, the CPU adds them up."""
    found = []
    for device in devices:
        with tf.device(device):
            found.append(_products(images(work), work))
    with tf.device(_HOST):
        return tf.add_n(found)


def one(devices: Sequence[str], work: Work) -> tf.Tensor:
    """The first device computes the products of all, the CPU adds them up."""
    return several([devices[0]] * len(devices), work)


WAYS: dict[str, Compute] = {
    "pinned": pinned,
    "free": free,
    "host": on_the_host,
    "soft": pinned,
    "strict": pinned,
    "together": together,
    "alternating": alternating,
    "several": several,
    "one": one,
}


def _products(matrix: tf.Tensor, work: Work) -> tf.Tensor:
    found = matrix
    for _ in range(work.products):
        found = tf.matmul(matrix, found)
    return found


def _chain(devices: Sequence[str], work: Work) -> tf.Tensor:
    with tf.device(devices[0]):
        found = images(work)
    for device in devices:
        with tf.device(device):
            found = tf.reverse(found, [0])  # of a chain as of square roots TensorFlow makes one operation on one device
    return found
