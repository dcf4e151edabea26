"""The step of one of several processes that all run the same step together."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from benchmarks.step import TrainingStep
from variable_mgr.collective import mean_over_processes
from variable_mgr.store import Store

_steps = itertools.count(
    1
)  # collective operations of different graphs need different numbers, the same in all processes


class CollectiveStep(TrainingStep):
    """A step over this process's towers whose figures are means over the towers of all `processes`."""

    def __init__(self, *parts: Any, processes: int) -> None:
        super().__init__(*parts)
        self._processes = processes
        self._instance = next(_steps)

    def _step(self) -> tf.Tensor:
        # After all else: beside the gradients' operations, this one could leave none of few threads to go on with.
        figures = super()._step()
        with tf.device("/cpu:0"):
            return mean_over_processes(figures, self._processes, self._instance)


def digest(stores: Sequence[Store]) -> str:
    """A name for the values of all variables of all `stores`: equal where every bit is."""
    found = set()
    for store in stores:
        values = hashlib.sha256()
        for name, variable in store.variables.items():
            values.update(name.encode() + variable.numpy().tobytes())
        found.add(values.hexdigest()[:16])
    return " ".join(sorted(found))
