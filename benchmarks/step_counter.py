"""The number of a step, for what each step computes otherwise than the one before it."""

from __future__ import annotations

import tensorflow as tf


class NotCounted:
    """Steps that need no number: nothing is added to them."""

    def value(self) -> tf.Tensor | None:
        """The number of the step that is traced, as `models.dropout.Noise` takes it; None where there is none."""
        return None

    def advance(self) -> None:
        """Count the step that is traced."""

    def go_to(self, steps: int) -> None:
        """Go on as after so many steps."""


class StepCounter(NotCounted):
    """Counts all steps, those too whose update is left out, on the CPU."""

    def __init__(self) -> None:
        with tf.device("/cpu:0"):
            self._number = tf.Variable(self._of(0), trainable=False, name="number_of_step")

    def value(self) -> tf.Tensor:
        """uint64 `[2]`: 0, and the number of steps before."""
        with tf.device("/cpu:0"):
            return self._number.read_value()

    def advance(self) -> None:
        """Count one step."""
        with tf.device("/cpu:0"):
            self._number.assign_add(self._of(1), read_value=False)

    def go_to(self, steps: int) -> None:
        """Let so many steps be counted."""
        self._number.assign(self._of(steps))

    @staticmethod
    def _of(steps: int) -> tf.Tensor:
        return tf.constant((0, steps), tf.uint64)
