"""DenseNet: Huang et al. 2016, "Densely connected convolutional networks" (arXiv:1608.06993)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from models import recipes
from models.network import Network, Outputs
from models.recipes import Recipe

if TYPE_CHECKING:
    import tensorflow as tf

    from models.layers import Net


def plain_layer(net: Net, x: tf.Tensor, growth: int) -> tf.Tensor:
    """`growth` more channels: 3x3, normalised before."""
    new = net.batch_norm(x, name="norm")
    return net.concat([x, net.conv(new, growth, 3, padding=1, bias=False, relu=False, name="conv")])


def bottleneck_layer(net: Net, x: tf.Tensor, growth: int) -> tf.Tensor:
    """`growth` more channels: 1x1 to four times as many, 3x3, normalised before each (DenseNet-B)."""
    new = net.batch_norm(x, name="norm")
    new = net.conv_bn(new, 4 * growth, 1, name="bottleneck")
    return net.concat([x, net.conv(new, growth, 3, padding=1, bias=False, relu=False, name="conv")])


def transition(net: Net, x: tf.Tensor, filters: int) -> tf.Tensor:
    """To half the grid and `filters` channels: 1x1, normalised before; mean over 2x2."""
    x = net.batch_norm(x, name="norm")
    return net.avg_pool(net.conv(x, filters, 1, bias=False, relu=False, name="conv"), 2, 2)


@dataclass(frozen=True, kw_only=True)
class DenseNet(Network):
    """A DenseNet-BC for ImageNet: `blocks` of so many layers, bottlenecks that each add `growth` channels (table 1)."""

    blocks: tuple[int, int, int, int]
    growth: int = 32
    image_size: int = 224
    batch_size: int = 64
    learning_rate: float = 0.1
    recipe: Recipe | None = recipes.DENSENET

    def __call__(self, net: Net, images: tf.Tensor) -> Outputs:
        """Stem, four dense blocks with transitions to half the channels between them, global average, classifier."""
        x = net.conv_bn(images, 2 * self.growth, 7, 2, padding=3, name="stem")
        x = net.max_pool(x, 3, 2, padding=1)
        for block, layers in enumerate(self.blocks, start=1):
            if block > 1:
                with net.scope(f"transition{block - 1}"):
                    x = transition(net, x, net.channels(x) // 2)
            for layer in range(1, layers + 1):
                with net.scope(f"block{block}/layer{layer}"):
                    x = bottleneck_layer(net, x, self.growth)
        return Outputs(net.logits(net.global_average(net.batch_norm(x, name="norm"))))


@dataclass(frozen=True, kw_only=True)
class CifarDenseNet(Network):
    """A DenseNet for CIFAR-10 of 3n + 4 layers: n = `layers` in each block, each adding `growth` channels (table 2).

    Neither bottlenecks nor compression, and no dropout, as the paper has it for augmented images.
    """

    layers: int
    growth: int
    image_size: int = 32
    batch_size: int = 64
    learning_rate: float = 0.1
    recipe: Recipe | None = recipes.CIFAR_DENSENET

    def __call__(self, net: Net, images: tf.Tensor) -> Outputs:
        """Stem, three dense blocks with transitions between them, global average, classifier."""
        x = net.conv(images, 16, 3, padding=1, bias=False, relu=False, name="stem")
        for block in range(1, 4):
            if block > 1:
                with net.scope(f"transition{block - 1}"):
                    x = transition(net, x, net.channels(x))
            for layer in range(1, self.layers + 1):
                with net.scope(f"block{block}/layer{layer}"):
                    x = plain_layer(net, x, self.growth)
        return Outputs(net.logits(net.global_average(net.batch_norm(x, name="norm"))))


IMAGENET: dict[str, Network] = {"densenet121": DenseNet(blocks=(6, 12, 24, 16))}
CIFAR10: dict[str, Network] = {
    "densenet40_k12": CifarDenseNet(layers=12, growth=12),
    "densenet100_k12": CifarDenseNet(layers=32, growth=12),
    "densenet100_k24": CifarDenseNet(layers=32, growth=24),
}
