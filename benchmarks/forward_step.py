"""A step that trains nothing: every tower sends its next batch through the network."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

import tensorflow as tf

from benchmarks.inputs.feed import compiled
from benchmarks.inputs.towers import TowerInput
from benchmarks.step import StepOptions, StepOutcome, accuracies
from models.layers import Net
from models.network import Network
from variable_mgr.exchange_plan import Traffic
from variable_mgr.strategies import VariableStrategy
from variable_mgr.topology import is_gpu

Logits = Callable[[Mapping[str, tf.Tensor], tf.Tensor], tf.Tensor]  # of the variables' values and of images


def inference(network: Network, options: StepOptions, device: str) -> Logits:
    """The float32 logits of images on `device`, where batch norm uses its moving statistics and nothing is dropped."""

    def logits(values: Mapping[str, tf.Tensor], images: tf.Tensor) -> tf.Tensor:
        net = Net(
            network,
            lambda declaration: values[declaration.name],
            num_classes=options.num_classes,
            training=False,
            data_format=options.data_format,
            dtype=options.dtype,
            on_gpu=is_gpu(device),
        )
        return network(net, images).logits

    return tf.function(logits, jit_compile=True, autograph=False) if options.xla else logits


class ForwardStep:
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
        self.strategy = strategy
        self._network = network
        self._towers = towers
        self._inputs = inputs
        self._options = options
        self._average = average
        self._run: Callable[[], tf.Tensor] | None = None

    def trace(self) -> float:
        """Build the graph; the seconds it took."""
        begin = time.perf_counter()
        self._run = compiled(self._step, self._inputs)
        return time.perf_counter() - begin

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
