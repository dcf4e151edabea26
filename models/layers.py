"""The layers that networks are made of: the only code that knows data format, dtype and fused batch norm.

A `Net` is one tower's view of a network while it is traced. It owns no variables: it asks `values` for each by its
declaration, so the same network can be listed (`declarations`), trained from any store, or run on copied weights.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import tensorflow as tf

from models.convolution import Padding, convolve, padded, repeated
from models.declaration import Declaration
from models.dropout import Noise, dropped
from models.network import Network, Outputs
from models.normalisation import composed_batch_norm

Values = Callable[[Declaration], tf.Tensor]


class Net:
    """The layers of one tower, for `network` in a layout and a compute dtype.

    `values` gives each variable's float32 value. With `training`, batch norm normalises with the batch's own moments;
    if the tower also `owns_statistics`, `moved` maps the names of the moving statistics to their next values, and
    dropout draws from `noise`. A
    `quantizable` network computes the same without padding by the least float, over whose range whole numbers would
    have to be spread.
    """

    def __init__(
        self,
        network: Network,
        values: Values,
        *,
        num_classes: int,
        training: bool,
        data_format: str = "NHWC",
        dtype: tf.DType = tf.float32,
        owns_statistics: bool = True,
        on_gpu: bool = False,
        fused_batch_norm: bool = True,
        quantizable: bool = False,
        noise: Noise | None = None,
    ) -> None:
        self.num_classes = num_classes
        self.training = training
        self.moved: dict[str, tf.Tensor] = {}
        self._network = network
        self._values = values
        self._format = data_format
        self._dtype = dtype
        self._owns_statistics = owns_statistics
        self._on_gpu = on_gpu
        # The v1 API is the only public one to reach the kernel, which also advances the moving statistics itself.
        self._norm = tf.compat.v1.nn.fused_batch_norm if fused_batch_norm else composed_batch_norm
        self._quantizable = quantizable
        self._noise = noise or Noise()
        self._dropouts = itertools.count()
        self._scopes: list[str] = []

    @contextmanager
    def scope(self, name: str) -> Iterator[None]:
        """Prefix the names of everything built inside with `name/`: variables, and operations, as traces show them."""
        self._scopes.append(name)
        try:
            with tf.name_scope(name):
                yield
        finally:
            self._scopes.pop()

    def channels(self, x: tf.Tensor) -> int:
        """Number of channels of `x`."""
        return int(x.shape[3 if self._format == "NHWC" else 1])

    def grid(self, x: tf.Tensor) -> tuple[int, int]:
        """Height and width of `x` in positions."""
        height, width = x.shape[1:3] if self._format == "NHWC" else x.shape[2:4]
        return int(height), int(width)

    def conv(
        self,
        x: tf.Tensor,
        filters: int,
        kernel: int | tuple[int, int],
        stride: int = 1,
        *,
        padding: Padding = "SAME",
        groups: int = 1,
        bias: bool = True,
        relu: bool = True,
        name: str,
    ) -> tf.Tensor:
        """Convolution, with a `bias`, then ReLU. `kernel` is a side, or `(height, width)`.

        Each of the `groups` of filters sees its own share of the channels; as many as channels are depthwise.
        """
        with self.scope(name):
            x = self._convolve(x, filters, kernel, stride, padding, groups)
            if bias:
                offset = tf.cast(self._value("bias", (filters,)), self._dtype)
                x = tf.nn.bias_add(x, offset, data_format=self._format)
            return self.relu(x) if relu else x

    def conv_bn(
        self,
        x: tf.Tensor,
        filters: int,
        kernel: int | tuple[int, int],
        stride: int = 1,
        *,
        padding: Padding = "SAME",
        groups: int = 1,
        relu: bool = True,
        scale: bool = True,
        name: str,
    ) -> tf.Tensor:
        """Convolution without a bias, batch norm, then ReLU."""
        with self.scope(name):
            x = self._convolve(x, filters, kernel, stride, padding, groups)
            return self.batch_norm(x, relu=relu, scale=scale)

    def batch_norm(self, x: tf.Tensor, *, relu: bool = True, scale: bool = True, name: str = "batch_norm") -> tf.Tensor:
        """Batch norm (`FusedBatchNormV3`, or composed), then ReLU. Without `scale` there is no gamma (Inception v3)."""
        filters = (self.channels(x),)
        with self.scope(name):
            gamma = self._value("gamma", filters, fill=1.0, decayed=False) if scale else tf.ones(filters)
            beta = self._value("beta", filters, decayed=False)
            mean = self._value("moving_mean", filters, trainable=False, decayed=False)
            variance = self._value("moving_variance", filters, fill=1.0, trainable=False, decayed=False)
            x = self._normalise(x, gamma, beta, mean, variance)
            return self.relu(x) if relu else x

    def relu(self, x: tf.Tensor) -> tf.Tensor:
        """Rectified linear unit."""
        return tf.nn.relu(x)

    def relu6(self, x: tf.Tensor) -> tf.Tensor:
        """Rectified linear unit that ends at 6."""
        return tf.nn.relu6(x)

    def swish(self, x: tf.Tensor) -> tf.Tensor:
        """`x` times its sigmoid."""
        return tf.nn.silu(x)

    def gate(self, x: tf.Tensor, openings: tf.Tensor) -> tf.Tensor:
        """Scale each channel by the sigmoid of its entry in `openings` `[batch, channels]`."""
        shape = (-1, 1, 1, self.channels(x)) if self._format == "NHWC" else (-1, self.channels(x), 1, 1)
        return x * tf.reshape(tf.sigmoid(openings), shape)

    def max_pool(self, x: tf.Tensor, size: int, stride: int, *, padding: Padding = "VALID") -> tf.Tensor:
        """Maximum over `size` x `size` windows; padding never wins."""
        if isinstance(padding, int):
            if self._quantizable:
                assert 2 * padding <= size, "what is repeated at an edge is in the same windows as what it repeats"
                x = repeated(x, padding, self._format)
            else:
                x = padded(x, padding, x.dtype.min, self._format)
            padding = "VALID"  # explicit padding is none of XLA's
        return tf.nn.max_pool2d(x, size, stride, padding, data_format=self._format)

    def avg_pool(self, x: tf.Tensor, size: int, stride: int, *, padding: str = "VALID") -> tf.Tensor:
        """Mean over `size` x `size` windows; padding does not count."""
        return tf.nn.avg_pool2d(x, size, stride, padding, data_format=self._format)

    def global_average(self, x: tf.Tensor) -> tf.Tensor:
        """Mean over all positions: `[batch, channels]`."""
        return tf.reduce_mean(x, axis=(1, 2) if self._format == "NHWC" else (2, 3))

    def flatten(self, x: tf.Tensor) -> tf.Tensor:
        """All features of an image in one row, in the order height, width, channel whatever the layout."""
        return tf.reshape(self._to_nhwc(x), (-1, math.prod(x.shape[1:])))

    def concat(self, branches: Sequence[tf.Tensor]) -> tf.Tensor:
        """Join `branches` along their channels."""
        return tf.concat(branches, axis=3 if self._format == "NHWC" else 1)

    def subsample(self, x: tf.Tensor, filters: int, stride: int) -> tf.Tensor:
        """Every `stride`-th position, and zero channels up to `filters`: ResNet's shortcut without parameters."""
        x = self.avg_pool(x, 1, stride)
        missing = [0, filters - self.channels(x)]
        return tf.pad(
            x, [[0, 0], [0, 0], [0, 0], missing] if self._format == "NHWC" else [[0, 0], missing, [0, 0], [0, 0]]
        )

    def local_response_norm(self, x: tf.Tensor, *, radius: int, bias: float, alpha: float, beta: float) -> tf.Tensor:
        """Local response normalisation across channels. Every device has its kernel in NHWC and float32 only."""
        x = tf.cast(self._to_nhwc(x), tf.float32)
        x = tf.cast(tf.nn.local_response_normalization(x, radius, bias, alpha, beta), self._dtype)
        return x if self._format == "NHWC" else tf.transpose(x, (0, 3, 1, 2))

    def dense(self, x: tf.Tensor, units: int, *, relu: bool = True, name: str) -> tf.Tensor:
        """Fully connected layer on `[batch, features]`, with a bias, then ReLU."""
        features = int(x.shape[1])
        with self.scope(name):
            kernel = self._value("kernel", (features, units), stddev=math.sqrt(2.0 / features))
            bias = self._value("bias", (units,))
            x = tf.nn.bias_add(tf.matmul(x, tf.cast(kernel, self._dtype)), tf.cast(bias, self._dtype))
            return self.relu(x) if relu else x

    def dropout(self, x: tf.Tensor, rate: float = 0.5, *, whole_images: bool = False) -> tf.Tensor:
        """In training, zero a share `rate` of the features, or of the `whole_images`, and scale up the others."""
        if not self.training:
            return x
        assert self._network.drops, "a network says that it drops features: its steps are counted"
        return dropped(x, rate, self._noise, next(self._dropouts), whole_images=whole_images)

    def logits(self, x: tf.Tensor, *, name: str = "logits") -> tf.Tensor:
        """The classifier on `[batch, features]`: float32 `[batch, num_classes]`."""
        with self.scope(name):
            kernel = self._value("kernel", (int(x.shape[1]), self.num_classes), stddev=0.01)
            bias = self._value("bias", (self.num_classes,))
            return tf.cast(tf.matmul(x, tf.cast(kernel, self._dtype)), tf.float32) + bias

    def _value(
        self,
        name: str,
        shape: tuple[int, ...],
        *,
        stddev: float = 0.0,
        fill: float = 0.0,
        trainable: bool = True,
        decayed: bool = True,
    ) -> tf.Tensor:
        full_name = "/".join([*self._scopes, name])
        return self._values(Declaration(full_name, shape, stddev, fill, trainable, decayed))

    def _convolve(
        self,
        x: tf.Tensor,
        filters: int,
        kernel: int | tuple[int, int],
        stride: int,
        padding: Padding,
        groups: int,
    ) -> tf.Tensor:
        height, width = (kernel, kernel) if isinstance(kernel, int) else kernel
        assert self.channels(x) % groups == filters % groups == 0, "each group has as many channels and filters"
        shape = (height, width, self.channels(x) // groups, filters)
        he_stddev = math.sqrt(2.0 / math.prod(shape[:3]))  # He et al. 2015, arXiv:1502.01852, eq. 10
        weights = tf.cast(self._value("kernel", shape, stddev=he_stddev), self._dtype)
        return convolve(x, weights, stride, padding, data_format=self._format, on_gpu=self._on_gpu)

    def _normalise(
        self, x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor, mean: tf.Tensor, variance: tf.Tensor
    ) -> tf.Tensor:
        norm = partial(self._norm, epsilon=self._network.batch_norm_epsilon, data_format=self._format)
        if not self.training:
            return norm(x, gamma, beta, mean, variance, is_training=False)[0]
        if not self._owns_statistics:
            return norm(x, gamma, beta, is_training=True)[0]
        rate = 1.0 - self._network.batch_norm_decay
        x, mean, variance = norm(x, gamma, beta, mean, variance, is_training=True, exponential_avg_factor=rate)
        scope = "/".join(self._scopes)
        self.moved |= {f"{scope}/moving_mean": mean, f"{scope}/moving_variance": variance}
        return x

    def _to_nhwc(self, x: tf.Tensor) -> tf.Tensor:
        return x if self._format == "NHWC" else tf.transpose(x, (0, 2, 3, 1))


def declarations(network: Network, num_classes: int) -> tuple[Declaration, ...]:
    """Every variable of `network` in training, in the order of building. Traces it; allocates and computes nothing."""
    found: dict[str, Declaration] = {}

    def declare(declaration: Declaration) -> tf.Tensor:
        if declaration.name in found:
            raise AssertionError(f"two variables of {network} are called {declaration.name!r}")
        found[declaration.name] = declaration
        return tf.zeros(declaration.shape)

    def build(images: tf.Tensor) -> Outputs:
        return network(Net(network, declare, num_classes=num_classes, training=True), images)

    side = network.image_size
    tf.function(build, autograph=False).get_concrete_function(tf.TensorSpec((2, side, side, 3), tf.float32))
    return tuple(found.values())
