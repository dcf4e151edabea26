"""What a network costs, counted from its layers: they are called on shapes, so nothing is computed. No TensorFlow."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

from models.network import Network

if TYPE_CHECKING:
    from models.convolution import Padding
    from models.layers import Net

FLOPS_A_MULTIPLY_ADD = 2
TRAINING_BY_FORWARD = 3  # the backward pass has a product for the weights' gradient and one for the inputs'


@dataclass(frozen=True)
class Cost:
    """Trainable `parameters`, and the `multiply_adds` of a forward pass for one image."""

    parameters: int
    multiply_adds: int

    @property
    def training_flops(self) -> int:
        """Floating-point operations of a training step, per image: multiply-add = 2, training = 3 x forward."""
        return TRAINING_BY_FORWARD * FLOPS_A_MULTIPLY_ADD * self.multiply_adds


def cost(network: Network, num_classes: int, *, training: bool = False) -> Cost:
    """What `network` costs with `num_classes`; with `training`, the auxiliary head that only training has included.

    Multiply-adds are those of convolutions and matrix products. Everything else (batch norm, activations, pooling,
    additions, biases) is left out, as is usual. ResNet-50 v1 has 3,857,973,248, the 3.8 billion of table 1 of He et
    al. 2015 (arXiv:1512.03385), and v1.5 has 4,089,184,256: with the stride on the 3x3, the first 1x1 of three stages
    has four times as many positions.
    """
    counter = Counter(num_classes, training=training)
    network(cast("Net", counter), Shape(3, network.image_size, network.image_size))
    return Cost(counter.parameters, counter.multiply_adds)


@dataclass(frozen=True)
class Shape:
    """The shape of one image's features; those that have no positions any more are a grid of one."""

    channels: int
    height: int = 1
    width: int = 1

    def __add__(self, other: Shape) -> Shape:
        assert self == other, f"a sum of {self} and {other}"
        return self

    @property
    def size(self) -> int:
        """Number of features."""
        return self.channels * self.height * self.width


class Counter:
    """The layers of `Net`, of the same names and arguments, on shapes: each returns the shape of what it would."""

    def __init__(self, num_classes: int, *, training: bool) -> None:
        self.num_classes = num_classes
        self.training = training
        self.parameters = 0
        self.multiply_adds = 0

    @contextmanager
    def scope(self, name: str) -> Iterator[None]:
        """Nothing here has a name."""
        del name
        yield

    def channels(self, x: Shape) -> int:
        """Number of channels of `x`."""
        return x.channels

    def grid(self, x: Shape) -> tuple[int, int]:
        """Height and width of `x` in positions."""
        return x.height, x.width

    def conv(
        self,
        x: Shape,
        filters: int,
        kernel: int | tuple[int, int],
        stride: int = 1,
        *,
        padding: Padding = "SAME",
        groups: int = 1,
        bias: bool = True,
        **_: object,
    ) -> Shape:
        """A weight for each position of the kernel, channel of the group and filter; a bias for each filter."""
        height, width = (kernel, kernel) if isinstance(kernel, int) else kernel
        y = replace(_window(x, height, width, stride, padding), channels=filters)
        inputs = height * width * x.channels // groups
        self.parameters += inputs * filters + filters * bias
        self.multiply_adds += inputs * y.size
        return y

    def conv_bn(
        self,
        x: Shape,
        filters: int,
        kernel: int | tuple[int, int],
        stride: int = 1,
        *,
        padding: Padding = "SAME",
        groups: int = 1,
        scale: bool = True,
        **_: object,
    ) -> Shape:
        """Convolution without a bias, batch norm."""
        x = self.conv(x, filters, kernel, stride, padding=padding, groups=groups, bias=False)
        return self.batch_norm(x, scale=scale)

    def batch_norm(self, x: Shape, *, scale: bool = True, **_: object) -> Shape:
        """A beta for each channel, and with `scale` a gamma."""
        self.parameters += x.channels * (1 + scale)
        return x

    def dense(self, x: Shape, units: int, **_: object) -> Shape:
        """A weight for each feature and unit, a bias for each unit."""
        self.parameters += (x.size + 1) * units
        self.multiply_adds += x.size * units
        return Shape(units)

    def logits(self, x: Shape, **_: object) -> Shape:
        """The classifier."""
        return self.dense(x, self.num_classes)

    def max_pool(self, x: Shape, size: int, stride: int, *, padding: Padding = "VALID") -> Shape:
        """Windows of `size` x `size`."""
        return _window(x, size, size, stride, padding)

    avg_pool = max_pool

    def subsample(self, x: Shape, filters: int, stride: int) -> Shape:
        """Every `stride`-th position, with `filters` channels."""
        return replace(_window(x, 1, 1, stride, "VALID"), channels=filters)

    def global_average(self, x: Shape) -> Shape:
        """One position."""
        return Shape(x.channels)

    def flatten(self, x: Shape) -> Shape:
        """All features in a row."""
        return Shape(x.size)

    def concat(self, branches: Sequence[Shape]) -> Shape:
        """Join `branches` along their channels."""
        assert len({self.grid(branch) for branch in branches}) == 1, f"branches of {branches}"
        return replace(branches[0], channels=sum(branch.channels for branch in branches))

    def gate(self, x: Shape, openings: Shape) -> Shape:
        """Scale each channel."""
        assert openings == Shape(x.channels), f"{openings} for {x}"
        return x

    def relu(self, x: Shape, *_: object, **__: object) -> Shape:
        """What keeps the shape, and has neither parameters nor multiply-adds."""
        return x

    relu6 = swish = dropout = local_response_norm = relu


def _window(x: Shape, height: int, width: int, stride: int, padding: Padding) -> Shape:
    """`x` as windows of `height` x `width` see it, one every `stride` positions."""

    def positions(side: int, window: int) -> int:
        if padding == "SAME":
            return math.ceil(side / stride)
        return (side + 2 * (0 if isinstance(padding, str) else padding) - window) // stride + 1

    return Shape(x.channels, positions(x.height, height), positions(x.width, width))
