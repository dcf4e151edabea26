"""What TensorBoard shows of a training, written in pauses of the table."""

from __future__ import annotations

import math

import tensorflow as tf

from benchmarks import tensorboard
from benchmarks.errors import UserError
from benchmarks.measure import Recording
from benchmarks.step import TrainingStep


class Summaries:
    """The pauses after every `interval` steps in which events are written into `folder`."""

    def __init__(self, folder: str, step: TrainingStep, interval: int, verbosity: int) -> None:
        """From `verbosity` 2 on, histograms of the variables of the first tower too."""
        self._step = step
        self._interval = interval
        self._with_histograms = verbosity >= 2
        try:
            self._writer = tf.summary.create_file_writer(folder)
            self._writer.flush()
        except tf.errors.OpError as error:
            raise UserError(f"--train_dir={folder} cannot be written: {error.message}. Give another folder.") from error

    def due(self, recording: Recording) -> bool:
        """Whether the latest step ends an interval."""
        steps = len(recording.step_seconds)
        return steps > 0 and steps % self._interval == 0

    def __call__(self, recording: Recording) -> bool:
        """Write; the training goes on. The rate is that of the step to come, the speed that of the interval."""
        step = recording.earlier.steps + len(recording.step_seconds)
        seconds = math.fsum(recording.step_seconds[-self._interval :])
        with self._writer.as_default(step), tf.device("/cpu:0"):
            tensorboard.scalar("loss", recording.outcomes[-1].loss)
            tensorboard.scalar("learning_rate", float(self._step.rate.value()))
            tensorboard.scalar("images_per_second", recording.images_per_step * self._interval / seconds)
            if self._with_histograms:
                for name, variable in self._step.strategy.stores[0].variables.items():
                    tensorboard.histogram(f"variables/{name}", variable.numpy())
        self._writer.flush()
        return False
