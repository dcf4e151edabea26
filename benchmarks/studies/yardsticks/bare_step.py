#!/usr/bin/env python3
"""A training step written by hand in TensorFlow, with nothing around it: the least that a harness could cost.

It trains on one fixed batch of random images (momentum 0.9, learning rate 0.01, no weight decay, all cores) and prints
one line of JSON: images a second of the median and of the best step after three of warm-up, seconds from the start of
the process to the end of the first step, and peak memory in MiB. It stands for what a user would write, and is one file
that needs TensorFlow alone.
"""

import time

START = time.perf_counter()  # the time to the first step counts from here

import argparse  # noqa: E402
import json  # noqa: E402
import os  # noqa: E402
import resource  # noqa: E402
import sys  # noqa: E402
from collections.abc import Callable  # noqa: E402
from dataclasses import dataclass, field  # noqa: E402

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
import tensorflow as tf  # noqa: E402

WARMUP_STEPS = 3
LEARNING_RATE = 0.01
MOMENTUM = 0.9
DTYPES = {"fp32": tf.float32, "bf16": tf.bfloat16}


@dataclass
class Layers:
    """Layers in a layout and a dtype, the variables that they made, and where batch norm's statistics move to."""

    data_format: str
    dtype: tf.DType
    training: bool
    variables: dict[str, tf.Variable] = field(default_factory=dict)
    momenta: dict[str, tf.Variable] = field(default_factory=dict)
    moved: list[tuple[tf.Variable, tf.Tensor]] = field(default_factory=list)

    def conv_bn(
        self, x: tf.Tensor, name: str, filters: int, kernel: int, stride: int = 1, relu: bool = True
    ) -> tf.Tensor:
        """Convolution, batch norm, ReLU."""
        channels = x.shape[3 if self.data_format == "NHWC" else 1]
        stddev = (2.0 / (kernel * kernel * channels)) ** 0.5
        weights = self._variable(f"{name}/kernel", (kernel, kernel, channels, filters), normal(stddev))
        x = tf.nn.conv2d(x, tf.cast(weights, self.dtype), stride, "SAME", data_format=self.data_format)
        x = self._batch_norm(x, name, filters)
        return tf.nn.relu(x) if relu else x

    def max_pool(self, x: tf.Tensor) -> tf.Tensor:
        """The maximum of 3x3 positions, every second one."""
        return tf.nn.max_pool2d(x, 3, 2, "SAME", data_format=self.data_format)

    def classifier(self, x: tf.Tensor, classes: int) -> tf.Tensor:
        """Mean over all positions, then logits in float32."""
        x = tf.reduce_mean(x, [1, 2] if self.data_format == "NHWC" else [2, 3])
        weights = self._variable("head/kernel", (x.shape[1], classes), normal(0.01))
        bias = self._variable("head/bias", (classes,), tf.zeros)
        return tf.cast(tf.matmul(x, tf.cast(weights, self.dtype)), tf.float32) + bias

    def _batch_norm(self, x: tf.Tensor, name: str, filters: int) -> tf.Tensor:
        gamma = self._variable(f"{name}/gamma", (filters,), tf.ones)
        beta = self._variable(f"{name}/beta", (filters,), tf.zeros)
        mean = self._variable(f"{name}/mean", (filters,), tf.zeros, trainable=False)
        variance = self._variable(f"{name}/variance", (filters,), tf.ones, trainable=False)
        x, batch_mean, batch_variance = tf.compat.v1.nn.fused_batch_norm(
            x,
            gamma,
            beta,
            mean=None if self.training else mean,
            variance=None if self.training else variance,
            epsilon=1e-5,
            data_format=self.data_format,
            is_training=self.training,
        )
        if self.training:
            self.moved += [(mean, batch_mean), (variance, batch_variance)]
        return x

    def _variable(
        self, name: str, shape: tuple[int, ...], initial: Callable[[tuple[int, ...]], tf.Tensor], trainable: bool = True
    ) -> tf.Variable:
        if name not in self.variables:
            with tf.init_scope():
                self.variables[name] = tf.Variable(initial(shape), trainable=trainable, name=name)
                if trainable and self.training:
                    self.momenta[name] = tf.Variable(tf.zeros(shape), trainable=False)
        return self.variables[name]


def normal(stddev: float) -> Callable[[tuple[int, ...]], tf.Tensor]:
    """Initial values around zero."""
    return lambda shape: tf.random.normal(shape, stddev=stddev)


def resnet50(layers: Layers, x: tf.Tensor) -> tf.Tensor:
    """ResNet-50 v1 without its classifier: a stage's stride is on the first 1x1."""
    x = layers.max_pool(layers.conv_bn(x, "stem", 64, 7, 2))
    for stage, (filters, blocks) in enumerate([(64, 3), (128, 4), (256, 6), (512, 3)]):
        for block in range(blocks):
            name, stride = f"stage{stage}/block{block}", 2 if stage and not block else 1
            shortcut = x if block else layers.conv_bn(x, f"{name}/shortcut", 4 * filters, 1, stride, relu=False)
            x = layers.conv_bn(x, f"{name}/reduce", filters, 1, stride)
            x = layers.conv_bn(x, f"{name}/spatial", filters, 3)
            x = layers.conv_bn(x, f"{name}/expand", 4 * filters, 1, relu=False)
            x = tf.nn.relu(x + shortcut)
    return x


def resnet20(layers: Layers, x: tf.Tensor) -> tf.Tensor:
    """ResNet-20 for CIFAR-10 without its classifier; the two shortcuts that change shape are projections."""
    x = layers.conv_bn(x, "stem", 16, 3)
    for stage, filters in enumerate([16, 32, 64]):
        for block in range(3):
            name, stride = f"stage{stage}/block{block}", 2 if stage and not block else 1
            shortcut = x if stride == 1 else layers.conv_bn(x, f"{name}/shortcut", filters, 1, stride, relu=False)
            x = layers.conv_bn(x, f"{name}/conv1", filters, 3, stride)
            x = layers.conv_bn(x, f"{name}/conv2", filters, 3, relu=False)
            x = tf.nn.relu(x + shortcut)
    return x


@dataclass(frozen=True)
class Model:
    """A network, the side of its images in pixels, and its number of classes."""

    body: Callable[[Layers, tf.Tensor], tf.Tensor]
    size: int
    classes: int


MODELS = {"resnet50": Model(resnet50, 224, 1000), "resnet20": Model(resnet20, 32, 10)}


def make_step(model: Model, layers: Layers) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
    """The TensorFlow function of one step, which returns the loss; without training, of a forward pass."""

    def logits(images: tf.Tensor) -> tf.Tensor:
        return layers.classifier(model.body(layers, images), model.classes)

    def forward(images: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:  # noqa: ARG001  called as `train` is
        return tf.reduce_sum(logits(images))

    def train(images: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        layers.moved.clear()  # of an earlier trace
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits(images)))
        trained = {name: layers.variables[name] for name in layers.momenta}
        for name, gradient in tape.gradient(loss, trained).items():
            tf.raw_ops.ResourceApplyMomentum(
                var=trained[name].handle,
                accum=layers.momenta[name].handle,
                lr=LEARNING_RATE,
                grad=gradient,
                momentum=MOMENTUM,
            )
        for average, value in layers.moved:
            average.assign_sub(0.1 * (average - value))
        return loss

    step: Callable[[tf.Tensor, tf.Tensor], tf.Tensor] = tf.function(train if layers.training else forward)
    return step


def random_batch(options: argparse.Namespace, model: Model, dtype: tf.DType) -> tuple[tf.Tensor, tf.Tensor]:
    """Images and labels that stay in memory."""
    sides = (model.size, model.size)
    shape = (options.batch, *sides, 3) if options.data_format == "NHWC" else (options.batch, 3, *sides)
    images = tf.cast(tf.random.normal(shape), dtype)
    return images, tf.random.uniform([options.batch], 0, model.classes, tf.int32)


def run(options: argparse.Namespace) -> dict[str, object]:
    """Train as `options` say, and return what is printed."""
    model, dtype = MODELS[options.model], DTYPES[options.precision]
    step = make_step(model, Layers(options.data_format, dtype, training=not options.forward_only))
    images, labels = random_batch(options, model, dtype)
    seconds, first_step_at, loss = [], 0.0, 0.0
    for number in range(WARMUP_STEPS + options.steps):
        begin = time.perf_counter()
        loss = float(step(images, labels))
        end = time.perf_counter()
        seconds.append(end - begin)
        if number == 0:
            first_step_at = end - START
    measured = sorted(seconds[WARMUP_STEPS:])
    return {
        "yardstick": "bare_step",
        **vars(options),
        "images_per_sec": round(options.batch / measured[len(measured) // 2], 2),
        "best_images_per_sec": round(options.batch / measured[0], 2),
        "first_step_at_sec": round(first_step_at, 2),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "loss": round(loss, 4),
    }


def parser() -> argparse.ArgumentParser:
    """The flags."""
    flags = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    flags.add_argument("--model", choices=list(MODELS), default="resnet50")
    flags.add_argument("--batch", type=int, default=16, help="images a step")
    flags.add_argument("--steps", type=int, default=8, help="steps to measure, at least 1")
    flags.add_argument("--precision", choices=list(DTYPES), default="fp32", help="of the computation")
    flags.add_argument("--data_format", choices=["NHWC", "NCHW"], default="NHWC")
    flags.add_argument("--forward_only", action="store_true", help="no gradients, no update")
    return flags


if __name__ == "__main__":
    sys.stdout.write(json.dumps(run(parser().parse_args())) + "\n")
