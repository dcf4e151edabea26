#!/usr/bin/env python3
"""A custom training loop under MultiWorkerMirroredStrategy: what TensorFlow's guide gives people for several machines.

It starts `--workers` processes on this machine, each of which trains ResNet-20 on one fixed batch of random images of
its own (momentum 0.9, learning rate 0.01, no weight decay, all cores), and prints one line of JSON: images a second
over all workers of the median and of the best step after three of warm-up, seconds from the start of the process to the
end of the first step, and peak memory of the first worker in MiB. It is one file that needs TensorFlow alone.
"""

import time

START = time.perf_counter()  # the time to the first step counts from here

import argparse  # noqa: E402
import json  # noqa: E402
import os  # noqa: E402
import resource  # noqa: E402
import socket  # noqa: E402
import subprocess  # noqa: E402
import sys  # noqa: E402
from collections.abc import Callable  # noqa: E402
from typing import Any  # noqa: E402

WARMUP_STEPS = 3
LEARNING_RATE = 0.01
MOMENTUM = 0.9
CLASSES = 10


class Layers:
    """Layers and the variables that they made, under the strategy in whose scope they were made."""

    def __init__(self, tf: Any) -> None:
        self.tf = tf
        self.variables: dict[str, Any] = {}
        self.momenta: dict[str, Any] = {}
        self.moved: list[tuple[Any, Any]] = []

    def conv_bn(self, x: Any, name: str, filters: int, kernel: int, stride: int = 1, relu: bool = True) -> Any:
        """Convolution, batch norm, ReLU."""
        tf, shape = self.tf, (kernel, kernel, x.shape[3], filters)
        stddev = (2.0 / (kernel * kernel * x.shape[3])) ** 0.5
        x = tf.nn.conv2d(
            x, self.variable(f"{name}/kernel", lambda: tf.random.normal(shape, stddev=stddev)), stride, "SAME"
        )
        gamma = self.variable(f"{name}/gamma", lambda: tf.ones(filters))
        beta = self.variable(f"{name}/beta", lambda: tf.zeros(filters))
        moving = [self.variable(f"{name}/{each}", lambda: tf.zeros(filters), False) for each in ("mean", "variance")]
        x, *moments = tf.compat.v1.nn.fused_batch_norm(x, gamma, beta, epsilon=1e-5, is_training=True)
        self.moved += zip(moving, moments, strict=True)
        return tf.nn.relu(x) if relu else x

    def variable(self, name: str, initial: Callable[[], Any], trainable: bool = True) -> Any:
        """The variable `name`; moving statistics are each worker's own, and read as the mean."""
        if name not in self.variables:
            tf = self.tf
            own = {} if trainable else {
                "synchronization": tf.VariableSynchronization.ON_READ,
                "aggregation": tf.VariableAggregation.MEAN,
            }  # fmt: skip
            self.variables[name] = tf.Variable(initial(), trainable=trainable, name=name, **own)
            if trainable:
                self.momenta[name] = tf.Variable(tf.zeros_like(self.variables[name]), trainable=False)
        return self.variables[name]

    def resnet20(self, x: Any) -> Any:
        """Logits of ResNet-20 for CIFAR-10; the two shortcuts that change shape are projections."""
        tf = self.tf
        x = self.conv_bn(x, "stem", 16, 3)
        for stage, filters in enumerate([16, 32, 64]):
            for block in range(3):
                name, stride = f"stage{stage}/block{block}", 2 if stage and not block else 1
                shortcut = x if stride == 1 else self.conv_bn(x, f"{name}/shortcut", filters, 1, stride, relu=False)
                x = self.conv_bn(x, f"{name}/conv1", filters, 3, stride)
                x = self.conv_bn(x, f"{name}/conv2", filters, 3, relu=False)
                x = tf.nn.relu(x + shortcut)
        x = tf.reduce_mean(x, [1, 2])
        kernel = self.variable("head/kernel", lambda: tf.random.normal((64, CLASSES), stddev=0.01))
        return tf.matmul(x, kernel) + self.variable("head/bias", lambda: tf.zeros(CLASSES))


def make_step(tf: Any, strategy: Any, batch: int) -> Callable[[], float]:
    """One step over all workers; returns this worker's loss."""
    layers = Layers(tf)
    images = tf.random.normal((batch, 32, 32, 3))
    labels = tf.random.uniform([batch], 0, CLASSES, tf.int32)
    tf.random.set_seed(1)  # every worker starts from the same values
    with strategy.scope():
        layers.resnet20(images)

    def replica() -> Any:
        layers.moved.clear()  # of an earlier trace
        with tf.GradientTape() as tape:
            logits = layers.resnet20(images)
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits))
        names = list(layers.momenta)
        gradients = tape.gradient(loss, [layers.variables[name] for name in names])
        means = tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.MEAN, gradients)
        for name, gradient in zip(names, means, strict=True):
            tf.raw_ops.ResourceApplyMomentum(
                var=layers.variables[name].handle,
                accum=layers.momenta[name].handle,
                lr=LEARNING_RATE,
                grad=gradient,
                momentum=MOMENTUM,
            )
        for average, value in layers.moved:
            average.assign_sub(0.1 * (average - value))
        return loss

    step = tf.function(lambda: strategy.run(replica))
    return lambda: float(strategy.experimental_local_results(step())[0])


def work(options: argparse.Namespace) -> dict[str, object]:
    """Train as one worker, and return what the first one prints."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import tensorflow as tf

    step = make_step(tf, tf.distribute.MultiWorkerMirroredStrategy(), options.batch)
    seconds, first_step_at, loss = [], 0.0, 0.0
    for number in range(WARMUP_STEPS + options.steps):
        begin = time.perf_counter()
        loss = step()
        seconds.append(time.perf_counter() - begin)
        if number == 0:
            first_step_at = time.perf_counter() - START
    measured = sorted(seconds[WARMUP_STEPS:])
    images = options.batch * options.workers
    return {
        "yardstick": "multi_worker",
        **vars(options),
        "images_per_sec": round(images / measured[len(measured) // 2], 2),
        "best_images_per_sec": round(images / measured[0], 2),
        "first_step_at_sec": round(first_step_at, 2),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "loss": round(loss, 4),
    }


def start_all(options: argparse.Namespace) -> int:
    """Start every worker; the first one's line is passed on. Returns the worst exit code."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(options.workers)]
    addresses = [f"127.0.0.1:{each.getsockname()[1]}" for each in held]
    for each in held:
        each.close()
    processes = []
    for index in range(options.workers):
        config = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
        environment = os.environ | {"TF_CONFIG": json.dumps(config)}
        output = None if index == 0 else subprocess.DEVNULL
        processes.append(subprocess.Popen([sys.executable, *sys.argv], env=environment, stdout=output))
    return max(abs(process.wait()) for process in processes)


def parser() -> argparse.ArgumentParser:
    """The flags."""
    flags = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    flags.add_argument("--model", choices=["resnet20"], default="resnet20")
    flags.add_argument("--batch", type=int, default=32, help="images a step and worker")
    flags.add_argument("--steps", type=int, default=40, help="steps to measure, at least 1")
    flags.add_argument("--precision", choices=["fp32"], default="fp32")
    flags.add_argument("--workers", type=int, default=2, help="processes")
    return flags


if __name__ == "__main__":
    chosen = parser().parse_args()
    if "TF_CONFIG" not in os.environ:
        sys.exit(start_all(chosen))
    sys.stdout.write(json.dumps(work(chosen)) + "\n")
