"""The least network: what is left of a step when the model costs nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from models.network import Network, Outputs

if TYPE_CHECKING:
    import tensorflow as tf

    from models.layers import Net


@dataclass(frozen=True, kw_only=True)
class Trivial(Network):
    """The image's features in a row, one hidden layer of one unit, a hidden layer of 4096, a classifier."""

    batch_size: int = 32
    learning_rate: float = 0.005

    def __call__(self, net: Net, images: tf.Tensor) -> Outputs:
        """Two fully connected layers and the classifier."""
        x = net.dense(net.flatten(images), 1, name="hidden1")
        x = net.dense(x, 4096, name="hidden2")
        return Outputs(net.logits(x))


IMAGENET = {"trivial": Trivial(image_size=227)}
CIFAR10 = {"trivial": Trivial(image_size=32)}
