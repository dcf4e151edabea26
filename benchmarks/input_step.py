"""A step without a model: every tower is given its next batch, and does nothing with it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import tensorflow as tf

from benchmarks.inputs.feed import compiled
from benchmarks.inputs.towers import TowerInput


class InputOutcome(NamedTuple):
    """What such a step tells; the loss is for the table that is printed, as tf_cnn_benchmarks does where none is."""

    loss: float = 0.0
    applied: bool = True
    top_1: float | None = None
    top_5: float | None = None


class InputStep:
    """The batches of `inputs`, on the devices `towers`.

    Calling it ends when every tower's batch is on its device.
    """

    def __init__(self, towers: Sequence[str], inputs: Sequence[TowerInput]) -> None:
        self._towers = towers
        self._inputs = inputs
        self._run: Callable[[], tf.Tensor] | None = None

    def trace(self) -> float:
        """Build the graph; the seconds it took."""
        begin = time.perf_counter()
        self._run = compiled(self._step, self._inputs)
        return time.perf_counter() - begin

    def __call__(self) -> InputOutcome:
        """Get one batch for each tower."""
        assert self._run is not None, "the step has been traced"
        self._run().numpy()
        return InputOutcome()

    def _step(self) -> tf.Tensor:
        """A label of each tower, which leaves the device after the batch has come there."""
        found = []
        for device, tower_input in zip(self._towers, self._inputs, strict=True):
            with tf.device(device):
                images, labels = tower_input()
                with tf.control_dependencies([images]):
                    found.append(tf.identity(labels[0]))
        with tf.device("/cpu:0"):
            return tf.stack(found)
