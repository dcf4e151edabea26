"""Variable-update strategies on one machine: where variables live, and how tower gradients become one update."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import tensorflow as tf

from variable_mgr.store import Declaration, Placement, Store, balanced, on_one_device

Gradients = dict[str, tf.Tensor]  # trainable variable's name -> float32 gradient of the variable's shape


class VariableStrategy(ABC):
    """The contract of every strategy.

    * `stores` are all there are, created with equal values; `store_of[tower]` is the index of tower's own.
    * `reduce` gets one gradient per variable from each tower, and returns for each store, on the device of each of
      its variables, the *mean* over all towers: a change of strategy never changes the learning rate.
      `independent` alone returns each tower's own (`exchanges` is False).
    * `synchronize` makes all stores equal, after building or restoring.
    """

    exchanges = True
    stores: list[Store]
    store_of: list[int]

    def store(self, tower: int) -> Store:
        """The store that `tower` reads."""
        return self.stores[self.store_of[tower]]

    def owns_statistics(self, tower: int) -> bool:
        """Whether `tower` advances the moving statistics of its store: the first of those that share it."""
        return self.store_of.index(self.store_of[tower]) == tower

    @abstractmethod
    def reduce(self, tower_gradients: Sequence[Gradients]) -> list[Gradients]:
        """One set of gradients a store, each on the device of its variable."""

    def synchronize(self) -> None:
        """Copy the first store over all others."""
        for store in self.stores[1:]:
            store.copy_from(self.stores[0])


class ParameterServer(VariableStrategy):
    """One copy of each variable, on the parameter devices; every tower reads it, the mean gradient updates it."""

    def __init__(
        self, declarations: Sequence[Declaration], towers: Sequence[str], parameter_devices: Sequence[str], seed: int
    ) -> None:
        self.stores = [Store(declarations, balanced(declarations, parameter_devices), seed)]
        self.store_of = [0] * len(towers)

    def reduce(self, tower_gradients: Sequence[Gradients]) -> list[Gradients]:
        """The mean, taken where the variable lives."""
        return [_mean(tower_gradients, self.stores[0].placement)]


class _CopyPerTower(VariableStrategy):
    """A copy of each variable on each tower's device."""

    def __init__(self, declarations: Sequence[Declaration], towers: Sequence[str], seed: int) -> None:
        self.stores = [Store(declarations, on_one_device(declarations, tower), seed) for tower in towers]
        self.store_of = list(range(len(towers)))


class Replicated(_CopyPerTower):
    """A copy of each variable on each tower; all are updated with the same mean gradient.

    The means are taken on the towers' devices, balanced by bytes, and copied from there to all: what
    tf_cnn_benchmarks does without an all-reduce algorithm.
    """

    def __init__(self, declarations: Sequence[Declaration], towers: Sequence[str], seed: int) -> None:
        super().__init__(declarations, towers, seed)
        trainable = [declaration for declaration in declarations if declaration.trainable]
        self._meeting_place = balanced(trainable, towers)

    def reduce(self, tower_gradients: Sequence[Gradients]) -> list[Gradients]:
        """The mean, taken on one device a variable and copied to every store."""
        mean = _mean(tower_gradients, self._meeting_place)
        return [_placed(mean, store.placement) for store in self.stores]


class Independent(_CopyPerTower):
    """A copy of each variable on each tower, and no exchange at all: what communication costs is what is missing."""

    exchanges = False

    def reduce(self, tower_gradients: Sequence[Gradients]) -> list[Gradients]:
        """Each tower's own gradients."""
        return list(tower_gradients)


def make(
    name: str,
    declarations: Sequence[Declaration],
    towers: Sequence[str],
    parameter_devices: Sequence[str],
    seed: int,
) -> VariableStrategy:
    """The strategy called `name`, with its variables in place and equal.

    `towers` are the towers' devices; `parameter_devices` are where parameter_server keeps the variables.
    """
    if name == "parameter_server":
        strategy: VariableStrategy = ParameterServer(declarations, towers, parameter_devices, seed)
    else:
        strategy = {
            "replicated": Replicated,
            "distributed_all_reduce": Replicated,
            "independent": Independent,
        }[name](declarations, towers, seed)
    strategy.synchronize()
    return strategy


def _mean(tower_gradients: Sequence[Gradients], placement: Placement) -> Gradients:
    count = len(tower_gradients)
    if count == 1:
        return _placed(tower_gradients[0], placement)
    means = {}
    for name in tower_gradients[0]:
        with tf.device(placement[name]):
            means[name] = tf.add_n([gradients[name] for gradients in tower_gradients]) / count
    return means


def _placed(gradients: Gradients, placement: Placement) -> Gradients:
    placed = {}
    for name, gradient in gradients.items():
        with tf.device(placement[name]):
            placed[name] = tf.identity(gradient)
    return placed
