"""The function of our networks, against an implementation of others: same weights, same images, same logits."""

from collections.abc import Iterator

import numpy as np
import pytest
import tensorflow as tf

import models
from models.layers import Net, declarations

TOLERANCE = 1e-4  # of the difference between two images' logits: stricter than of the logits
Values = dict[str, np.ndarray]


def randomise(model: tf.keras.Model, seed: int) -> None:
    """Give every weight a value that shows if it is left out or taken for another; kernels keep activations near 1."""
    generator = np.random.default_rng(seed)
    for layer in model.layers:
        if isinstance(layer, tf.keras.layers.BatchNormalization):
            *gamma, beta, mean, variance = layer.get_weights()
            gamma = [generator.uniform(0.5, 1.5, old.shape) for old in gamma]
            beta, mean = (generator.normal(0.0, 0.3, old.shape) for old in (beta, mean))
            layer.set_weights([*gamma, beta, mean, generator.uniform(0.5, 2.0, variance.shape)])
        elif isinstance(layer, tf.keras.layers.Normalization):
            continue  # of the image: none, without weights of theirs
        elif layer.get_weights():
            kernel, *bias = layer.get_weights()
            inputs = kernel.shape[:2] if isinstance(layer, tf.keras.layers.DepthwiseConv2D) else kernel.shape[:-1]
            he_stddev = np.sqrt(2.0 / np.prod(inputs))
            kernel = generator.normal(0.0, he_stddev, kernel.shape)
            layer.set_weights([kernel, *(generator.normal(0.0, 0.3, old.shape) for old in bias)])


def two_images(size: int) -> tf.Tensor:
    """Coarse noise under fine: fine noise alone looks the same to a network that averages over positions."""
    coarse = tf.random.stateless_normal((2, 3, 3, 3), seed=(1, 2))
    return tf.image.resize(coarse, (size, size)) + 0.5 * tf.random.stateless_normal((2, size, size, 3), seed=(3, 4))


def biased(name: str, layer: tf.keras.layers.Layer) -> Values:
    kernel, bias = layer.get_weights()
    return {f"{name}/kernel": kernel, f"{name}/bias": bias}


def bare(name: str, conv: tf.keras.layers.Layer) -> Values:
    """A kernel alone; a depthwise one has a filter for each channel, where Keras has a channel for each filter."""
    kernel = conv.get_weights()[0]
    depthwise = isinstance(conv, tf.keras.layers.DepthwiseConv2D)
    return {f"{name}/kernel": kernel.transpose(0, 1, 3, 2) if depthwise else kernel}


def batch_norm(name: str, norm: tf.keras.layers.Layer, bias: np.ndarray | float = 0.0) -> Values:
    """A convolution's bias moves the mean that batch norm then takes off: it folds into the moving mean."""
    *gamma, beta, mean, variance = norm.get_weights()
    values = {"beta": beta, "moving_mean": mean - bias, "moving_variance": variance}
    if gamma:
        (values["gamma"],) = gamma
    return {f"{name}/{part}": value for part, value in values.items()}


def normalised(name: str, conv: tf.keras.layers.Layer, norm: tf.keras.layers.Layer) -> Values:
    return bare(name, conv) | batch_norm(f"{name}/batch_norm", norm, sum(conv.get_weights()[1:]))


def in_order_of_creation(model: tf.keras.Model, kind: type) -> list[tf.keras.layers.Layer]:
    """The layers of a kind by the number that ends their names, which the first has not."""

    def number(layer: tf.keras.layers.Layer) -> int:
        end = layer.name.rpartition("_")[2]
        return int(end) if end.isdigit() else 0

    return sorted((layer for layer in model.layers if isinstance(layer, kind)), key=number)


def resnet50_values(model: tf.keras.Model) -> Values:
    values = normalised("stem", model.get_layer("conv1_conv"), model.get_layer("conv1_bn"))
    for stage, blocks in enumerate((3, 4, 6, 3), start=1):
        for block in range(1, blocks + 1):
            for number, part in enumerate(("shortcut", "reduce", "spatial", "expand")):
                if part == "shortcut" and block > 1:
                    continue
                theirs = f"conv{stage + 1}_block{block}_{number}"
                conv, norm = model.get_layer(f"{theirs}_conv"), model.get_layer(f"{theirs}_bn")
                values |= normalised(f"stage{stage}/block{block}/{part}", conv, norm)
    return values | biased("logits", model.get_layer("predictions"))


def densenet_values(model: tf.keras.Model) -> Values:
    """A convolution's own norm in ours is the one after it in Keras; those before layers stand alone in both."""
    stem = {layer.name.replace("/", "_"): layer for layer in model.layers[:4]}  # Keras 2 has conv1/conv
    values = normalised("stem", stem["conv1_conv"], stem["conv1_bn"])
    for block, layers in enumerate((6, 12, 24, 16), start=1):
        for layer in range(1, layers + 1):
            theirs, ours = f"conv{block + 1}_block{layer}", f"block{block}/layer{layer}"
            conv, norm = model.get_layer(f"{theirs}_1_conv"), model.get_layer(f"{theirs}_1_bn")
            values |= batch_norm(f"{ours}/norm", model.get_layer(f"{theirs}_0_bn"))
            values |= normalised(f"{ours}/bottleneck", conv, norm)
            values |= bare(f"{ours}/conv", model.get_layer(f"{theirs}_2_conv"))
        if block < 4:
            values |= batch_norm(f"transition{block}/norm", model.get_layer(f"pool{block + 1}_bn"))
            values |= bare(f"transition{block}/conv", model.get_layer(f"pool{block + 1}_conv"))
    return values | batch_norm("norm", model.get_layer("bn")) | biased("logits", model.get_layer("predictions"))


def mobilenet_values(model: tf.keras.Model) -> Values:
    values = normalised("stem", model.get_layer("Conv1"), model.get_layer("bn_Conv1"))
    values |= normalised("head", model.get_layer("Conv_1"), model.get_layer("Conv_1_bn"))
    number = 0
    for row, blocks in enumerate((1, 2, 3, 4, 3, 3, 1), start=1):
        for block in range(1, blocks + 1):
            prefix = f"block_{number}" if number else "expanded_conv"
            for part, theirs in (("expand", "expand"), ("spatial", "depthwise"), ("project", "project")):
                if part == "expand" and not number:
                    continue
                conv, norm = model.get_layer(f"{prefix}_{theirs}"), model.get_layer(f"{prefix}_{theirs}_BN")
                values |= normalised(f"row{row}/block{block}/{part}", conv, norm)
            number += 1
    return values | biased("logits", model.get_layer("predictions"))


def efficientnet_values(model: tf.keras.Model) -> Values:
    values = normalised("stem", model.get_layer("stem_conv"), model.get_layer("stem_bn"))
    values |= normalised("head", model.get_layer("top_conv"), model.get_layer("top_bn"))
    for stage, blocks in enumerate((1, 2, 2, 3, 3, 4, 1), start=1):
        for block in range(1, blocks + 1):
            theirs, ours = f"block{stage}{'abcd'[block - 1]}", f"stage{stage}/block{block}"
            parts = {"expand": ("expand_conv", "expand_bn"), "spatial": ("dwconv", "bn")}
            parts |= {"project": ("project_conv", "project_bn")}
            for part, (conv, norm) in parts.items():
                if part == "expand" and stage == 1:
                    continue
                conv, norm = model.get_layer(f"{theirs}_{conv}"), model.get_layer(f"{theirs}_{norm}")
                values |= normalised(f"{ours}/{part}", conv, norm)
            for part, theirs_part in (("squeeze", "se_reduce"), ("excite", "se_expand")):
                kernel, bias = model.get_layer(f"{theirs}_{theirs_part}").get_weights()
                values |= {f"{ours}/{part}/kernel": kernel[0, 0], f"{ours}/{part}/bias": bias}  # a 1x1 convolution
    return values | biased("logits", model.get_layer("predictions"))


def vgg_values(model: tf.keras.Model) -> Values:
    ours = {"fc1": "hidden1", "fc2": "hidden2", "predictions": "logits"}
    values = {}
    for layer in model.layers:
        if layer.get_weights():
            values |= biased(ours.get(layer.name) or layer.name.replace("block", "stage").replace("_", "/"), layer)
    return values


def inception3_values(model: tf.keras.Model) -> Values:
    """Keras numbers its layers as it builds them, and both build the branches of a module in the paper's order."""
    names = [variable.name for variable in declarations(models.get("inception3", "imagenet"), 1000)]
    scopes = [name.removesuffix("/kernel") for name in names if name.endswith("/kernel")]
    scopes = [scope for scope in scopes if scope != "logits" and not scope.startswith("auxiliary/")]
    convs = in_order_of_creation(model, tf.keras.layers.Conv2D)
    norms = in_order_of_creation(model, tf.keras.layers.BatchNormalization)
    values = biased("logits", model.get_layer("predictions"))
    for scope, conv, norm in zip(scopes, convs, norms, strict=True):
        values |= normalised(scope, conv, norm)
    return values


# VGG sees 64 pixels, to spare its largest layer: a 2x2 grid still shows in which order it is flattened.
CASES = {
    "resnet50": (tf.keras.applications.ResNet50, resnet50_values, 224),
    "vgg16": (tf.keras.applications.VGG16, vgg_values, 64),
    "vgg19": (tf.keras.applications.VGG19, vgg_values, 64),
    "inception3": (tf.keras.applications.InceptionV3, inception3_values, 299),
    "densenet121": (tf.keras.applications.DenseNet121, densenet_values, 224),
    "mobilenet_v2": (tf.keras.applications.MobileNetV2, mobilenet_values, 224),
    "efficientnet_b0": (tf.keras.applications.EfficientNetB0, efficientnet_values, 224),
}
BYTES = {"efficientnet_b0"}  # in Keras takes images of 0 to 255, and divides


@pytest.fixture(autouse=True)
def forget_keras_models() -> Iterator[None]:
    yield
    tf.keras.backend.clear_session()


@pytest.mark.parametrize("name", CASES)
def test_logits_are_those_of_keras_with_the_same_weights(name):
    application, values_of, size = CASES[name]
    theirs = application(weights=None, input_shape=(size, size, 3), classifier_activation=None)
    randomise(theirs, seed=1)
    images = two_images(size)
    expected = theirs(255 * images if name in BYTES else images, training=False).numpy()

    network, values, used = models.get(name, "imagenet"), values_of(theirs), set()

    def value(variable):
        used.add(variable.name)
        assert values[variable.name].shape == variable.shape
        return tf.constant(values[variable.name], tf.float32)

    logits = network(Net(network, value, num_classes=1000, training=False), images).logits.numpy()

    assert used == set(values)
    between_images = np.abs(expected[0] - expected[1]).max()
    assert np.abs(logits - expected).max() < TOLERANCE * between_images
