"""What every step is, whatever it does: one TensorFlow function over all towers of this process."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

import tensorflow as tf

from benchmarks.inputs.feed import Feed, compiled
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

    def looped(self, steps: int) -> Callable[[], tf.Tensor]:
        """So many steps as one TensorFlow function, one after another: what each has to tell, [steps, ...], float32.

        Their inputs must be TensorFlow's own: nothing can be fed to a step within a call.
        """
        assert not any(isinstance(each, Feed) for each in self._inputs), "the inputs are read within the step"

        def all_steps() -> tf.Tensor:
            def one(number: tf.Tensor, told: tf.TensorArray) -> tuple[tf.Tensor, tf.TensorArray]:
                return number + 1, told.write(number, self._step())

            start = (tf.constant(0), tf.TensorArray(tf.float32, size=steps))
            _, told = tf.while_loop(lambda number, _: number < steps, one, start, parallel_iterations=1)
            return told.stack()

        looped: Callable[[], tf.Tensor] = tf.function(all_steps, autograph=False).get_concrete_function()
        return looped

    @property
    def graph(self) -> tf.Graph:
        """What a call runs; it has been traced."""
        assert self._graph is not None, "the step has been traced"
        return self._graph

    @abstractmethod
    def _step(self) -> tf.Tensor:
        """The whole step, while it is traced: what a call of it has to tell."""
