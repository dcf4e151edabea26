"""Runs the exchange of a plan on made-up gradients, to see whether the mean is right and how long it takes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import tensorflow as tf

from variable_mgr.exchange_plan import Plan
from variable_mgr.reduction import Gradients, reduce_of

Shapes = Mapping[str, Sequence[int]]  # gradient's name -> its shape


class TimedExchange:
    """The all-reduces of `plan` on gradients of `shapes`, made up from a fixed seed, on every tower's device."""

    def __init__(self, plan: Plan, shapes: Shapes, seed: int = 1) -> None:
        self._plan = plan
        self._gradients: list[dict[str, tf.Variable]] = []
        self._means: list[dict[str, tf.Variable]] = []
        for tower, device in enumerate(plan.towers):
            with tf.device(device):
                self._gradients.append(
                    {
                        name: tf.Variable(tf.random.stateless_normal(shape, [seed, 1000 * tower + index]))
                        for index, (name, shape) in enumerate(shapes.items())
                    }
                )
                self._means.append({name: tf.Variable(tf.zeros(shape)) for name, shape in shapes.items()})

    def largest_error(self) -> float:
        """The largest deviation on any tower from the mean that NumPy computes in float64."""
        at_once: list[list[tf.Operation]] = [[] for _ in self._plan.towers]
        reduce = reduce_of(self._plan)
        results = tf.function(lambda: reduce(self._read(at_once)), autograph=False).get_concrete_function()()
        largest = 0.0
        for name in self._gradients[0]:
            expected = np.mean([gradients[name].numpy().astype(np.float64) for gradients in self._gradients], axis=0)
            for result in results:
                error = np.abs(result[name].numpy() - expected)
                largest = max(largest, float(np.where(np.isnan(error), np.inf, error).max()))
        return largest

    def seconds(
        self,
        iterations: int,
        *,
        warmup: int,
        steps: int,
        at_most_seconds: float,
        clock: Callable[[], float] = time.perf_counter,
    ) -> list[float]:
        """Seconds of an all-reduce, for each of `steps` steps that have `iterations` of them one after another.

        Fewer steps, at least 3, where they have taken `at_most_seconds` together. A step ends when every device is
        done.
        """
        step = tf.function(lambda: self._step(iterations), autograph=False).get_concrete_function()
        for _ in range(warmup):
            step().numpy()
        seconds: list[float] = []
        while len(seconds) < steps and (len(seconds) < 3 or sum(seconds) * iterations < at_most_seconds):
            begin = clock()
            step().numpy()
            seconds.append((clock() - begin) / iterations)
        return seconds

    def _read(self, after: Sequence[Sequence[tf.Operation]]) -> list[Gradients]:
        """The gradients of each tower, once the operations of `after[tower]` are done."""
        values = []
        for device, gradients, before in zip(self._plan.towers, self._gradients, after, strict=True):
            with tf.device(device), tf.control_dependencies(before):
                values.append({name: gradient.read_value() for name, gradient in gradients.items()})
        return values

    def _step(self, iterations: int) -> tf.Tensor:
        """As many exchanges one after another; when its value is there, every device is done.

        What comes of an exchange is kept in variables, and each exchange reads the gradients anew: TensorFlow's graph
        optimizer would leave out copies that nobody uses, and exchanges that are like one another.
        """
        done: list[list[tf.Operation]] = [[] for _ in self._plan.towers]
        for _ in range(iterations):
            means = reduce_of(self._plan)(self._read(done))
            done = []
            for device, mean, kept in zip(self._plan.towers, means, self._means, strict=True):
                with tf.device(device):
                    done.append([kept[name].assign(value, read_value=False) for name, value in mean.items()])
        ends = []
        for device, kept, operations in zip(self._plan.towers, self._means, done, strict=True):
            with tf.device(device), tf.control_dependencies(operations):
                ends.append(tf.reshape(next(iter(kept.values())).read_value(), [-1])[0])
        with tf.device("/cpu:0"):
            return tf.stack(ends)
