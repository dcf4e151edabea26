"""Updates that come a step late, so that no step waits for the exchange of its own gradients."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from variable_mgr.exchange_plan import Traffic
from variable_mgr.store import Store
from variable_mgr.strategies import Gradients, Updated, VariableStrategy


class Delayed(VariableStrategy):
    """`strategy`, with every update one step late: a step applies the last step's gradients, the first step zeros.

    What each tower has found waits on its device for the next step, which exchanges it while the towers compute; weight
    decay, which is no part of it, does not wait. tf_cnn_benchmarks has it
    for --variable_consistency=relaxed, and within --staged_vars.
    """

    def __init__(self, strategy: VariableStrategy) -> None:
        self._strategy = strategy
        self.exchanges = strategy.exchanges
        self.steps_behind, self.reads_behind = strategy.steps_behind + 1, strategy.reads_behind
        self.stores, self.store_of = strategy.stores, strategy.store_of
        self._waiting = [_zeros_like(strategy.store(tower)) for tower in range(len(strategy.store_of))]

    @property
    def masters(self) -> list[Store]:
        """Those of the strategy."""
        return self._strategy.masters

    @property
    def waiting(self) -> list[Store]:
        """What each tower has found in the last step."""
        return self._waiting

    def owns_statistics(self, tower: int) -> bool:
        """As in the strategy."""
        return self._strategy.owns_statistics(tower)

    def traffic(self) -> Traffic | None:
        """As in the strategy."""
        return self._strategy.traffic()

    def reduce(self, tower_gradients: Sequence[Gradients]) -> list[Gradients]:
        """The means of what the last step has found; what this one finds waits for the next."""
        last = [store.read() for store in self._waiting]
        for store, found in zip(self._waiting, tower_gradients, strict=True):
            for name, gradient in found.items():
                store.assign(name, gradient)
        return self._strategy.reduce(last)

    def stage(self) -> list[tf.Operation]:
        """As in the strategy."""
        return self._strategy.stage()

    def refresh(self, updated: Sequence[Updated]) -> list[tf.Operation]:
        """As in the strategy."""
        return self._strategy.refresh(updated)


def _zeros_like(store: Store) -> Store:
    declarations = [store.declarations[name] for name in store.trainable]
    variables = {}
    for name in store.trainable:
        with tf.device(store.placement[name]):
            variables[name] = tf.Variable(tf.zeros_like(store.variables[name]), trainable=False, name=f"{name}/late")
    return Store.of(declarations, store.placement, variables)
