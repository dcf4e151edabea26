"""LeNet-5's successor: two convolutions and a hidden layer, as TensorFlow's MNIST tutorial made it popular."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from models.network import Network, Outputs

if TYPE_CHECKING:
    import tensorflow as tf

    from models.layers import Net


@dataclass(frozen=True, kw_only=True)
class LeNet(Network):
    """The network that tf_cnn_benchmarks calls `lenet`, on 28 pixels in colour.

    LeCun et al. 1998 had 6 and 16 filters and 120 hidden units; this one has 32, 64 and 512. On grey digits it is the
    CNN of McMahan et al. 2016 (arXiv:1602.05629, section 3), who give it 1,663,370 parameters.
    """

    image_size: int = 28
    batch_size: int = 32
    learning_rate: float = 0.005

    def __call__(self, net: Net, images: tf.Tensor) -> Outputs:
        """Two 5x5 convolutions, each followed by a pool; a hidden layer; classifier."""
        x = net.max_pool(net.conv(images, 32, 5, name="conv1"), 2, 2)
        x = net.max_pool(net.conv(x, 64, 5, name="conv2"), 2, 2)
        x = net.dense(net.flatten(x), 512, name="hidden")
        return Outputs(net.logits(x))


IMAGENET: dict[str, Network] = {"lenet": LeNet()}
