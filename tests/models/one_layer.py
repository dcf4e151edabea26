"""One layer by itself: what it makes of images, and the gradient through it, in either layout."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from models.declaration import Declaration
from models.layers import Net
from models.network import Network

LAYOUTS = ["NHWC", "NCHW"]
NETWORK = Network(image_size=8, batch_size=2, learning_rate=0.1, drops=True)
Layer = Callable[[Net, tf.Tensor], tf.Tensor]


def random_images(data_format: str, height: int = 9, channels: int = 6) -> np.ndarray:
    """Images in NHWC. Their number differs by layout: TensorFlow 2.14 caches CPU kernels by shape without layout."""
    number = 3 if data_format == "NHWC" else 4
    return np.random.default_rng(7).normal(size=(number, height, height + 2, channels)).astype(np.float32)


def apply(layer: Layer, images: np.ndarray, data_format: str, *, xla: bool = False, **facts: object) -> np.ndarray:
    """What `layer` makes of `images` in a layout, back in NHWC if it still has positions."""
    return apply_with_gradient(layer, images, data_format, xla=xla, **facts)[0]


def apply_with_gradient(
    layer: Layer, images: np.ndarray, data_format: str, *, xla: bool = False, **facts: object
) -> tuple[np.ndarray, np.ndarray]:
    """The same, and the gradient of half its sum of squares with respect to the images."""
    first = data_format == "NCHW"
    settings = {"num_classes": 5, "training": True, "network": NETWORK, "values": initial_values} | facts

    def build(x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(Net(data_format=data_format, **settings), x)
            loss = tf.reduce_sum(tf.cast(y, tf.float32) ** 2) / 2
        return y, tape.gradient(loss, x)

    x = tf.constant(images.transpose(0, 3, 1, 2) if first else images)
    results = tf.function(build, autograph=False, jit_compile=xla)(x)
    return tuple(np.transpose(y, (0, 2, 3, 1)) if first and len(y.shape) == 4 else y.numpy() for y in results)


def initial_values(variable: Declaration) -> tf.Tensor:
    return variable.initial_value(seed=3)
