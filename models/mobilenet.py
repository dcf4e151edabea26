"""MobileNet v2: Sandler et al. 2018, "Inverted residuals and linear bottlenecks" (arXiv:1801.04381), tables 1 and 2."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from models import recipes
from models.network import Network, Outputs
from models.recipes import Recipe

if TYPE_CHECKING:
    import tensorflow as tf

    from models.layers import Net


class Row(NamedTuple):
    """A row of table 2: t, c, n and s; the stride is that of the row's first block."""

    expansion: int
    filters: int
    blocks: int
    stride: int


ROWS = (
    Row(1, 16, 1, 1),
    Row(6, 24, 2, 2),
    Row(6, 32, 3, 2),
    Row(6, 64, 4, 2),
    Row(6, 96, 3, 1),
    Row(6, 160, 3, 2),
    Row(6, 320, 1, 1),
)


def inverted_residual(net: Net, x: tf.Tensor, filters: int, stride: int, expansion: int) -> tf.Tensor:
    """1x1 to `expansion` times the channels, depthwise 3x3, 1x1 without ReLU; a shortcut where the shape stays."""
    shortcut = x
    wide = expansion * net.channels(x)
    if expansion > 1:
        x = net.relu6(net.conv_bn(x, wide, 1, relu=False, name="expand"))
    x = net.relu6(net.conv_bn(x, wide, 3, stride, groups=wide, relu=False, name="spatial"))
    x = net.conv_bn(x, filters, 1, relu=False, name="project")
    return x + shortcut if stride == 1 and net.channels(shortcut) == filters else x


@dataclass(frozen=True, kw_only=True)
class MobileNetV2(Network):
    """MobileNet v2 of width 1 (table 2)."""

    rows: tuple[Row, ...] = ROWS
    image_size: int = 224
    batch_size: int = 32
    learning_rate: float = 0.05
    recipe: Recipe | None = recipes.MOBILENET_V2
    batch_norm_epsilon: float = 1e-3

    def __call__(self, net: Net, images: tf.Tensor) -> Outputs:
        """Stem, inverted residuals, 1x1 to 1280 channels, global average, classifier."""
        x = net.relu6(net.conv_bn(images, 32, 3, 2, relu=False, name="stem"))
        for number, row in enumerate(self.rows, start=1):
            for block in range(1, row.blocks + 1):
                with net.scope(f"row{number}/block{block}"):
                    x = inverted_residual(net, x, row.filters, row.stride if block == 1 else 1, row.expansion)
        x = net.relu6(net.conv_bn(x, 1280, 1, relu=False, name="head"))
        return Outputs(net.logits(net.global_average(x)))


_MOBILENET_V2 = MobileNetV2()
IMAGENET: dict[str, Network] = {"mobilenet_v2": _MOBILENET_V2, "mobilenet": _MOBILENET_V2}  # the name in TCB
