"""VGG: Simonyan and Zisserman 2014 (arXiv:1409.1556), configurations A, D and E of table 1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from models import recipes
from models.network import Network, Outputs
from models.recipes import Recipe

if TYPE_CHECKING:
    import tensorflow as tf

    from models.layers import Net

FILTERS = (64, 128, 256, 512, 512)


@dataclass(frozen=True, kw_only=True)
class VGG(Network):
    """Five stages of 3x3 convolutions, `convolutions` in each, and three fully connected layers."""

    convolutions: tuple[int, int, int, int, int]
    image_size: int = 224
    batch_size: int = 64
    learning_rate: float = 0.001
    drops: bool = True
    recipe: Recipe | None = recipes.VGG

    def __call__(self, net: Net, images: tf.Tensor) -> Outputs:
        """Five stages, each ending in a pool; two wide layers with dropout; classifier."""
        x = images
        for stage, (filters, count) in enumerate(zip(FILTERS, self.convolutions, strict=True), start=1):
            for index in range(count):
                x = net.conv(x, filters, 3, name=f"stage{stage}/conv{index + 1}")
            x = net.max_pool(x, 2, 2)
        x = net.dropout(net.dense(net.flatten(x), 4096, name="hidden1"), 0.5)
        x = net.dropout(net.dense(x, 4096, name="hidden2"), 0.5)
        return Outputs(net.logits(x))


IMAGENET: dict[str, Network] = {
    "vgg11": VGG(convolutions=(1, 1, 2, 2, 2)),
    "vgg16": VGG(convolutions=(2, 2, 3, 3, 3)),
    "vgg19": VGG(convolutions=(2, 2, 4, 4, 4)),
}
