"""AlexNet, as framework comparisons of 2014 to 2018 ran it, and the CIFAR-10 network that went by its name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from models import recipes
from models.network import Network, Outputs
from models.recipes import Recipe

if TYPE_CHECKING:
    import tensorflow as tf

    from models.layers import Net


@dataclass(frozen=True, kw_only=True)
class AlexNet(Network):
    """Five convolutions and three fully connected layers, with the widths that tf_cnn_benchmarks gave its `alexnet`.

    Krizhevsky et al. 2012 ran 96/256/384/384/256 filters in two groups, one a GPU, with local response normalisation.
    Krizhevsky 2014, "One weird trick" (arXiv:1404.5997), made them one tower. That is what this is: 64/192/384/384/256
    filters on 227 pixels, without groups, normalisation or padding of the image; 61,838,248 parameters at 1000 classes
    and 61,842,345 at the 1001 of tf_cnn_benchmarks. The other tower in use under that name (torchvision,
    convnet-benchmarks) has 256 filters in its fourth convolution and pads 224 pixels by 2: 61,100,840 at 1000 classes.
    """

    image_size: int = 227
    batch_size: int = 512
    learning_rate: float = 0.001
    drops: bool = True
    recipe: Recipe | None = recipes.ALEXNET

    def __call__(self, net: Net, images: tf.Tensor) -> Outputs:
        """Five convolutions, three of them pooled; two wide layers with dropout; classifier."""
        x = net.conv(images, 64, 11, 4, padding="VALID", name="conv1")
        x = net.max_pool(x, 3, 2)
        x = net.conv(x, 192, 5, name="conv2")
        x = net.max_pool(x, 3, 2)
        x = net.conv(x, 384, 3, name="conv3")
        x = net.conv(x, 384, 3, name="conv4")
        x = net.conv(x, 256, 3, name="conv5")
        x = net.max_pool(x, 3, 2)
        x = net.dropout(net.dense(net.flatten(x), 4096, name="hidden1"), 0.5)
        x = net.dropout(net.dense(x, 4096, name="hidden2"), 0.5)
        return Outputs(net.logits(x))


@dataclass(frozen=True, kw_only=True)
class CifarAlexNet(Network):
    """Two convolutions and three fully connected layers: TensorFlow's CIFAR-10 tutorial, in full 32 pixel images.

    Not AlexNet, but an echo of Krizhevsky's cuda-convnet for CIFAR-10; tf_cnn_benchmarks calls it `alexnet`.
    """

    image_size: int = 32
    batch_size: int = 128
    learning_rate: float = 0.01

    def __call__(self, net: Net, images: tf.Tensor) -> Outputs:
        """Convolution, pool, normalise; convolution, normalise, pool; two fully connected layers; classifier."""
        x = net.conv(images, 64, 5, name="conv1")
        x = net.max_pool(x, 3, 2, padding="SAME")
        x = _normalise(net, x)
        x = net.conv(x, 64, 5, name="conv2")
        x = _normalise(net, x)
        x = net.max_pool(x, 3, 2, padding="SAME")
        x = net.dense(net.flatten(x), 384, name="hidden1")
        x = net.dense(x, 192, name="hidden2")
        return Outputs(net.logits(x))


def _normalise(net: Net, x: tf.Tensor) -> tf.Tensor:
    """Over nine neighbouring channels, with the constants of the tutorial."""
    return net.local_response_norm(x, radius=4, bias=1.0, alpha=0.001 / 9.0, beta=0.75)


IMAGENET: dict[str, Network] = {"alexnet": AlexNet()}
CIFAR10: dict[str, Network] = {"alexnet": CifarAlexNet()}
