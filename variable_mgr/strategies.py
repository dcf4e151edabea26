"""The contract of every variable-update strategy: where variables live, and how tower gradients become one update."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import tensorflow as tf

from variable_mgr.exchange_plan import Traffic
from variable_mgr.store import Placement, Store

Gradients = dict[str, tf.Tensor]  # trainable variable's name -> float32 gradient of the variable's shape
Updated = Mapping[str, tf.Operation]  # trainable variable's name -> the operation that has updated it

# One set of gradients of each tower in, on its device; their MEAN out, once for each tower, on its device.
Reduce = Callable[[Sequence[Gradients]], list[Gradients]]


class VariableStrategy(ABC):
    """The contract of every strategy.

    * `stores` are what towers read; `store_of[tower]` is the index of tower's own. `masters` are what gradients update:
      the stores themselves, unless a strategy keeps the copy that counts elsewhere. All are created with equal values.
    * `reduce` gets one gradient per variable from each tower, and returns for each master, on the device of each of
      its variables, the *mean* over all towers: a change of strategy never changes the learning rate.
      `independent` alone returns each tower's own (`exchanges` is False).
    * `stage` is called once the towers have read their stores and nothing is updated yet, `refresh` once the masters
      are updated: both return operations that belong to the step, or none.
    * `traffic` says what the devices send each other in a step.
    * `synchronize` makes all stores and masters equal, after building or restoring.

    `steps_behind` is by how many steps an update comes late: step n applies what the towers found in step
    n - `steps_behind`, and the first steps nothing. `reads_behind` is by how many steps the stores lag the masters.
    """

    exchanges = True
    steps_behind = 0
    reads_behind = 0
    stores: list[Store]
    store_of: list[int]

    @property
    def masters(self) -> list[Store]:
        """What gradients update."""
        return self.stores

    @property
    def waiting(self) -> list[Store]:
        """The gradients that a step leaves to the next, a set for each tower; none where updates come at once."""
        return []

    def store(self, tower: int) -> Store:
        """The store that `tower` reads."""
        return self.stores[self.store_of[tower]]

    def owns_statistics(self, tower: int) -> bool:
        """Whether `tower` advances the moving statistics of its store: the first of those that share it."""
        return self.store_of.index(self.store_of[tower]) == tower

    def traffic(self) -> Traffic | None:
        """What leaves each device in a step, and the number of exchanges; None where it is not known."""
        return None

    @abstractmethod
    def reduce(self, tower_gradients: Sequence[Gradients]) -> list[Gradients]:
        """One set of gradients a master, each on the device of its variable."""

    def stage(self) -> list[tf.Operation]:
        """What is to be done with the variables as this step has found them."""
        return []

    def refresh(self, updated: Sequence[Updated]) -> list[tf.Operation]:
        """What brings the stores in line with the masters; each variable waits for its update in `updated`."""
        del updated
        return []

    def synchronize(self) -> None:
        """Copy the first store over all others."""
        for store in [*self.stores[1:], *self.masters]:
            if store is not self.stores[0]:
                store.copy_from(self.stores[0])


def mean_at(tower_gradients: Sequence[Gradients], placement: Placement) -> Gradients:
    """The mean over the towers of each gradient that `placement` has, taken on the device that it says."""
    count = len(tower_gradients)
    if count == 1:
        return placed(tower_gradients[0], placement)
    means = {}
    for name in tower_gradients[0]:
        with tf.device(placement[name]):
            means[name] = tf.add_n([gradients[name] for gradients in tower_gradients]) / count
    return means


def placed(gradients: Gradients, placement: Placement) -> Gradients:
    """The same gradients on the devices that `placement` says."""
    copies = {}
    for name, gradient in gradients.items():
        with tf.device(placement[name]):
            copies[name] = tf.identity(gradient)
    return copies


def traffic_by_way_of(master: Store, towers: Sequence[str]) -> Traffic:
    """What is sent where every tower sends its gradients to the variables of `master`, and gets the variables back."""
    sent = Counter(dict.fromkeys([*towers, *master.placement.values()], 0))
    exchanged = set()
    for name in master.trainable:
        home, nbytes = master.placement[name], master.declarations[name].nbytes
        for tower in towers:
            if tower != home:
                sent.update({tower: nbytes, home: nbytes})
                exchanged.add(name)
    return Traffic(len(exchanged), dict(sent))
