"""Whether the towers' copies of the variables are still equal at the end of a run."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from variable_mgr.store import Store
from variable_mgr.strategies import VariableStrategy

# Copies get the same updates and are equal to the bit; devices of different kinds round differently.
TOLERANCE = 1e-5


@dataclass(frozen=True)
class Copies:
    """How far apart the copies of a variable are at most, as a share of its root mean square."""

    largest_difference: float
    variable: str
    copies: int
    seconds: float

    @property
    def problem(self) -> str | None:
        """What is wrong, or None."""
        if self.largest_difference <= TOLERANCE:
            return None
        return (
            f"the towers' variables are not equal after the last step: copies of {self.variable} differ by "
            f"{self.largest_difference:.2g} of its size (tolerance {TOLERANCE:g})"
        )

    def facts(self) -> dict[str, Any]:
        """What the record keeps."""
        return {**vars(self), "tolerance": TOLERANCE, "problem": self.problem}


def compare_copies(strategy: VariableStrategy, clock: Callable[[], float] = time.perf_counter) -> Copies | None:
    """Compare what gradients train in all stores of `strategy`; None where there is nothing to be equal.

    Of each variable only its mean and its root mean square leave the device, so it is cheap wherever the copies are.
    Moving statistics are each tower's own.
    """
    if not strategy.exchanges or len(strategy.stores) < 2:
        return None
    begin = clock()
    checksums = np.stack([_checksums(store) for store in strategy.stores])
    worst, name = max(
        (_difference(checksums[:, index]), name) for index, name in enumerate(strategy.stores[0].trainable)
    )
    return Copies(worst, name, len(strategy.stores), clock() - begin)


def _checksums(store: Store) -> np.ndarray[Any, Any]:
    """Mean and root mean square of each trainable variable, shape (variables, 2)."""
    sums = []
    for name in store.trainable:
        with tf.device(store.placement[name]):
            value = store.variables[name].read_value()
            sums.append(tf.stack([tf.reduce_mean(value), tf.sqrt(tf.reduce_mean(tf.square(value)))]))
    return np.stack([each.numpy() for each in sums])


def _difference(copies: np.ndarray[Any, Any]) -> float:
    """How far the checksums of one variable's copies, shape (copies, 2), are apart."""
    if not np.isfinite(copies).any():
        return 0.0  # all are as far gone: the loss says so
    largest = float(np.ptp(copies, axis=0).max())
    return largest / max(float(copies[:, 1].max()), 1e-30) if math.isfinite(largest) else math.inf
