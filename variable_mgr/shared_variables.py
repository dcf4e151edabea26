"""Strategies in which all towers share one copy of the variables, on the parameter devices."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from variable_mgr.exchange_plan import Traffic
from variable_mgr.store import Declaration, Store, balanced, on_one_device
from variable_mgr.strategies import Gradients, VariableStrategy, mean_at, traffic_by_way_of


class ParameterServer(VariableStrategy):
    """One copy of each variable, on the parameter devices; every tower reads it, the mean gradient updates it."""

    def __init__(
        self, declarations: Sequence[Declaration], towers: Sequence[str], parameter_devices: Sequence[str], seed: int
    ) -> None:
        self.stores = [Store(declarations, balanced(declarations, parameter_devices), seed)]
        self.store_of = [0] * len(towers)
        self._towers = tuple(towers)

    def traffic(self) -> Traffic:
        """Gradients to the variables, and variables to the towers."""
        return traffic_by_way_of(self.masters[0], self._towers)

    def reduce(self, tower_gradients: Sequence[Gradients]) -> list[Gradients]:
        """The mean, taken where the variable lives."""
        return [mean_at(tower_gradients, self.masters[0].placement)]


class StagedParameterServer(ParameterServer):
    """A parameter server whose towers do not wait for it: each reads what its own copy was given a step ago.

    While the towers compute with their copies, the variables as the step found them travel to the copies, to be read in
    the next step. tf_cnn_benchmarks did so with staging areas (--staged_vars), and delayed the gradients too: see
    `Delayed`.
    """

    reads_behind = 1

    def __init__(
        self, declarations: Sequence[Declaration], towers: Sequence[str], parameter_devices: Sequence[str], seed: int
    ) -> None:
        self._masters = [Store(declarations, balanced(declarations, parameter_devices), seed)]
        trainable = [declaration for declaration in declarations if declaration.trainable]
        statistics = [declaration for declaration in declarations if not declaration.trainable]
        self.stores = []
        for tower in towers:
            copies = Store(trainable, on_one_device(trainable, tower), seed)
            # The moving statistics are not staged: nothing in a training step reads them.
            shared = {each.name: self._masters[0].variables[each.name] for each in statistics}
            placement = {each.name: self._masters[0].placement[each.name] for each in statistics}
            self.stores.append(
                Store.of(declarations, copies.placement | placement, copies.variables | shared),
            )
        self.store_of = list(range(len(towers)))
        self._towers = tuple(towers)

    @property
    def masters(self) -> list[Store]:
        """The one copy on the parameter devices."""
        return self._masters

    def owns_statistics(self, tower: int) -> bool:
        """The first tower: there is one copy of the statistics."""
        return tower == 0

    def stage(self) -> list[tf.Operation]:
        """Send the variables, as this step has found them, to the copies."""
        master = self._masters[0]
        values = {name: master.value(name) for name in master.trainable}
        return [store.assign(name, value) for store in self.stores for name, value in values.items()]
