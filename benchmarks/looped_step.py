"""Many training steps in one call of TensorFlow (--steps_per_loop)."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from benchmarks.inputs.feed import Feed
from benchmarks.step import StepOutcome, TrainingStep


class LoopedStep(TrainingStep):
    """`steps` training steps, one after another, in a loop within TensorFlow.

    Each is the step that a TrainingStep makes, with input and learning rate of its own. A call ends when every device
    is done with all of them; nothing can be done between two.
    """

    def __init__(self, *parts: Any, steps: int) -> None:
        super().__init__(*parts)
        assert not any(isinstance(each, Feed) for each in self._inputs), "within a call nothing can be fed"
        self.steps = steps

    def __call__(self) -> StepOutcome:
        """Make all steps of a call; what the last of them told."""
        return self.outcomes()[-1]

    def outcomes(self) -> list[StepOutcome]:
        """Make all steps of a call; what each of them told."""
        if self._run is None:
            self.trace()
        assert self._run is not None
        shown = 2 if self._options.accuracy else 0
        return [
            StepOutcome(loss, bool(applied), *others[:shown]) for applied, loss, *others in self._run().numpy().tolist()
        ]

    def _step(self) -> tf.Tensor:
        """All steps; what each has to tell, [steps, ...], float32."""

        def one(number: tf.Tensor, told: tf.TensorArray) -> tuple[tf.Tensor, tf.TensorArray]:
            return number + 1, told.write(number, super(LoopedStep, self)._step())

        with tf.device("/cpu:0"):
            start = (tf.constant(0), tf.TensorArray(tf.float32, size=self.steps))
        _, told = tf.while_loop(lambda number, _: number < self.steps, one, start, parallel_iterations=1)
        return told.stack()
