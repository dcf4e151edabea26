"""Every network of the zoo, forward and backward in training, is the same function in NHWC and in NCHW."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

import models
from models.alexnet import AlexNet
from models.densenet import CifarDenseNet, DenseNet
from models.efficientnet import STAGES, EfficientNet
from models.inception import InceptionV3
from models.inception4 import InceptionV4
from models.layers import Net, declarations
from models.mobilenet import ROWS, MobileNetV2
from models.network import Network
from models.overfeat import OverFeat
from models.resnet import CifarResNet, ResNet

CLASSES = 5
# Of the largest of all tensors: batch norm takes off again what a linear layer before it adds, so that the gradient
# of an offset there, and the mean of what had none, are zero but for rounding.
VANISHING = 1e-3
TOLERANCE = 1e-3  # of a tensor's largest element: rounding that some dozens of batch norms over few values amplify

pytestmark = pytest.mark.skipif(
    tf.__version__.startswith("2.14."),
    reason="its CPU pooling caches kernels without regard to layout: a process that uses both gets wrong pixels",
)


LEAST = {
    AlexNet: {"image_size": 67},
    CifarDenseNet: {"image_size": 16, "layers": 2, "growth": 4},
    CifarResNet: {"image_size": 16, "blocks": 2},
    DenseNet: {"image_size": 64, "blocks": (2, 1, 1, 1), "growth": 4},
    EfficientNet: {"image_size": 32, "stages": STAGES[:3]},
    InceptionV3: {"image_size": 107},
    InceptionV4: {"image_size": 107, "blocks": (2, 1, 1)},
    MobileNetV2: {"image_size": 32, "rows": ROWS[:3]},
    OverFeat: {"image_size": 71},
    ResNet: {"image_size": 64, "blocks": (2, 1, 1, 1)},
}


def shrunk(network: Network) -> Network:
    """The least of its kind: a small image and at most two blocks a stage, so that depths of one kind fall together."""
    return dataclasses.replace(network, batch_size=4, **LEAST.get(type(network), {"image_size": 32}))


def one_of_each_kind() -> dict[Network, str]:
    found: dict[Network, str] = {}
    for networks in models.NETWORKS.values():
        for name, network in networks.items():
            found.setdefault(shrunk(network), name)
    return found


SHRUNK = one_of_each_kind()


class Smooth(Net):
    """A tower whose gradients are continuous: rounding that tips one ReLU over would change some by percents."""

    def relu(self, x: tf.Tensor) -> tf.Tensor:
        return tf.nn.elu(x)

    relu6 = relu


def results(network: Network, values: dict[str, tf.Tensor], data_format: str) -> dict[str, np.ndarray]:
    """Logits, moving statistics and gradients after one training step's forward and backward pass."""
    shape = (network.batch_size, network.image_size, network.image_size, 3)
    images = tf.random.stateless_normal(shape, seed=(1, 2))
    labels = tf.range(network.batch_size) % CLASSES

    def build(images):
        net = Smooth(
            network, lambda variable: values[variable.name], num_classes=CLASSES, training=True, data_format=data_format
        )
        with tf.GradientTape() as tape:
            tape.watch(values)
            outputs = network(net, images)
            losses = [tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits) for logits in filled(outputs)]
            loss = tf.add_n(losses)
        gradients = tape.gradient(loss, values)
        gradients = {f"gradient of {name}": value for name, value in gradients.items() if value is not None}
        return {"logits": outputs.logits, **net.moved, **gradients}

    if data_format == "NCHW":
        images = tf.transpose(images, (0, 3, 1, 2))
    return {name: value.numpy() for name, value in tf.function(build, autograph=False)(images).items()}


def filled(outputs: models.Outputs) -> list[tf.Tensor]:
    return [logits for logits in outputs if logits is not None]


@pytest.mark.parametrize("network", SHRUNK, ids=SHRUNK.values())
def test_both_layouts_give_the_same_logits_statistics_and_gradients(network):
    variables = declarations(network, CLASSES)
    values = {variable.name: variable.initial_value(seed=1) for variable in variables}
    channels_last, channels_first = (results(network, values, layout) for layout in ("NHWC", "NCHW"))
    trainable = {f"gradient of {variable.name}" for variable in variables if variable.trainable}
    statistics = {variable.name for variable in variables if not variable.trainable}
    assert channels_last.keys() == channels_first.keys() == {"logits"} | statistics | trainable
    largest = {name: np.abs(expected).max() for name, expected in channels_last.items()}
    vanishing = VANISHING * max(largest.values())
    for name, expected in channels_last.items():
        assert np.isfinite(largest[name])
        assert largest[name] > 0, name
        assert np.abs(channels_first[name] - expected).max() < TOLERANCE * max(largest[name], vanishing), name


def test_shrinking_keeps_one_of_each_kind():
    assert {type(network) for network in SHRUNK} == {
        type(network) for networks in models.NETWORKS.values() for network in networks.values()
    }
    assert set(SHRUNK.values()) >= {"vgg11", "vgg16", "vgg19"}
    kinds = {(type(network), network.block) for network in SHRUNK if isinstance(network, ResNet | CifarResNet)}
    assert len(kinds) == 8
