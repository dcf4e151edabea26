"""What every step is, whatever it does: one TensorFlow function over all towers of this process."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

import tensorflow as tf

from benchmarks.inputs.feed import compiled
from benchmarks.inputs.towers import TowerInput


class CompiledStep(ABC):
    """A step on the devices `towers`, which get their batches from `inputs`."""

    def __init__(self, towers: Sequence[str], inputs: Sequence[TowerInput]) -> None:
        self._towers = towers
        self._inputs = inputs
        self._run: Callable[[], tf.Tensor] | None = None
        self._graph: tf.Graph | None = None

    def trace(self) -> float:
        """Build the graph; the seconds it took."""
        begin = time.perf_counter()
        run = compiled(self._step, self._inputs)
        self._run, self._graph = run, run.graph
        return time.perf_counter() - begin

    @property
    def graph(self) -> tf.Graph:
        """What a call runs; it has been traced."""
        assert self._graph is not None, "the step has been traced"
        return self._graph

    @abstractmethod
    def _step(self) -> tf.Tensor:
        """The whole step, while it is traced: what a call of it has to tell."""
