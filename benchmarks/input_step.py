"""A step without a model: every tower is given its next batch, and does nothing with it."""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from benchmarks.compiled_step import CompiledStep


class InputOutcome(NamedTuple):
    """What such a step tells; the loss is for the table that is printed, as tf_cnn_benchmarks does where none is."""

    loss: float = 0.0
    applied: bool = True
    top_1: float | None = None
    top_5: float | None = None


class InputStep(CompiledStep):
    """The batches of `inputs`, on the devices `towers`.

    Calling it ends when every tower's batch is on its device.
    """

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
