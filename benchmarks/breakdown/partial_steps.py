"""Training steps that leave their last parts out."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Sequence

import tensorflow as tf

from benchmarks.step import TowerResult, TrainingStep
from models.dropout import Noise
from variable_mgr.strategies import Gradients

_stages = itertools.count(1)  # a device finds a stage by its name


class WithoutUpdate(TrainingStep):
    """The step of a TrainingStep up to the mean gradients, which are there on the masters' devices, and dropped.

    What follows an update is done all the same: copies are refreshed, from masters that have not changed, and moving
    statistics move, as that belongs to the forward pass.
    """

    def _update(
        self, gradients: list[Gradients], results: Sequence[TowerResult], scale: tf.Tensor | float
    ) -> tuple[tf.Tensor, tf.Operation]:
        """Wait for the `gradients`, and apply none."""
        del scale
        there = [{name: gradient.op for name, gradient in of_master.items()} for of_master in gradients]
        operations = [*self.strategy.refresh(there), *self._move_statistics(results), *self._drop(gradients)]
        return tf.constant(True), tf.group(*operations)

    def _drop(self, gradients: Sequence[Gradients]) -> list[tf.Operation]:
        """Operations, one a device, that take the values of all `gradients` and let go of them.

        Who only waits for a gradient does not get it computed: TensorFlow's graph optimizer replaces operations whose
        values nobody takes by ones that do nothing, and with the gradients goes the whole backward pass. A stage takes
        the values as they are, so nothing is copied, and no kernel is launched that an update would not launch.
        """
        on_device: defaultdict[str, list[tf.Tensor]] = defaultdict(list)
        for master, of_master in zip(self.strategy.masters, gradients, strict=True):
            for name, gradient in of_master.items():
                on_device[master.placement[name]].append(gradient)
        dropped = []
        for device, values in on_device.items():
            name = f"gradients{next(_stages)}"
            with tf.device(device), tf.control_dependencies([tf.raw_ops.Stage(values=values, shared_name=name)]):
                dropped.append(tf.raw_ops.StageClear(dtypes=[each.dtype for each in values], shared_name=name))
        return dropped


class ForwardInTraining(WithoutUpdate):
    """The forward pass and the loss of a TrainingStep: batch norm takes the batch's own statistics, and moves its own.

    It has no gradients to exchange, which not every strategy can do; `independent` can.
    """

    def _tower_function(self, tower: int, noise: Noise) -> Callable[..., TowerResult]:
        """As in a TrainingStep, without gradients."""

        def compute(
            values: dict[str, tf.Tensor], images: tf.Tensor, labels: tf.Tensor, scale: tf.Tensor | float
        ) -> TowerResult:
            del scale
            return self._forward(tower, values, images, labels, noise)

        return compute
