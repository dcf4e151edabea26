"""A copy of each variable in every process, kept equal by Horovod (Sergeev and Del Balso 2018, arXiv:1802.05799)."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from variable_mgr.exchange_plan import PLAIN, TRANSFER_BYTES, ReduceOptions, Traffic, packing
from variable_mgr.packs import pack_name
from variable_mgr.reduction import compressed, gradient_sizes, packed
from variable_mgr.store import Declaration, Store, on_one_device
from variable_mgr.strategies import Gradients, Reduce, VariableStrategy

# Horovod tells operations apart by their names alone, which must be the same in all processes.
_strategies = itertools.count()


class HorovodAllReduce(VariableStrategy):
    """The towers of all processes, one a process, take the mean of their gradients; `stores` has this process's."""

    def __init__(
        self,
        declarations: Sequence[Declaration],
        tower: str,
        seed: int,
        horovod: Any,
        exchange: ReduceOptions = PLAIN,
        device: str = "",
    ) -> None:
        """`horovod` is the module horovod.tensorflow, initialized; `tower` is the device of this process.

        `exchange` says how gradients are packed (Horovod fuses them further by itself) and in what numbers they travel;
        its algorithm is Horovod's. `device` is where Horovod adds up, "cpu" or "gpu"; "" leaves that to Horovod.
        """
        self.stores = [Store(declarations, on_one_device(declarations, tower), seed)]
        self.store_of = [0]
        self._tower = tower
        self._horovod = horovod
        self._device = f"/{device}:0" if device else ""
        self._number = next(_strategies)
        self._transfer_format = exchange.transfer_format
        sizes = gradient_sizes(declarations)
        self._elements = sum(sizes.values())
        self._packs = {pack_name(index, pack, sizes): pack for index, pack in enumerate(packing(exchange, sizes))}
        reduce: Reduce = self._reduce_packs
        if self._transfer_format != "float32":
            reduce = compressed(reduce, tf.dtypes.as_dtype(self._transfer_format), [tower])
        self._reduce = packed(reduce, self._packs, [tower])

    def traffic(self) -> Traffic:
        """What this process sends, counted as a ring of all: it sums, and then passes on, all shares but one."""
        count = self._horovod.size()
        sent = 2 * self._elements * TRANSFER_BYTES[self._transfer_format] * (count - 1) // count
        return Traffic(len(self._packs) if count > 1 else 0, {self._tower: sent})

    def reduce(self, tower_gradients: Sequence[Gradients]) -> list[Gradients]:
        """The mean over the processes, on this tower's device."""
        return self._reduce(tower_gradients)

    def synchronize(self) -> None:
        """Give all processes the values of the first."""
        self._horovod.broadcast_variables([*self.stores[0].variables.values()], root_rank=0)

    def _reduce_packs(self, tower_packs: Sequence[Gradients]) -> list[Gradients]:
        [packs] = tower_packs
        means: Gradients = {}
        for index, name in enumerate(packs):
            with tf.device(self._tower):
                found = mean(self._horovod, packs[name], f"gradients{self._number}_{index}", self._device)
                means[name] = tf.identity(found)  # Horovod leaves it where it has added up
        return [means]


def mean(horovod: Any, value: tf.Tensor, name: str, device: str = "") -> tf.Tensor:
    """The mean of `value` over all processes, each of which asks for it under the same `name`.

    Numbers narrower than float32 are divided before they are added: their sum could overflow where the mean does not.
    """
    if value.dtype.size >= tf.float32.size:
        return horovod.allreduce(value, op=horovod.Average, name=name, device_dense=device)
    return horovod.allreduce(value / horovod.size(), op=horovod.Sum, name=name, device_dense=device)
