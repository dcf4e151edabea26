"""A copy of each variable on every tower of every process, kept equal by TensorFlow's collective operations."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import tensorflow as tf

from variable_mgr.all_reduce_spec import parse
from variable_mgr.exchange_plan import (
    NCCL_FORMATS,
    PLAIN,
    TRANSFER_BYTES,
    CannotReduceError,
    ReduceOptions,
    Traffic,
    packing,
)
from variable_mgr.packs import Pack, cut, elements, pack_name
from variable_mgr.reduction import compressed, gradient_sizes, packed
from variable_mgr.store import Declaration, Store, on_one_device
from variable_mgr.strategies import Gradients, Reduce, VariableStrategy
from variable_mgr.topology import is_gpu

# Numbers by which TensorFlow tells groups of devices apart, far from those that its own strategies count up from 1.
TOWERS_GROUP = 1001
PROCESSES_GROUP = 1002
# And by which it tells operations apart: each strategy of a process has a stretch of its own, the same in all.
_STRETCH = 1 << 16
_strategies = itertools.count()


class CollectiveAllReduce(VariableStrategy):
    """All towers of all processes take the mean of their gradients together; `stores` are those of this process."""

    def __init__(
        self,
        declarations: Sequence[Declaration],
        towers: Sequence[str],
        seed: int,
        num_towers: int,
        exchange: ReduceOptions = PLAIN,
    ) -> None:
        """`towers` are the devices of this process, `num_towers` counts those of all.

        `exchange` says how gradients are packed, in how many shards packs of which size are cut, and in what numbers
        they travel; its algorithm is collective. Raises CannotReduceError where the towers cannot exchange so.
        """
        self.stores = [Store(declarations, on_one_device(declarations, tower), seed) for tower in towers]
        self.store_of = list(range(len(towers)))
        self._towers = towers
        self._num_towers = num_towers
        self._first_instance = next(_strategies) * _STRETCH + 1
        self._transfer_format = exchange.transfer_format
        if any(map(is_gpu, towers)) and self._transfer_format not in NCCL_FORMATS:
            raise CannotReduceError(
                f"collective_all_reduce: between GPUs the collective is NCCL's, which does not add up "
                f"{self._transfer_format}. Pass --gradient_transfer=fp32 or fp16."
            )
        sizes = gradient_sizes(declarations)
        self._elements = sum(sizes.values())
        chosen = _cut(packing(exchange, sizes), exchange)
        self._packs = {pack_name(index, pack, sizes): pack for index, pack in enumerate(chosen)}
        reduce: Reduce = self._reduce_packs
        if self._transfer_format != "float32":
            reduce = compressed(reduce, tf.dtypes.as_dtype(self._transfer_format), towers)
        self._reduce = packed(reduce, self._packs, towers)

    def traffic(self) -> Traffic:
        """What this process's towers send in rings of all towers: each sums, and then passes on, all shares but one."""
        others = self._num_towers - 1
        sent = 2 * self._elements * TRANSFER_BYTES[self._transfer_format] * others // self._num_towers
        return Traffic(len(self._packs) if others else 0, dict.fromkeys(self._towers, sent))

    def reduce(self, tower_gradients: Sequence[Gradients]) -> list[Gradients]:
        """The mean over all towers of all processes, on each tower's device."""
        return self._reduce(tower_gradients)

    def _reduce_packs(self, tower_packs: Sequence[Gradients]) -> list[Gradients]:
        return [self._means(own, tower) for own, tower in zip(tower_packs, self._towers, strict=True)]

    def _means(self, packs: Gradients, tower: str) -> Gradients:
        means: Gradients = {}
        last: list[tf.Tensor] = []
        on_gpu = is_gpu(tower)
        for number, name in enumerate(reversed(packs), self._first_instance):  # the last has its gradients first
            # NCCL deadlocks where two devices begin their operations in different orders.
            with tf.device(tower), tf.control_dependencies(last if on_gpu else []):
                means[name] = mean(packs[name], self._num_towers, TOWERS_GROUP, number, "nccl" if on_gpu else "ring")
            last = [means[name]]
        return means


def _cut(packs: Sequence[Pack], exchange: ReduceOptions) -> list[Pack]:
    """`packs`, each in as many shards as `exchange` says for its size."""
    spec = parse(exchange.spec or "collective")
    width = TRANSFER_BYTES[exchange.transfer_format]
    shards = []
    for pack in packs:
        [level] = spec.range_for(elements(pack), width).levels
        shards += cut(pack, level.shards)
    return shards


def mean_over_processes(figures: tf.Tensor, processes: int, instance: int) -> tf.Tensor:
    """The mean of each of `figures`, which every process has on its first CPU device, over all processes."""
    return mean(figures, processes, PROCESSES_GROUP, instance, "ring")


def mean(value: tf.Tensor, members: int, group: int, instance: int, hint: str) -> tf.Tensor:
    """The mean of `value` over all `members` of a group, each of which asks for it under the same numbers.

    The first version of the operation, as the second and third time out between logical CPU devices.
    """
    if members == 1:
        return tf.identity(value)
    narrow = value.dtype.size < tf.float32.size  # its sum could overflow where the mean does not
    return tf.raw_ops.CollectiveReduce(
        input=value / members if narrow else value,
        group_size=members,
        group_key=group,
        instance_key=instance,
        merge_op="Add",
        final_op="Id" if narrow else "Div",
        subdiv_offsets=[0],
        communication_hint=hint,
    )
