"""Residual networks: He et al. 2015 (arXiv:1512.03385, v1), its 2016 sequel (arXiv:1603.05027, v2), v1.5, ResNeXt.

v1 has a stage's stride on the first 1x1 convolution of a bottleneck, v1.5 on its 3x3. A basic block has no such choice:
its v1.5 is its v1. v2 normalises before each convolution, so that the path of shortcuts is an identity.
ResNeXt (Xie et al. 2016, arXiv:1611.05431) has the bottlenecks of v1.5, with wider 3x3 convolutions in groups.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from models import recipes
from models.network import Network, Outputs
from models.recipes import Recipe

if TYPE_CHECKING:
    import tensorflow as tf

    from models.layers import Net

    Block = Callable[[Net, tf.Tensor, int, int], tf.Tensor]


def basic(net: Net, x: tf.Tensor, filters: int, stride: int) -> tf.Tensor:
    """Two 3x3, with a projection where the shape changes."""
    shortcut = x
    if stride != 1 or net.channels(x) != filters:
        shortcut = net.conv_bn(x, filters, 1, stride, relu=False, name="shortcut")
    return _two_3x3(net, x, filters, stride, shortcut)


def plain_basic(net: Net, x: tf.Tensor, filters: int, stride: int) -> tf.Tensor:
    """Two 3x3, with a shortcut that has no parameters (option A of the paper)."""
    shortcut = x if stride == 1 else net.subsample(x, filters, stride)
    return _two_3x3(net, x, filters, stride, shortcut)


def _two_3x3(net: Net, x: tf.Tensor, filters: int, stride: int, shortcut: tf.Tensor) -> tf.Tensor:
    x = net.conv_bn(x, filters, 3, stride, padding=1, name="conv1")
    x = net.conv_bn(x, filters, 3, padding=1, relu=False, name="conv2")
    return net.relu(x + shortcut)


def bottleneck(net: Net, x: tf.Tensor, filters: int, stride: int) -> tf.Tensor:
    """1x1, 3x3, 1x1 with the stride on the first 1x1 (v1)."""
    return _bottleneck(net, x, filters, strides=(stride, 1))


def bottleneck_v1_5(net: Net, x: tf.Tensor, filters: int, stride: int) -> tf.Tensor:
    """1x1, 3x3, 1x1 with the stride on the 3x3 (v1.5)."""
    return _bottleneck(net, x, filters, strides=(1, stride))


def bottleneck_32x4d(net: Net, x: tf.Tensor, filters: int, stride: int) -> tf.Tensor:
    """1x1 to twice the filters, 3x3 in 32 groups with the stride, 1x1: ResNeXt's, of 4 channels a group in stage 1."""
    return _bottleneck(net, x, filters, strides=(1, stride), width=2 * filters, groups=32)


def _bottleneck(
    net: Net, x: tf.Tensor, filters: int, strides: tuple[int, int], *, width: int | None = None, groups: int = 1
) -> tf.Tensor:
    width = width or filters
    shortcut = x
    if strides != (1, 1) or net.channels(x) != 4 * filters:
        shortcut = net.conv_bn(x, 4 * filters, 1, max(strides), relu=False, name="shortcut")
    x = net.conv_bn(x, width, 1, strides[0], name="reduce")
    x = net.conv_bn(x, width, 3, strides[1], padding=1, groups=groups, name="spatial")
    x = net.conv_bn(x, 4 * filters, 1, relu=False, name="expand")
    return net.relu(x + shortcut)


def basic_v2(net: Net, x: tf.Tensor, filters: int, stride: int) -> tf.Tensor:
    """Two 3x3, normalised before each; a projection where the shape changes."""
    shortcut = x
    x = net.batch_norm(x, name="norm1")
    if stride != 1 or net.channels(x) != filters:
        shortcut = net.conv(x, filters, 1, stride, bias=False, relu=False, name="shortcut")
    return _two_3x3_v2(net, x, filters, stride, shortcut)


def plain_basic_v2(net: Net, x: tf.Tensor, filters: int, stride: int) -> tf.Tensor:
    """Two 3x3, normalised before each; a shortcut that has no parameters."""
    shortcut = x if stride == 1 else net.subsample(x, filters, stride)
    return _two_3x3_v2(net, net.batch_norm(x, name="norm1"), filters, stride, shortcut)


def _two_3x3_v2(net: Net, x: tf.Tensor, filters: int, stride: int, shortcut: tf.Tensor) -> tf.Tensor:
    x = net.conv_bn(x, filters, 3, stride, padding=1, name="conv1")
    return shortcut + net.conv(x, filters, 3, padding=1, bias=False, relu=False, name="conv2")


def bottleneck_v2(net: Net, x: tf.Tensor, filters: int, stride: int) -> tf.Tensor:
    """1x1, 3x3, 1x1, normalised before each, with the stride on the 3x3; a projection where the shape changes."""
    shortcut = x
    x = net.batch_norm(x, name="norm1")
    if stride != 1 or net.channels(x) != 4 * filters:
        shortcut = net.conv(x, 4 * filters, 1, stride, bias=False, relu=False, name="shortcut")
    x = net.conv_bn(x, filters, 1, name="reduce")
    x = net.conv_bn(x, filters, 3, stride, padding=1, name="spatial")
    return shortcut + net.conv(x, 4 * filters, 1, bias=False, relu=False, name="expand")


@dataclass(frozen=True, kw_only=True)
class ResNet(Network):
    """A ResNet for ImageNet: `blocks` in each stage of 64, 128, 256 and 512 filters (table 1 of the paper).

    With `preactivated` (v2) the stem is a convolution alone, and the last block is followed by batch norm.
    """

    blocks: tuple[int, int, int, int]
    block: Block
    preactivated: bool = False
    image_size: int = 224
    batch_size: int = 64
    learning_rate: float = 0.01
    recipe: Recipe | None = recipes.RESNET

    def __call__(self, net: Net, images: tf.Tensor) -> Outputs:
        """Stem, four stages, global average, classifier.

        The maximum comes before the stem's ReLU: the two commute, and a quarter of the pixels is left to rectify.
        """
        x = _stem(net, images, 64, 7, 2, self.preactivated, relu=False)
        x = net.max_pool(x, 3, 2, padding=1)
        x = x if self.preactivated else net.relu(x)
        for stage, count in enumerate(self.blocks):
            x = _stage(net, x, stage, count, 64 << stage, self.block)
        return _head(net, x, self.preactivated)


@dataclass(frozen=True, kw_only=True)
class CifarResNet(Network):
    """A ResNet for CIFAR-10 of 6n + 2 layers: n = `blocks` in each stage of 16, 32 and 64 filters (section 4.2)."""

    blocks: int
    block: Block = plain_basic
    preactivated: bool = False
    image_size: int = 32
    batch_size: int = 128
    learning_rate: float = 0.1
    recipe: Recipe | None = recipes.CIFAR_RESNET

    def __call__(self, net: Net, images: tf.Tensor) -> Outputs:
        """Stem, three stages, global average, classifier."""
        x = _stem(net, images, 16, 3, 1, self.preactivated)
        for stage in range(3):
            x = _stage(net, x, stage, self.blocks, 16 << stage, self.block)
        return _head(net, x, self.preactivated)


def _stem(
    net: Net, images: tf.Tensor, filters: int, kernel: int, stride: int, preactivated: bool, relu: bool = True
) -> tf.Tensor:
    if preactivated:
        return net.conv(images, filters, kernel, stride, padding=kernel // 2, bias=False, relu=False, name="stem")
    return net.conv_bn(images, filters, kernel, stride, padding=kernel // 2, relu=relu, name="stem")


def _stage(net: Net, x: tf.Tensor, stage: int, blocks: int, filters: int, block: Block) -> tf.Tensor:
    for index in range(blocks):
        with net.scope(f"stage{stage + 1}/block{index + 1}"):
            x = block(net, x, filters, 2 if stage and not index else 1)
    return x


def _head(net: Net, x: tf.Tensor, preactivated: bool) -> Outputs:
    if preactivated:
        x = net.batch_norm(x, name="norm")
    return Outputs(net.logits(net.global_average(x)))


DEPTHS = {
    18: (2, 2, 2, 2),
    34: (3, 4, 6, 3),
    50: (3, 4, 6, 3),
    101: (3, 4, 23, 3),
    152: (3, 8, 36, 3),
    200: (3, 24, 36, 3),  # table 5 of the sequel
}


def _imagenet_family() -> dict[str, Network]:
    family: dict[str, Network] = {}
    for depth, blocks in DEPTHS.items():
        batch_size = 32 if depth > 50 else 64
        v1, v1_5, v2 = (basic, basic, basic_v2) if depth < 50 else (bottleneck, bottleneck_v1_5, bottleneck_v2)
        family[f"resnet{depth}"] = ResNet(blocks=blocks, block=v1, batch_size=batch_size)
        of_v1_5 = recipes.RESNET if v1 is v1_5 else recipes.RESNET_V1_5
        family[f"resnet{depth}_v1.5"] = ResNet(blocks=blocks, block=v1_5, batch_size=batch_size, recipe=of_v1_5)
        family[f"resnet{depth}_v2"] = ResNet(
            blocks=blocks, block=v2, preactivated=True, batch_size=batch_size, recipe=recipes.RESNET_V2
        )
    family["resnext50_32x4d"] = ResNet(blocks=DEPTHS[50], block=bottleneck_32x4d, grouped=True, recipe=recipes.RESNEXT)
    return family


def _official(family: dict[str, Network]) -> dict[str, Network]:
    """TCB's names for the ResNets of TensorFlow's official models, with its batch sizes: their v1 is v1.5.

    Those of 18 and 34 layers had a projection in stage 1 too, where the shape does not change; these here have none.
    """
    aliases: dict[str, Network] = {}
    for depth in DEPTHS:
        batch_size = 128 if depth == 50 else 32
        aliases[f"official_resnet{depth}"] = replace(family[f"resnet{depth}_v1.5"], batch_size=batch_size)
        aliases[f"official_resnet{depth}_v2"] = replace(family[f"resnet{depth}_v2"], batch_size=batch_size)
    return aliases


def _cifar_family() -> dict[str, Network]:
    family: dict[str, Network] = {}
    for depth in (20, 32, 44, 56, 110):
        blocks = (depth - 2) // 6
        rate = 0.01 if depth == 110 else 0.1  # at 0.1 the deepest starts badly: the authors warm it up at 0.01
        recipe = recipes.CIFAR_RESNET_110 if depth == 110 else recipes.CIFAR_RESNET
        family[f"resnet{depth}"] = CifarResNet(blocks=blocks, learning_rate=rate, recipe=recipe)
        family[f"resnet{depth}_v2"] = CifarResNet(
            blocks=blocks, block=plain_basic_v2, preactivated=True, recipe=recipes.CIFAR_RESNET_V2
        )
    return family


_IMAGENET = _imagenet_family()
IMAGENET = {**_IMAGENET, **_official(_IMAGENET)}
CIFAR10 = _cifar_family()
