"""One copy of each variable on the parameter devices, which several workers update each on its own."""

from __future__ import annotations

from collections.abc import Sequence

from variable_mgr.exchange_plan import Traffic
from variable_mgr.store import Declaration, Store, balanced
from variable_mgr.strategies import Gradients, VariableStrategy, mean_at, traffic_by_way_of


class SharedVariables(VariableStrategy):
    """The variables, as the towers of one worker see them; `for_worker` gives the same ones to another.

    `reduce` returns the mean over the towers of this worker, and `traffic` is that of this worker's step.
    """

    def __init__(self, store: Store, towers: Sequence[str]) -> None:
        self.stores = [store]
        self.store_of = [0] * len(towers)
        self._towers = tuple(towers)

    @classmethod
    def on(cls, declarations: Sequence[Declaration], devices: Sequence[str], seed: int) -> SharedVariables:
        """New variables, spread over `devices` by bytes, for no towers yet."""
        return cls(Store(declarations, balanced(declarations, devices), seed), ())

    def for_worker(self, towers: Sequence[str]) -> SharedVariables:
        """The same variables for a worker with these towers."""
        return SharedVariables(self.stores[0], towers)

    def traffic(self) -> Traffic:
        """Gradients to the variables, and variables to the worker's towers."""
        return traffic_by_way_of(self.stores[0], self._towers)

    def reduce(self, tower_gradients: Sequence[Gradients]) -> list[Gradients]:
        """The mean, taken where the variable lives."""
        return [mean_at(tower_gradients, self.stores[0].placement)]
