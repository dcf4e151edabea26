"""What a network costs, counted from its layers: they are called on shapes, so nothing is computed. No TensorFlow."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, cast

from models.network import Network

if TYPE_CHECKING:
    from models.convolution import Padding
    from models.layers import Net

FLOPS_A_MULTIPLY_ADD = 2
_FLOAT32_BYTES = 4


@dataclass(frozen=True)
class Cost:
    """What one image costs, and the trainable `parameters`, which all images share.

    They are in so many `variables`, the largest of which has `largest_variable` of them. `multiply_adds` are those of a
    forward pass, `gradient_multiply_adds` those of the backward pass that follows it in training. `activations` is the
    number of features that the backward pass needs, in the numbers that the towers compute with;
    `other_activation_bytes` is what it needs in numbers of its own.
    """

    parameters: int
    variables: int
    largest_variable: int
    multiply_adds: int
    gradient_multiply_adds: int
    activations: int
    other_activation_bytes: int

    @property
    def forward_flops(self) -> int:
        """Floating-point operations of a forward pass, multiply-add = 2."""
        return FLOPS_A_MULTIPLY_ADD * self.multiply_adds

    @property
    def training_flops(self) -> int:
        """Floating-point operations of a training step: of the forward and of the backward pass, multiply-add = 2."""
        return FLOPS_A_MULTIPLY_ADD * (self.multiply_adds + self.gradient_multiply_adds)

    def activation_bytes(self, bytes_a_number: int = _FLOAT32_BYTES) -> int:
        """Bytes that a training step keeps for its backward pass, where it computes in numbers of so many bytes."""
        return bytes_a_number * self.activations + self.other_activation_bytes


def cost(network: Network, num_classes: int, *, training: bool = False) -> Cost:
    """What `network` costs with `num_classes`; with `training`, the auxiliary head that only training has included.

    Multiply-adds are those of convolutions and matrix products. Everything else (batch norm, activations, pooling,
    additions, biases, the update of the variables) is left out, as is usual. ResNet-50 v1 has 3,857,973,248, the 3.8
    billion of table 1 of He et al. 2015 (arXiv:1512.03385), and v1.5 has 4,089,184,256: with the stride on the 3x3, the
    first 1x1 of three stages has four times as many positions.

    Going back, each of these layers has as many for the gradient of its weights, and as many again for that of its
    inputs; none of the latter where no weights come before it, as images need no gradient.

    Activations are what the derivatives are made of, each tensor once: inputs of layers with weights, of batch norm and
    of swish, outputs of ReLU, inputs and outputs of max pooling and of response normalisation, masks of dropout (a byte
    each), and what the loss keeps (float32). Batch norm is taken to be fused: composed, it keeps more. What a kernel
    needs while it runs, copies for padding and the gradients themselves are not among them: at its peak a step holds
    more.
    """
    counter = _counted(network, num_classes, training=training)
    return Cost(
        sum(counter.sizes),
        len(counter.sizes),
        max(counter.sizes, default=0),
        counter.multiply_adds,
        counter.gradient_multiply_adds,
        sum(counter.kept.values()),
        counter.other_bytes,
    )


def batch_norms(network: Network) -> int:
    """How many layers of batch norm `network` has in training."""
    return _counted(network, num_classes=1, training=True).batch_norms


def _counted(network: Network, num_classes: int, *, training: bool) -> Counter:
    counter = Counter(num_classes, training=training)
    network(cast("Net", counter), Shape(3, network.image_size, network.image_size, learned=False))
    return counter


@dataclass(frozen=True)
class Shape:
    """The shape of one image's features; those that have no positions any more are a grid of one.

    `learned` are features that come of weights, so that gradients reach them. Shapes of one `tensor` are views of it.
    """

    channels: int
    height: int = 1
    width: int = 1
    learned: bool = field(default=True, compare=False)
    tensor: object = field(default_factory=object, compare=False, repr=False)

    def __add__(self, other: Shape) -> Shape:
        assert self == other, f"a sum of {self} and {other}"
        return self.like()

    @property
    def size(self) -> int:
        """Number of features."""
        return self.channels * self.height * self.width

    def like(self, channels: int | None = None) -> Shape:
        """Features of their own on the same grid, in as many channels or another number."""
        return replace(self, channels=channels or self.channels, tensor=object())


class Counter:
    """The layers of `Net`, of the same names and arguments, on shapes: each returns the shape of what it would."""

    def __init__(self, num_classes: int, *, training: bool) -> None:
        self.num_classes = num_classes
        self.training = training
        self.sizes: list[int] = []  # of the trainable variables
        self.multiply_adds = 0
        self.gradient_multiply_adds = 0
        self.kept: dict[object, int] = {}  # features of each tensor that the backward pass needs
        self.other_bytes = 0
        self.batch_norms = 0

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
        relu: bool = True,
        **_: object,
    ) -> Shape:
        """A weight for each position of the kernel, channel of the group and filter; a bias for each filter."""
        height, width = (kernel, kernel) if isinstance(kernel, int) else kernel
        y = replace(_window(x, height, width, stride, padding), channels=filters, learned=True)
        inputs = height * width * x.channels // groups
        self.sizes += [inputs * filters, *([filters] * bias)]
        self._multiply(x, inputs * y.size)
        return self.relu(y) if relu else y

    def conv_bn(
        self,
        x: Shape,
        filters: int,
        kernel: int | tuple[int, int],
        stride: int = 1,
        *,
        padding: Padding = "SAME",
        groups: int = 1,
        relu: bool = True,
        scale: bool = True,
        **_: object,
    ) -> Shape:
        """Convolution without a bias, batch norm."""
        x = self.conv(x, filters, kernel, stride, padding=padding, groups=groups, bias=False, relu=False)
        return self.batch_norm(x, relu=relu, scale=scale)

    def batch_norm(self, x: Shape, *, relu: bool = True, scale: bool = True, **_: object) -> Shape:
        """A beta for each channel, and with `scale` a gamma."""
        self.batch_norms += 1
        self.sizes += [x.channels] * (1 + scale)
        self._keep(x)
        y = replace(x.like(), learned=True)
        return self.relu(y) if relu else y

    def dense(self, x: Shape, units: int, *, relu: bool = True, **_: object) -> Shape:
        """A weight for each feature and unit, a bias for each unit."""
        self.sizes += [x.size * units, units]
        self._multiply(x, x.size * units)
        return self.relu(Shape(units)) if relu else Shape(units)

    def logits(self, x: Shape, **_: object) -> Shape:
        """The classifier; the loss keeps its own gradient by the logits."""
        self.other_bytes += _FLOAT32_BYTES * self.num_classes
        return self.dense(x, self.num_classes, relu=False)

    def max_pool(self, x: Shape, size: int, stride: int, *, padding: Padding = "VALID") -> Shape:
        """Windows of `size` x `size`; which of them won is seen from both sides."""
        y = _window(x, size, size, stride, padding)
        if x.learned:
            self._keep(x)
            self._keep(y)
        return y

    def avg_pool(self, x: Shape, size: int, stride: int, *, padding: Padding = "VALID") -> Shape:
        """Windows of `size` x `size`."""
        return _window(x, size, size, stride, padding)

    def subsample(self, x: Shape, filters: int, stride: int) -> Shape:
        """Every `stride`-th position, with `filters` channels."""
        return _window(x, 1, 1, stride, "VALID").like(filters)

    def global_average(self, x: Shape) -> Shape:
        """One position."""
        return Shape(x.channels, learned=x.learned)

    def flatten(self, x: Shape) -> Shape:
        """All features in a row."""
        return replace(x, channels=x.size, height=1, width=1)

    def concat(self, branches: Sequence[Shape]) -> Shape:
        """Join `branches` along their channels."""
        assert len({self.grid(branch) for branch in branches}) == 1, f"branches of {branches}"
        return branches[0].like(sum(branch.channels for branch in branches))

    def gate(self, x: Shape, openings: Shape) -> Shape:
        """Scale each channel by the sigmoid of its opening."""
        assert openings == Shape(x.channels), f"{openings} for {x}"
        self._keep(x)
        self._keep(openings.like())
        return x.like()

    def relu(self, x: Shape) -> Shape:
        """What is not zero comes through."""
        y = x.like()
        if x.learned:
            self._keep(y)
        return y

    relu6 = relu

    def swish(self, x: Shape) -> Shape:
        """`x` times its sigmoid."""
        self._keep(x)
        return x.like()

    def local_response_norm(self, x: Shape, **_: object) -> Shape:
        """Seen from both sides."""
        y = x.like()
        self._keep(x)
        self._keep(y)
        return y

    def dropout(self, x: Shape, rate: float = 0.5, *, whole_images: bool = False) -> Shape:
        """A byte for each feature, or for the image, says what was dropped."""
        del rate
        if not self.training:
            return x
        self.other_bytes += 1 if whole_images else x.size
        return x.like()

    def _multiply(self, x: Shape, multiply_adds: int) -> None:
        """Weights meet the features `x`, which their gradient needs; that of `x` needs the weights."""
        self.multiply_adds += multiply_adds
        self.gradient_multiply_adds += (2 if x.learned else 1) * multiply_adds
        self._keep(x)

    def _keep(self, x: Shape) -> None:
        self.kept[x.tensor] = x.size


def _window(x: Shape, height: int, width: int, stride: int, padding: Padding) -> Shape:
    """`x` as windows of `height` x `width` see it, one every `stride` positions."""

    def positions(side: int, window: int) -> int:
        if padding == "SAME":
            return math.ceil(side / stride)
        return (side + 2 * (0 if isinstance(padding, str) else padding) - window) // stride + 1

    return replace(x.like(), height=positions(x.height, height), width=positions(x.width, width))
