"""OverFeat: Sermanet et al. 2013 (arXiv:1312.6229), the fast model of table 1."""

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
class OverFeat(Network):
    """Five convolutions, three of them pooled without overlap, and three fully connected layers."""

    image_size: int = 231
    batch_size: int = 32
    learning_rate: float = 0.001
    drops: bool = True
    recipe: Recipe | None = recipes.OVERFEAT

    def __call__(self, net: Net, images: tf.Tensor) -> Outputs:
        """Layers 1 to 8; dropout on the two wide ones (section 3.2)."""
        x = net.max_pool(net.conv(images, 96, 11, 4, padding="VALID", name="conv1"), 2, 2)
        x = net.max_pool(net.conv(x, 256, 5, padding="VALID", name="conv2"), 2, 2)
        x = net.conv(x, 512, 3, name="conv3")
        x = net.conv(x, 1024, 3, name="conv4")
        x = net.max_pool(net.conv(x, 1024, 3, name="conv5"), 2, 2)
        x = net.dropout(net.dense(net.flatten(x), 3072, name="hidden1"), 0.5)
        x = net.dropout(net.dense(x, 4096, name="hidden2"), 0.5)
        return Outputs(net.logits(x))


IMAGENET: dict[str, Network] = {"overfeat": OverFeat()}
