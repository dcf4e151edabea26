"""What every network states about itself. Imports no TensorFlow, so that flags are checked against the zoo at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from models.recipes import Recipe

if TYPE_CHECKING:
    import tensorflow as tf

    from models.layers import Net


class Outputs(NamedTuple):
    """What a network returns: float32 logits `[batch, classes]`; in training also an auxiliary head's, if any."""

    logits: tf.Tensor
    aux_logits: tf.Tensor | None = None


@dataclass(frozen=True, kw_only=True)
class Network:
    """The facts of a network, and its defaults for a benchmark.

    `image_size` is the height and width of the square input in pixels, `batch_size` the default number of images per
    device and step, `learning_rate` a constant rate at which plain SGD does not diverge, `loss_scale` the default
    static scale for float16. Batch norm keeps `batch_norm_decay` of its moving statistics a step. A `grouped` network
    has convolutions in groups, for which not every device has kernels. One that `drops` features draws other random
    numbers in each step. `recipe` is how its paper trained it, if any.
    """

    image_size: int
    batch_size: int
    learning_rate: float
    loss_scale: float = 128.0
    batch_norm_epsilon: float = 1.001e-5  # cuDNN's least is 1e-5; TensorFlow raises anything below this to it
    batch_norm_decay: float = 0.9
    aux_loss_weight: float = 0.0
    grouped: bool = False
    drops: bool = False
    recipe: Recipe | None = None

    def __call__(self, net: Net, images: tf.Tensor) -> Outputs:
        """Build the network on `images`, in the layout and dtype of `net`."""
        raise NotImplementedError
