"""What one step leaves to the next: all that a checkpoint has to keep of a training."""

from __future__ import annotations

from collections.abc import Mapping

import tensorflow as tf

from benchmarks.step import TrainingStep

Variables = dict[str, tf.Variable]


class TrainingState:
    """The variables of `step`, by names that are those of the network and not of towers or devices.

    * `network`: each variable once, as gradients update it; moving statistics as the first tower has them.
    * `slots`: the optimizer's, once too, as VARIABLE/SLOT.
    * `own`: what towers have besides that is not equal among them: the moving statistics of the others, whole copies
      where nothing is exchanged, copies that are a step late, and gradients that wait. It goes back only to towers
      that have the same; any others begin with `network`, and without what waits.
    """

    def __init__(self, step: TrainingStep) -> None:
        self._strategy, self._updates = step.strategy, step.updates
        self.network = self._network()
        self.slots = {
            f"{name}/{slot}": variable
            for name, slots in step.updates[0].slots.items()
            for slot, variable in slots.items()
        }
        self.own = self._own()

    def groups(self, with_own: bool = True) -> dict[str, Variables]:
        """All of them, as a checkpoint has them."""
        groups = {"network": self.network, "slots": self.slots}
        return groups | {"own": self.own} if with_own else groups

    def spread(self) -> None:
        """Bring what `network` and `slots` have to all copies of the towers."""
        for store in [*self._strategy.stores, *self._strategy.masters]:
            for name, variable in store.variables.items():
                if variable is not self.network[name]:
                    store.assign(name, self.network[name].read_value())
        for updates in self._updates[1:]:
            for name, slots in updates.slots.items():
                for slot, variable in slots.items():
                    variable.assign(self.slots[f"{name}/{slot}"].read_value())

    def _network(self) -> Variables:
        """Those of the master where it has one: stores can lag behind it."""
        return {**self._strategy.stores[0].variables, **self._strategy.masters[0].variables}

    def _own(self) -> Variables:
        strategy, own = self._strategy, {}
        copies_are_equal = strategy.exchanges and not strategy.reads_behind
        kept = {id(variable) for variable in self.network.values()}
        for number, store in enumerate(strategy.stores):
            for name, variable in store.variables.items():
                if id(variable) in kept or (copies_are_equal and name in store.trainable):
                    continue
                kept.add(id(variable))  # stores can share variables
                own[f"store{number}/{name}"] = variable
        if not strategy.exchanges:
            for number, updates in enumerate(self._updates[1:], 1):
                own |= {
                    f"store{number}/{name}/{slot}": variable
                    for name, slots in updates.slots.items()
                    for slot, variable in slots.items()
                }
        for number, store in enumerate(strategy.waiting):
            own |= {f"waiting{number}/{name}": variable for name, variable in store.variables.items()}
        return own


def shapes(variables: Mapping[str, tf.Variable]) -> dict[str, list[int]]:
    """The shape of each."""
    return {name: variable.shape.as_list() for name, variable in variables.items()}
