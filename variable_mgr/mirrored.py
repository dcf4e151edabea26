"""TensorFlow's own MirroredStrategy behind the contract of ours, as a yardstick."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from variable_mgr.exchange_plan import CannotReduceError
from variable_mgr.store import Declaration, Store, on_one_device
from variable_mgr.strategies import Gradients, VariableStrategy
from variable_mgr.topology import is_gpu


class Mirrored(VariableStrategy):
    """Variables, their copies and the all-reduce are those of TensorFlow's strategy; `stores` are this process's."""

    def __init__(
        self,
        declarations: Sequence[Declaration],
        towers: Sequence[str],
        seed: int,
        over_processes: tf.distribute.Strategy | None = None,
    ) -> None:
        """`towers` are the devices of this process.

        `over_processes` is the `MultiWorkerMirroredStrategy` that connects it to others, if there are any. Raises
        CannotReduceError where that has no replica on each of the towers.
        """
        self._mirrored = over_processes or _in_this_process(towers)
        replicas = [_local_name(device) for device in self._mirrored.extended.worker_devices]
        if sorted(replicas) != sorted(map(_local_name, towers)):
            raise CannotReduceError(
                f"--variable_update=mirrored over several processes: TensorFlow's strategy computes on "
                f"{', '.join(replicas)} of each process, and the towers are on {', '.join(map(_local_name, towers))}. "
                "On CPUs take --num_gpus=1, or --variable_update=collective_all_reduce."
            )
        self._tower_of_replica = [[*map(_local_name, towers)].index(replica) for replica in replicas]
        with self._mirrored.scope():
            variables = [
                tf.Variable(each.initial_value(seed), trainable=each.trainable, name=each.name) for each in declarations
            ]
        copies = [self._by_tower(variable) for variable in variables]
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
        """The mean over the towers of all processes, on every tower, by an all-reduce of all gradients at once."""
        names = list(tower_gradients[0])

        def exchange() -> list[tf.Tensor]:
            context = tf.distribute.get_replica_context()
            replica = int(tf.get_static_value(context.replica_id_in_sync_group))  # numbered over all processes
            gradients = tower_gradients[self._tower_of_replica[replica % len(self._tower_of_replica)]]
            means: list[tf.Tensor] = context.all_reduce(
                tf.distribute.ReduceOp.MEAN, [gradients[name] for name in names]
            )
            return means

        local = [self._by_tower(mean) for mean in self._mirrored.run(exchange)]
        return [
            {name: values[tower] for name, values in zip(names, local, strict=True)}
            for tower in range(len(tower_gradients))
        ]

    def _by_tower(self, values: object) -> list[tf.Tensor]:
        """What the replicas of this process have, in the order of the towers."""
        of_replicas = self._mirrored.experimental_local_results(values)
        return [of_replicas[self._tower_of_replica.index(tower)] for tower in range(len(of_replicas))]


def _in_this_process(towers: Sequence[str]) -> tf.distribute.Strategy:
    """On GPUs TensorFlow chooses the all-reduce. On logical CPU devices it is told to reduce on one device.

    The collectives that it would choose wait there for one another without end.
    """
    on_gpus = all(map(is_gpu, towers))
    return tf.distribute.MirroredStrategy(
        list(towers), cross_device_ops=None if on_gpus else tf.distribute.ReductionToOneDevice()
    )


def _local_name(device: str) -> str:
    """`device` as its own process calls it, as in cpu:0."""
    spec = tf.DeviceSpec.from_string(device)
    return f"{spec.device_type.lower()}:{spec.device_index}"
