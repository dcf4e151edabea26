"""GoogLeNet (Inception v1): Szegedy et al. 2014, "Going deeper with convolutions" (arXiv:1409.4842), table 1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from models import recipes
from models.branches import Layer, fork
from models.network import Network, Outputs
from models.recipes import Recipe

if TYPE_CHECKING:
    import tensorflow as tf

    from models.layers import Net

# Filters of 1x1, 3x3 reduce, 3x3, 5x5 reduce, 5x5 and pool projection: rows 3a to 5b.
GRID_28X28 = {"a": (64, 96, 128, 16, 32, 32), "b": (128, 128, 192, 32, 96, 64)}
GRID_14X14 = {
    "a": (192, 96, 208, 16, 48, 64),
    "b": (160, 112, 224, 24, 64, 64),
    "c": (128, 128, 256, 24, 64, 64),
    "d": (112, 144, 288, 32, 64, 64),
    "e": (256, 160, 320, 32, 128, 128),
}
GRID_7X7 = {"a": (256, 160, 320, 32, 128, 128), "b": (384, 192, 384, 48, 128, 128)}


def conv(filters: int, kernel: int, name: str) -> Layer:
    """Convolution with a bias, ReLU."""
    return lambda net, x: net.conv(x, filters, kernel, name=name)


def max_pool(net: Net, x: tf.Tensor) -> tf.Tensor:
    """3x3 maximum that keeps the grid."""
    return net.max_pool(x, 3, 1, padding="SAME")


def mixed(filters: tuple[int, int, int, int, int, int]) -> Layer:
    """Figure 2(b): four branches, with 1x1 convolutions before the costly ones."""
    only, reduce_3x3, spatial_3x3, reduce_5x5, spatial_5x5, project = filters
    return fork(
        [conv(only, 1, "1x1")],
        [conv(reduce_3x3, 1, "3x3_reduce"), conv(spatial_3x3, 3, "3x3")],
        [conv(reduce_5x5, 1, "5x5_reduce"), conv(spatial_5x5, 5, "5x5")],
        [max_pool, conv(project, 1, "pool_project")],
    )


@dataclass(frozen=True, kw_only=True)
class GoogLeNet(Network):
    """The rows of table 1, as tf_cnn_benchmarks and convnet-benchmarks ran them, and dropout, which these left out.

    What the table does not list is not here either: the two auxiliary classifiers, and the local response
    normalisation of figure 3.
    """

    image_size: int = 224
    batch_size: int = 32
    learning_rate: float = 0.005
    drops: bool = True
    recipe: Recipe | None = recipes.GOOGLENET

    def __call__(self, net: Net, images: tf.Tensor) -> Outputs:
        """Three convolutions, three grids of modules, global average, dropout, classifier."""
        x = net.conv(images, 64, 7, 2, name="conv1")
        x = net.max_pool(x, 3, 2, padding="SAME")
        x = net.conv(x, 64, 1, name="conv2_reduce")
        x = net.conv(x, 192, 3, name="conv2")
        for number, grid in ((3, GRID_28X28), (4, GRID_14X14), (5, GRID_7X7)):
            x = net.max_pool(x, 3, 2, padding="SAME")
            for letter, filters in grid.items():
                with net.scope(f"mixed{number}{letter}"):
                    x = mixed(filters)(net, x)
        return Outputs(net.logits(net.dropout(net.global_average(x), 0.4)))


IMAGENET: dict[str, Network] = {"googlenet": GoogLeNet()}
