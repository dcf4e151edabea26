"""Inception v4: Szegedy et al. 2016, "Inception-v4, Inception-ResNet ..." (arXiv:1602.07261), figures 3 to 9."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from models import recipes
from models.branches import Layer, chain, fork, scoped
from models.inception import avg_pool, conv, max_pool
from models.network import Network, Outputs
from models.recipes import Recipe

if TYPE_CHECKING:
    import tensorflow as tf

    from models.layers import Net


def stem() -> Layer:
    """Figure 3: to 384 channels on 35x35."""
    return chain(
        [
            conv(32, 3, "conv1", stride=2, padding="VALID"),
            conv(32, 3, "conv2", padding="VALID"),
            conv(64, 3, "conv3"),
            fork([max_pool], [conv(96, 3, "halve_147", stride=2, padding="VALID")]),
            fork(
                [conv(64, 1, "3x3_reduce"), conv(96, 3, "3x3", padding="VALID")],
                [
                    conv(64, 1, "7x7_reduce"),
                    conv(64, (7, 1), "7x7_column"),
                    conv(64, (1, 7), "7x7_row"),
                    conv(96, 3, "7x7_3x3", padding="VALID"),
                ],
            ),
            fork([conv(192, 3, "halve_71", stride=2, padding="VALID")], [max_pool]),
        ]
    )


def mixed_35x35() -> Layer:
    """Figure 4, Inception-A."""
    return fork(
        [avg_pool, conv(96, 1, "pool_project")],
        [conv(96, 1, "1x1")],
        [conv(64, 1, "3x3_reduce"), conv(96, 3, "3x3")],
        [conv(64, 1, "double_3x3_reduce"), conv(96, 3, "double_3x3_a"), conv(96, 3, "double_3x3_b")],
    )


def halve_35x35() -> Layer:
    """Figure 7, Reduction-A, with k, l, m, n = 192, 224, 256, 384 (table 1)."""
    return fork(
        [max_pool],
        [conv(384, 3, "3x3", stride=2, padding="VALID")],
        [
            conv(192, 1, "double_3x3_reduce"),
            conv(224, 3, "double_3x3_a"),
            conv(256, 3, "double_3x3_b", stride=2, padding="VALID"),
        ],
    )


def mixed_17x17() -> Layer:
    """Figure 5, Inception-B; its second 1x7 must be meant as 7x1, as in the authors' code."""
    return fork(
        [avg_pool, conv(128, 1, "pool_project")],
        [conv(384, 1, "1x1")],
        [conv(192, 1, "7x7_reduce"), conv(224, (1, 7), "7x7_row"), conv(256, (7, 1), "7x7_column")],
        [
            conv(192, 1, "double_7x7_reduce"),
            conv(192, (1, 7), "double_7x7_row_a"),
            conv(224, (7, 1), "double_7x7_column_a"),
            conv(224, (1, 7), "double_7x7_row_b"),
            conv(256, (7, 1), "double_7x7_column_b"),
        ],
    )


def halve_17x17() -> Layer:
    """Figure 8, Reduction-B."""
    return fork(
        [max_pool],
        [conv(192, 1, "3x3_reduce"), conv(192, 3, "3x3", stride=2, padding="VALID")],
        [
            conv(256, 1, "7x7_3x3_reduce"),
            conv(256, (1, 7), "7x7_3x3_row"),
            conv(320, (7, 1), "7x7_3x3_column"),
            conv(320, 3, "7x7_3x3", stride=2, padding="VALID"),
        ],
    )


def mixed_8x8() -> Layer:
    """Figure 6, Inception-C."""
    return fork(
        [avg_pool, conv(256, 1, "pool_project")],
        [conv(256, 1, "1x1")],
        [conv(384, 1, "3x3_reduce"), _wide("3x3")],
        [
            conv(384, 1, "double_3x3_reduce"),
            conv(448, (1, 3), "double_3x3_row"),
            conv(512, (3, 1), "double_3x3_column"),
            _wide("double_3x3_b"),
        ],
    )


def _wide(name: str) -> Layer:
    return fork([conv(256, (1, 3), f"{name}_row")], [conv(256, (3, 1), f"{name}_column")])


@dataclass(frozen=True, kw_only=True)
class InceptionV4(Network):
    """Inception v4 (figure 9), whose grids repeat one module `blocks` times each. Needs at least 75 pixels."""

    blocks: tuple[int, int, int] = (4, 7, 3)
    image_size: int = 299
    batch_size: int = 32
    learning_rate: float = 0.05
    drops: bool = True
    recipe: Recipe | None = recipes.INCEPTION_V4
    batch_norm_epsilon: float = 1e-3

    def __call__(self, net: Net, images: tf.Tensor) -> Outputs:
        """Stem, three grids, global average, dropout, classifier."""
        x = scoped("stem", stem())(net, images)
        x = _repeated("mixed_35x35", mixed_35x35(), self.blocks[0])(net, x)
        x = scoped("halve_35x35", halve_35x35())(net, x)
        x = _repeated("mixed_17x17", mixed_17x17(), self.blocks[1])(net, x)
        x = scoped("halve_17x17", halve_17x17())(net, x)
        x = _repeated("mixed_8x8", mixed_8x8(), self.blocks[2])(net, x)
        return Outputs(net.logits(net.dropout(net.global_average(x), 0.2)))


def _repeated(name: str, layer: Layer, times: int) -> Layer:
    return chain([scoped(f"{name}/{number}", layer) for number in range(1, times + 1)])


IMAGENET: dict[str, Network] = {"inception4": InceptionV4()}
