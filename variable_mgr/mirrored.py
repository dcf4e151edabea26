"""TensorFlow's own MirroredStrategy behind the contract of ours, as a yardstick."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from variable_mgr.store import Declaration, Store, on_one_device
from variable_mgr.strategies import Gradients, VariableStrategy
from variable_mgr.topology import is_gpu


class Mirrored(VariableStrategy):
    """The variables, their copies and the all-reduce are those of `tf.distribute.MirroredStrategy`.

    On GPUs it chooses the all-reduce itself. On logical CPU devices it is told to reduce on one device: the collectives
    that it would choose wait there for one another without end.
    """

    def __init__(self, declarations: Sequence[Declaration], towers: Sequence[str], seed: int) -> None:
        on_gpus = all(map(is_gpu, towers))
        self._mirrored = tf.distribute.MirroredStrategy(
            list(towers), cross_device_ops=None if on_gpus else tf.distribute.ReductionToOneDevice()
        )
        with self._mirrored.scope():
            variables = [
                tf.Variable(each.initial_value(seed), trainable=each.trainable, name=each.name) for each in declarations
            ]
        copies = [self._mirrored.experimental_local_results(variable) for variable in variables]
        self.stores = [
            Store.of(
                declarations,
                on_one_device(declarations, tower),
                {each.name: local[index] for each, local in zip(declarations, copies, strict=True)},
            )
            for index, tower in enumerate(towers)
        ]
        self.store_of = list(range(len(towers)))

    def reduce(self, tower_gradients: Sequence[Gradients]) -> list[Gradients]:
        """The mean, on every tower, by TensorFlow's all-reduce of all gradients at once."""
        names = list(tower_gradients[0])

        def exchange() -> list[tf.Tensor]:
            replica = tf.distribute.get_replica_context()
            gradients = tower_gradients[int(tf.get_static_value(replica.replica_id_in_sync_group))]
            means: list[tf.Tensor] = replica.all_reduce(
                tf.distribute.ReduceOp.MEAN, [gradients[name] for name in names]
            )
            return means

        means = self._mirrored.run(exchange)
        local = [self._mirrored.experimental_local_results(mean) for mean in means]
        return [
            {name: values[index] for name, values in zip(names, local, strict=True)}
            for index in range(len(tower_gradients))
        ]
