"""The step of one of several processes that all run the same step together."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from benchmarks.step import TrainingStep
from variable_mgr.store import Store

Average = Callable[[tf.Tensor], tf.Tensor]  # of figures on the CPU: their means over all processes


class CollectiveStep(TrainingStep):
    """A step over this process's towers whose figures are means over the towers of all processes."""

    def __init__(self, *parts: Any, average: Average) -> None:
        super().__init__(*parts)
        self._average = average

    def _step(self) -> tf.Tensor:
        # After all else: beside the gradients' operations, this one could leave none of few threads to go on with.
        figures = super()._step()
        with tf.device("/cpu:0"):
            return self._average(figures)


def digest(stores: Sequence[Store]) -> str:
    """A name for the values of all variables of all `stores`: equal where every bit is."""
    found = set()
    for store in stores:
        values = hashlib.sha256()
        for name, variable in store.variables.items():
            values.update(name.encode() + variable.numpy().tobytes())
        found.add(values.hexdigest()[:16])
    return " ".join(sorted(found))
