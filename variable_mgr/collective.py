"""A copy of each variable on every tower of every process, kept equal by TensorFlow's collective operations."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import tensorflow as tf

from variable_mgr.exchange_plan import Traffic
from variable_mgr.store import Declaration, Store, on_one_device
from variable_mgr.strategies import Gradients, VariableStrategy

# Numbers by which TensorFlow tells groups of devices apart, far from those that its own strategies count up from 1.
TOWERS_GROUP = 1001
PROCESSES_GROUP = 1002
# And by which it tells operations apart: each strategy of a process has a stretch of its own, the same in all.
_STRETCH = 1 << 16
_strategies = itertools.count()


class CollectiveAllReduce(VariableStrategy):
    """All towers of all processes take the mean of their gradients together; `stores` are those of this process."""

    def __init__(self, declarations: Sequence[Declaration], towers: Sequence[str], seed: int, num_towers: int) -> None:
        """`towers` are the devices of this process, `num_towers` counts those of all."""
        self.stores = [Store(declarations, on_one_device(declarations, tower), seed) for tower in towers]
        self.store_of = list(range(len(towers)))
        self._towers = towers
        self._num_towers = num_towers
        self._first_instance = next(_strategies) * _STRETCH + 1

    def traffic(self) -> Traffic:
        """What this process's towers send in rings of all towers: each sums, and then passes on, all shares but one."""
        sizes = [self.stores[0].declarations[name].nbytes for name in self.stores[0].trainable]
        others = self._num_towers - 1
        sent = 2 * sum(sizes) * others // self._num_towers
        return Traffic(len(sizes) if others else 0, dict.fromkeys(self._towers, sent))

    def reduce(self, tower_gradients: Sequence[Gradients]) -> list[Gradients]:
        """The mean over all towers of all processes, on each tower's device."""
        return [self._means(gradients, tower) for gradients, tower in zip(tower_gradients, self._towers, strict=True)]

    def _means(self, gradients: Gradients, tower: str) -> Gradients:
        means: Gradients = {}
        last: list[tf.Tensor] = []
        on_gpu = "gpu" in tower
        for number, (name, gradient) in enumerate(gradients.items(), self._first_instance):
            # NCCL deadlocks where two devices begin their operations in different orders.
            with tf.device(tower), tf.control_dependencies(last if on_gpu else []):
                means[name] = mean(gradient, self._num_towers, TOWERS_GROUP, number, "nccl" if on_gpu else "ring")
            last = [means[name]]
        return means


def mean_over_processes(figures: tf.Tensor, processes: int, instance: int) -> tf.Tensor:
    """The mean of each of `figures`, which every process has on its first CPU device, over all processes."""
    return mean(figures, processes, PROCESSES_GROUP, instance, "ring")


def mean(value: tf.Tensor, members: int, group: int, instance: int, hint: str) -> tf.Tensor:
    """The mean of `value` over all `members` of a group, each of which asks for it under the same numbers.

    The first version of the operation, as the second and third time out between logical CPU devices.
    """
    if members == 1:
        return tf.identity(value)
    return tf.raw_ops.CollectiveReduce(
        input=value,
        group_size=members,
        group_key=group,
        instance_key=instance,
        merge_op="Add",
        final_op="Div",
        subdiv_offsets=[0],
        communication_hint=hint,
    )
