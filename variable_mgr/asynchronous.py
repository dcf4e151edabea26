"""One copy of each variable on the parameter devices, which several workers update each on its own."""

from __future__ import annotations

from collections.abc import Sequence

from variable_mgr.store import Declaration, Store, balanced
from variable_mgr.strategies import Gradients, VariableStrategy, mean_at


class SharedVariables(VariableStrategy):
    """The variables, as the towers of one worker see them; `for_worker` gives the same ones to another.

    `reduce` returns the mean over the towers of this worker.
    """

    def __init__(self, store: Store, towers: int) -> None:
        self.stores = [store]
        self.store_of = [0] * towers

    @classmethod
    def on(cls, declarations: Sequence[Declaration], devices: Sequence[str], seed: int) -> SharedVariables:
        """New variables, spread over `devices` by bytes, for no towers yet."""
        return cls(Store(declarations, balanced(declarations, devices), seed), 0)

    def for_worker(self, towers: int) -> SharedVariables:
        """The same variables for a worker with so many towers."""
        return SharedVariables(self.stores[0], towers)

    def reduce(self, tower_gradients: Sequence[Gradients]) -> list[Gradients]:
        """The mean, taken where the variable lives."""
        return [mean_at(tower_gradients, self.stores[0].placement)]
