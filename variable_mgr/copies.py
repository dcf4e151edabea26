"""Strategies in which each tower has a copy of the variables on its own device."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from variable_mgr.exchange_plan import Traffic
from variable_mgr.store import Declaration, Store, balanced, on_one_device
from variable_mgr.strategies import Gradients, Reduce, Updated, VariableStrategy, mean_at, traffic_by_way_of


class _CopyPerTower(VariableStrategy):
    """A copy of each variable on each tower's device."""

    def __init__(self, declarations: Sequence[Declaration], towers: Sequence[str], seed: int) -> None:
        self.stores = [Store(declarations, on_one_device(declarations, tower), seed) for tower in towers]
        self.store_of = list(range(len(towers)))
        self._towers = tuple(towers)


class Independent(_CopyPerTower):
    """A copy of each variable on each tower, and no exchange at all: what communication costs is what is missing."""

    exchanges = False

    def traffic(self) -> Traffic:
        """Nothing."""
        return Traffic(0, dict.fromkeys(self._towers, 0))

    def reduce(self, tower_gradients: Sequence[Gradients]) -> list[Gradients]:
        """Each tower's own gradients."""
        return list(tower_gradients)


class Replicated(_CopyPerTower):
    """A copy of each variable on each tower; `reduce` brings the mean gradient to all, and each updates its copy.

    `traffic` is what `reduce` sends, where it is known.
    """

    def __init__(
        self,
        declarations: Sequence[Declaration],
        towers: Sequence[str],
        seed: int,
        reduce: Reduce,
        traffic: Traffic | None = None,
    ) -> None:
        super().__init__(declarations, towers, seed)
        self._reduce = reduce
        self._traffic = traffic

    def traffic(self) -> Traffic | None:
        """What the all-reduces send."""
        return self._traffic

    def reduce(self, tower_gradients: Sequence[Gradients]) -> list[Gradients]:
        """The mean, on every tower."""
        return self._reduce(tower_gradients)


class _WithMaster(_CopyPerTower):
    """A copy of each variable on each tower, and a master of each trainable one, from which the copies are refreshed.

    Each gradient goes to where the master is, its mean updates the master, and the new value goes to all copies.
    """

    _master: Store

    @property
    def masters(self) -> list[Store]:
        """The one set that gradients update."""
        return [self._master]

    def traffic(self) -> Traffic:
        """Gradients to the masters, and their new values to the copies."""
        return traffic_by_way_of(self._master, self._towers)

    def reduce(self, tower_gradients: Sequence[Gradients]) -> list[Gradients]:
        """The mean, taken where the master is."""
        return [mean_at(tower_gradients, self._master.placement)]

    def refresh(self, updated: Sequence[Updated]) -> list[tf.Operation]:
        """Bring each master's new value to the copies."""
        operations = []
        for name, update in updated[0].items():
            with tf.control_dependencies([update]):
                value = self._master.value(name)
            behind = [store for store in self.stores if store.variables[name] is not self._master.variables[name]]
            operations += [store.assign(name, value) for store in behind]
        return operations


class DistributedReplicated(_WithMaster):
    """A copy of each variable on each tower; the masters are on the parameter devices, balanced by bytes."""

    def __init__(
        self, declarations: Sequence[Declaration], towers: Sequence[str], parameter_devices: Sequence[str], seed: int
    ) -> None:
        super().__init__(declarations, towers, seed)
        trainable = [declaration for declaration in declarations if declaration.trainable]
        self._master = Store(trainable, balanced(trainable, parameter_devices), seed)


class Sharded(_WithMaster):
    """A copy of each variable on each tower; each tower's copies of its share, balanced by bytes, are the masters.

    So the mean gradients are scattered over the towers, each tower updates its share and keeps the optimizer's state of
    that share alone, and the updated shares are gathered by all (Rajbhandari et al. 2019, arXiv:1910.02054, stage 1,
    with whole variables as shares).
    """

    def __init__(self, declarations: Sequence[Declaration], towers: Sequence[str], seed: int) -> None:
        super().__init__(declarations, towers, seed)
        trainable = [declaration for declaration in declarations if declaration.trainable]
        owner = balanced(trainable, towers)
        own = dict(zip(towers, self.stores, strict=True))
        self._master = Store.of(trainable, owner, {name: own[tower].variables[name] for name, tower in owner.items()})
