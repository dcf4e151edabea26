"""A step that trains nothing: every tower sends its next batch through the network."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import tensorflow as tf

from benchmarks.compiled_step import CompiledStep
from benchmarks.inputs.towers import TowerInput
from benchmarks.scores import accuracies
from benchmarks.step import StepOptions, StepOutcome, net_on
from models.network import Network
from variable_mgr.exchange_plan import Traffic
from variable_mgr.strategies import VariableStrategy

Logits = Callable[[Mapping[str, tf.Tensor], tf.Tensor], tf.Tensor]  # of the variables' values and of images


def inference(network: Network, options: StepOptions, device: str) -> Logits:
    """The float32 logits of images on `device`, where batch norm uses its moving statistics and nothing is dropped."""

    def logits(values: Mapping[str, tf.Tensor], images: tf.Tensor) -> tf.Tensor:
        return network(net_on(device, network, values, options, training=False), images).logits

    return tf.function(logits, jit_compile=True, autograph=False) if options.xla else logits


class ForwardStep(CompiledStep):
    """The forward pass of `network` on all `towers`, with the variables of `strategy`, which nothing updates.

    Calling it runs one step and ends when every device is done: the accuracies that it waits for come of the logits.
    `average` takes the mean of figures over the processes that run the step together, if there are several.
    """

    def __init__(
        self,
        network: Network,
        strategy: VariableStrategy,
        towers: Sequence[str],
        inputs: Sequence[TowerInput],
        options: StepOptions,
        average: Callable[[tf.Tensor], tf.Tensor] | None = None,
    ) -> None:
        super().__init__(towers, inputs)
        self.strategy = strategy
        self._network = network
        self._options = options
        self._average = average

    def traffic(self) -> Traffic:
        """Nothing is exchanged."""
        return Traffic(0, dict.fromkeys(self._towers, 0))

    def __call__(self) -> StepOutcome:
        """Run one step. The loss, which is not computed, is 0, as in tf_cnn_benchmarks."""
        assert self._run is not None, "the step has been traced"
        top_1, top_5 = self._run().numpy().tolist()
        return StepOutcome(0.0, top_1=top_1, top_5=top_5)

    def _step(self) -> tf.Tensor:
        """Shares of the images whose class came first, and among the first five: means over the towers, float32 [2]."""
        values = [store.read() for store in self.strategy.stores]
        found = []
        for tower, device in enumerate(self._towers):
            with tf.device(device), tf.name_scope(f"tower{tower}"):
                images, labels = self._inputs[tower]()
                compute = inference(self._network, self._options, device)
                logits = compute(values[self.strategy.store_of[tower]], images)
                found.append(tf.stack(accuracies(logits, labels)))
        with tf.device("/cpu:0"):
            shares = tf.add_n(found) / len(found)
            return self._average(shares) if self._average else shares
