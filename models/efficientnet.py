"""EfficientNet-B0: Tan and Le 2019 (arXiv:1905.11946), table 1; its blocks are MnasNet's (arXiv:1807.11626)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from models import recipes
from models.network import Network, Outputs
from models.recipes import Recipe

if TYPE_CHECKING:
    import tensorflow as tf

    from models.layers import Net


class Stage(NamedTuple):
    """A row of table 1: MBConv`expansion`, k`kernel`; the stride is that of the stage's first block."""

    expansion: int
    kernel: int
    stride: int
    filters: int
    blocks: int


STAGES = (
    Stage(1, 3, 1, 16, 1),
    Stage(6, 3, 2, 24, 2),
    Stage(6, 5, 2, 40, 2),
    Stage(6, 3, 2, 80, 3),
    Stage(6, 5, 1, 112, 3),
    Stage(6, 5, 2, 192, 4),
    Stage(6, 3, 1, 320, 1),
)
DROPPED_BLOCKS = 0.2  # share of images that skip the last block in training; blocks before it, in proportion


def conv_swish(net: Net, x: tf.Tensor, filters: int, kernel: int, stride: int, name: str, groups: int = 1) -> tf.Tensor:
    """Convolution, batch norm, swish."""
    return net.swish(net.conv_bn(x, filters, kernel, stride, groups=groups, relu=False, name=name))


def squeeze_excite(net: Net, x: tf.Tensor, filters: int) -> tf.Tensor:
    """Weigh each channel by what all positions say together, through a layer of `filters` units (arXiv:1709.01507)."""
    squeezed = net.swish(net.dense(net.global_average(x), filters, relu=False, name="squeeze"))
    return net.gate(x, net.dense(squeezed, net.channels(x), relu=False, name="excite"))


def mbconv(net: Net, x: tf.Tensor, stage: Stage, stride: int, dropped: float) -> tf.Tensor:
    """1x1 to more channels, depthwise, squeeze and excite, 1x1 without activation; a shortcut where the shape stays.

    The squeeze is to a quarter of the channels of `x`. In training, a share `dropped` of the images skip the block.
    """
    shortcut, channels = x, net.channels(x)
    wide = stage.expansion * channels
    if stage.expansion > 1:
        x = conv_swish(net, x, wide, 1, 1, "expand")
    x = conv_swish(net, x, wide, stage.kernel, stride, "spatial", groups=wide)
    x = squeeze_excite(net, x, channels // 4)
    x = net.conv_bn(x, stage.filters, 1, relu=False, name="project")
    if stride == 1 and channels == stage.filters:
        return net.dropout(x, dropped, whole_images=True) + shortcut
    return x


@dataclass(frozen=True, kw_only=True)
class EfficientNet(Network):
    """EfficientNet of depth and width 1: B0."""

    stages: tuple[Stage, ...] = STAGES
    image_size: int = 224
    batch_size: int = 32
    learning_rate: float = 0.05
    drops: bool = True
    recipe: Recipe | None = recipes.EFFICIENTNET
    batch_norm_epsilon: float = 1e-3

    def __call__(self, net: Net, images: tf.Tensor) -> Outputs:
        """Stem, seven stages, 1x1 to 1280 channels, global average, dropout, classifier."""
        x = conv_swish(net, images, 32, 3, 2, "stem")
        total, built = sum(stage.blocks for stage in self.stages), 0
        for number, stage in enumerate(self.stages, start=1):
            for block in range(1, stage.blocks + 1):
                with net.scope(f"stage{number}/block{block}"):
                    stride = stage.stride if block == 1 else 1
                    x = mbconv(net, x, stage, stride, DROPPED_BLOCKS * built / total)
                built += 1
        x = conv_swish(net, x, 1280, 1, 1, "head")
        return Outputs(net.logits(net.dropout(net.global_average(x), 0.2)))


IMAGENET: dict[str, Network] = {"efficientnet_b0": EfficientNet()}
