#!/usr/bin/env python3
"""Keras `Model.fit` on one batch over and over: what the Keras guide tells people to do.

It trains on one fixed batch of random images (momentum 0.9, learning rate 0.01, no weight decay, all cores) and prints
one line of JSON: images a second of the median and of the best step after three of warm-up, seconds from the start of
the process to the end of the first step, and peak memory in MiB. A step is timed from the end of the one before it. It
stands for what a user would write, and is one file that needs TensorFlow alone.
"""

import time

START = time.perf_counter()  # the time to the first step counts from here

import argparse  # noqa: E402
import json  # noqa: E402
import os  # noqa: E402
import resource  # noqa: E402
import sys  # noqa: E402
from typing import Any  # noqa: E402

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

WARMUP_STEPS = 3
IMAGE_SIZE = {"resnet50": 224, "resnet20": 32}
CLASSES = {"resnet50": 1000, "resnet20": 10}


def conv_bn(x: Any, filters: int, kernel: int, stride: int = 1) -> Any:
    """Convolution and batch norm."""
    x = tf.keras.layers.Conv2D(filters, kernel, stride, "same", use_bias=False)(x)
    return tf.keras.layers.BatchNormalization(epsilon=1e-5)(x)


def resnet20() -> Any:
    """ResNet-20 for CIFAR-10; the two shortcuts that change shape are projections."""
    layers = tf.keras.layers
    images = layers.Input((32, 32, 3))
    x = layers.ReLU()(conv_bn(images, 16, 3))
    for stage, filters in enumerate([16, 32, 64]):
        for block in range(3):
            stride = 2 if stage and not block else 1
            shortcut = x if stride == 1 else conv_bn(x, filters, 1, stride)
            x = layers.ReLU()(conv_bn(x, filters, 3, stride))
            x = layers.ReLU()(layers.Add()([conv_bn(x, filters, 3), shortcut]))
    logits = layers.Dense(10, dtype="float32")(layers.GlobalAveragePooling2D()(x))
    return tf.keras.Model(images, logits)


def resnet50() -> Any:
    """Keras's own ResNet-50 v1, with random weights."""
    return tf.keras.applications.ResNet50(weights=None, classifier_activation=None, classes=1000)


MODELS = {"resnet50": resnet50, "resnet20": resnet20}


class Clock(tf.keras.callbacks.Callback):  # type: ignore[misc]  # Keras is not typed
    """Keeps the moment at which each step ended."""

    def __init__(self) -> None:
        super().__init__()
        self.ends: list[float] = []

    def on_train_batch_end(self, batch: int, logs: object = None) -> None:  # noqa: ARG002  Keras's signature
        """Note the time."""
        self.ends.append(time.perf_counter())


def set_up(options: argparse.Namespace) -> Any:
    """Set devices and precision; returns the distribution strategy."""
    if options.precision == "bf16":
        tf.keras.mixed_precision.set_global_policy("mixed_bfloat16")
    if options.towers == 1:
        return tf.distribute.get_strategy()
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * options.towers)
    return tf.distribute.MirroredStrategy([f"/cpu:{index}" for index in range(options.towers)])


def compiled_model(name: str) -> Any:
    """A model ready to fit."""
    model = MODELS[name]()
    model.compile(
        tf.keras.optimizers.SGD(0.01, momentum=0.9),
        tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=False,
    )
    return model


def repeated_batch(name: str, images: int, repeats: int) -> Any:
    """A dataset of one batch of random images and labels."""
    size = IMAGE_SIZE[name]
    pixels = np.random.default_rng(0).standard_normal((images, size, size, 3), dtype="float32")
    labels = np.random.default_rng(1).integers(0, CLASSES[name], images)
    return tf.data.Dataset.from_tensors((pixels, labels)).repeat(repeats)


def run(options: argparse.Namespace) -> dict[str, object]:
    """Train as `options` say, and return what is printed."""
    with set_up(options).scope():
        model = compiled_model(options.model)
    images, steps = options.batch * options.towers, WARMUP_STEPS + options.steps
    clock = Clock()
    data = repeated_batch(options.model, images, steps)
    history = model.fit(data, steps_per_epoch=steps, verbose=0, callbacks=[clock])
    measured = sorted(np.diff(clock.ends[WARMUP_STEPS - 1 :]).tolist())
    return {
        "yardstick": "keras_fit",
        **vars(options),
        "images_per_sec": round(images / measured[len(measured) // 2], 2),
        "best_images_per_sec": round(images / measured[0], 2),
        "first_step_at_sec": round(clock.ends[0] - START, 2),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "loss": round(float(history.history["loss"][-1]), 4),
    }


def parser() -> argparse.ArgumentParser:
    """The flags."""
    flags = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    flags.add_argument("--model", choices=list(MODELS), default="resnet50")
    flags.add_argument("--batch", type=int, default=16, help="images a step and tower")
    flags.add_argument("--steps", type=int, default=8, help="steps to measure, at least 1")
    flags.add_argument("--precision", choices=["fp32", "bf16"], default="fp32", help="of the computation")
    flags.add_argument("--towers", type=int, default=1, help="logical CPU devices under MirroredStrategy")
    return flags


if __name__ == "__main__":
    sys.stdout.write(json.dumps(run(parser().parse_args())) + "\n")
