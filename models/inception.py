"""Inception v3: Szegedy et al. 2015, "Rethinking the Inception architecture" (arXiv:1512.00567), table 1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from models import recipes
from models.branches import Layer, chain, fork, scoped
from models.network import Network, Outputs
from models.recipes import Recipe

if TYPE_CHECKING:
    import tensorflow as tf

    from models.layers import Net


def conv(filters: int, kernel: int | tuple[int, int], name: str, *, stride: int = 1, padding: str = "SAME") -> Layer:
    """Convolution, batch norm without gamma, ReLU."""
    return lambda net, x: net.conv_bn(x, filters, kernel, stride, padding=padding, scale=False, name=name)


def max_pool(net: Net, x: tf.Tensor) -> tf.Tensor:
    """3x3 maximum that halves the grid."""
    return net.max_pool(x, 3, 2)


def avg_pool(net: Net, x: tf.Tensor) -> tf.Tensor:
    """3x3 mean that keeps the grid."""
    return net.avg_pool(x, 3, 1, padding="SAME")


def mixed_35x35(pool_filters: int) -> Layer:
    """Figure 5: the 5x5 of GoogLeNet, beside a pair of 3x3."""
    return fork(
        [conv(64, 1, "1x1")],
        [conv(48, 1, "5x5_reduce"), conv(64, 5, "5x5")],
        [conv(64, 1, "double_3x3_reduce"), conv(96, 3, "double_3x3_a"), conv(96, 3, "double_3x3_b")],
        [avg_pool, conv(pool_filters, 1, "pool_project")],
    )


def halve_35x35() -> Layer:
    """Figure 10: to 17x17, pooling and convolving side by side."""
    return fork(
        [conv(384, 3, "3x3", stride=2, padding="VALID")],
        [
            conv(64, 1, "double_3x3_reduce"),
            conv(96, 3, "double_3x3_a"),
            conv(96, 3, "double_3x3_b", stride=2, padding="VALID"),
        ],
        [max_pool],
    )


def mixed_17x17(filters: int) -> Layer:
    """Figure 6: 7x7 as 1x7 and 7x1, once and twice; `filters` inside the branches."""
    return fork(
        [conv(192, 1, "1x1")],
        [conv(filters, 1, "7x7_reduce"), conv(filters, (1, 7), "7x7_row"), conv(192, (7, 1), "7x7_column")],
        [
            conv(filters, 1, "double_7x7_reduce"),
            conv(filters, (7, 1), "double_7x7_column_a"),
            conv(filters, (1, 7), "double_7x7_row_a"),
            conv(filters, (7, 1), "double_7x7_column_b"),
            conv(192, (1, 7), "double_7x7_row_b"),
        ],
        [avg_pool, conv(192, 1, "pool_project")],
    )


def halve_17x17() -> Layer:
    """To 8x8, pooling and convolving side by side."""
    return fork(
        [conv(192, 1, "3x3_reduce"), conv(320, 3, "3x3", stride=2, padding="VALID")],
        [
            conv(192, 1, "7x7_3x3_reduce"),
            conv(192, (1, 7), "7x7_3x3_row"),
            conv(192, (7, 1), "7x7_3x3_column"),
            conv(192, 3, "7x7_3x3", stride=2, padding="VALID"),
        ],
        [max_pool],
    )


def mixed_8x8() -> Layer:
    """Figure 7: wide on the coarsest grid, as 1x3 beside 3x1."""
    return fork(
        [conv(320, 1, "1x1")],
        [conv(384, 1, "3x3_reduce"), _wide("3x3")],
        [conv(448, 1, "double_3x3_reduce"), conv(384, 3, "double_3x3_a"), _wide("double_3x3_b")],
        [avg_pool, conv(192, 1, "pool_project")],
    )


def _wide(name: str) -> Layer:
    return fork([conv(384, (1, 3), f"{name}_row")], [conv(384, (3, 1), f"{name}_column")])


STEM = chain(
    [
        conv(32, 3, "stem/conv1", stride=2, padding="VALID"),
        conv(32, 3, "stem/conv2", padding="VALID"),
        conv(64, 3, "stem/conv3"),
        max_pool,
        conv(80, 1, "stem/conv4", padding="VALID"),
        conv(192, 3, "stem/conv5", padding="VALID"),
        max_pool,
    ]
)
GRID_35X35 = chain(
    [
        scoped("mixed_35x35/a", mixed_35x35(32)),
        scoped("mixed_35x35/b", mixed_35x35(64)),
        scoped("mixed_35x35/c", mixed_35x35(64)),
    ]
)
GRID_17X17 = chain(
    [
        scoped("halve_35x35", halve_35x35()),
        scoped("mixed_17x17/a", mixed_17x17(128)),
        scoped("mixed_17x17/b", mixed_17x17(160)),
        scoped("mixed_17x17/c", mixed_17x17(160)),
        scoped("mixed_17x17/d", mixed_17x17(192)),
    ]
)
GRID_8X8 = chain(
    [
        scoped("halve_17x17", halve_17x17()),
        scoped("mixed_8x8/a", mixed_8x8()),
        scoped("mixed_8x8/b", mixed_8x8()),
    ]
)


def auxiliary_head(net: Net, x: tf.Tensor) -> tf.Tensor:
    """Figure 8: logits from the last 17x17 grid. The 768 filters cover all that the pool leaves: 5x5 at 299 pixels."""
    with net.scope("auxiliary"):
        x = net.avg_pool(x, 5, 3)
        x = net.conv_bn(x, 128, 1, scale=False, name="project")
        x = net.conv_bn(x, 768, net.grid(x), padding="VALID", scale=False, name="cover")
        return net.logits(net.flatten(x))


@dataclass(frozen=True, kw_only=True)
class InceptionV3(Network):
    """Inception v3, with the auxiliary head in training. Needs images of at least 107 pixels for it, 75 without."""

    image_size: int = 299
    batch_size: int = 32
    learning_rate: float = 0.05
    recipe: Recipe | None = recipes.INCEPTION_V3
    batch_norm_epsilon: float = 1e-3
    aux_loss_weight: float = 0.4

    def __call__(self, net: Net, images: tf.Tensor) -> Outputs:
        """Stem, three grids, global average, classifier; in training a second classifier after the second grid."""
        x = GRID_17X17(net, GRID_35X35(net, STEM(net, images)))
        aux_logits = auxiliary_head(net, x) if net.training else None
        x = GRID_8X8(net, x)
        return Outputs(net.logits(net.global_average(x)), aux_logits)


IMAGENET: dict[str, Network] = {"inception3": InceptionV3()}
