"""Runs the exchange of a plan on made-up gradients, to see whether the mean is right and how long it takes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import tensorflow as tf

from variable_mgr.exchange_plan import Plan
from variable_mgr.reduction import Gradients, Reduce, reduce_of

Shapes = Mapping[str, Sequence[int]]  # gradient's name -> its shape


class TimedExchange:
    """The all-reduces of `plan` on gradients of `shapes`, made up from a fixed seed, on every tower's device."""

    def __init__(self, plan: Plan, shapes: Shapes, seed: int = 1) -> None:
        self._plan = plan
        self._gradients: list[dict[str, tf.Variable]] = []
        for tower, device in enumerate(plan.towers):
            with tf.device(device):
                self._gradients.append(
                    {
                        name: tf.Variable(tf.random.stateless_normal(shape, [seed, 1000 * tower + index]))
                        for index, (name, shape) in enumerate(shapes.items())
                    }
                )

    def largest_error(self) -> float:
        """The largest deviation on any tower from the mean that NumPy computes in float64."""
        reduce = reduce_of(self._plan)
        results = tf.function(lambda: reduce(self._read()), autograph=False).get_concrete_function()()
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

    def _read(self) -> list[Gradients]:
        values = []
        for device, gradients in zip(self._plan.towers, self._gradients, strict=True):
            with tf.device(device):
                values.append({name: gradient.read_value() for name, gradient in gradients.items()})
        return values

    def _step(self, iterations: int) -> tf.Tensor:
        """As many exchanges, each of what the one before left; its value has left every device when it is done."""
        values = self._read()
        for _ in range(iterations):
            reduce: Reduce = reduce_of(self._plan)
            values = reduce(values)
        ends = []
        for device, results in zip(self._plan.towers, values, strict=True):
            with tf.device(device), tf.control_dependencies(list(results.values())):
                ends.append(tf.identity(tf.reshape(next(iter(results.values())), [-1])[0]))
        with tf.device("/cpu:0"):
            return tf.stack(ends)
