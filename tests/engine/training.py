"""A small network, and a way to train it under any strategy on given images."""

from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from benchmarks.learning_rate import LearningRate
from benchmarks.optimizers import Momentum
from benchmarks.precision import LossScale
from benchmarks.step import StepOptions, TrainingStep
from models.layers import declarations
from models.network import Network, Outputs
from variable_mgr.choice import make

CLASSES = 10
EXCHANGING = ["parameter_server", "replicated", "distributed_replicated", "sharded", "mirrored"]
STRATEGIES = [*EXCHANGING, "independent"]


@dataclass(frozen=True, kw_only=True)
class SmallNet(Network):
    """Two convolutions, optionally batch norm, a dense layer, optionally dropout (`drops`), a classifier."""

    image_size: int = 8
    batch_size: int = 4
    learning_rate: float = 0.1
    normalised: bool = False

    def __call__(self, net, images):
        x = net.conv(images, 8, 3, name="conv1")
        x = net.conv_bn(x, 8, 3, 2, name="conv2") if self.normalised else net.conv(x, 8, 3, 2, name="conv2")
        x = net.dense(net.flatten(x), 16, name="dense")
        return Outputs(net.logits(net.dropout(x) if self.drops else x))


def images_and_labels(count, size=8, seed=0):
    generator = np.random.default_rng(seed)
    images = generator.standard_normal((count, size, size, 3), dtype=np.float32)
    return images, generator.integers(0, CLASSES, count).astype(np.int32)


@dataclass
class Training:
    """A step and the strategy under it."""

    step: TrainingStep
    strategy: object

    def values(self, store=0):
        return {name: variable.numpy() for name, variable in self.strategy.stores[store].variables.items()}

    def master_values(self):
        return {name: variable.numpy() for name, variable in self.strategy.masters[0].variables.items()}


def build_strategy(name, devices, parameter_devices=("/cpu:0",), *, network=None, **options):
    listed = declarations(network or SmallNet(), CLASSES)
    return make(name, listed, devices, parameter_devices, seed=1, **options)


def build_training(
    name,
    towers,
    images,
    labels,
    *,
    network=None,
    optimizer=None,
    rate=None,
    loss_scale=None,
    parameter_devices=("/cpu:0",),
    how=None,
    kind=TrainingStep,
    **options,
):
    """`images` and `labels` of one global batch are split over the towers in order; `how` is the strategy's own."""
    network = network or SmallNet()
    devices = [f"/cpu:{index}" for index in range(towers)]
    strategy = build_strategy(name, devices, parameter_devices, network=network, **(how or {}))
    shares = list(zip(np.split(images, towers), np.split(labels, towers), strict=True))
    if options.get("data_format") == "NCHW":
        shares = [(share.transpose(0, 3, 1, 2), own) for share, own in shares]
    dtype = options.get("dtype", tf.float32)
    feeds = [(tf.cast(share, dtype), tf.constant(own)) for share, own in shares]
    step = kind(
        network,
        strategy,
        devices,
        [lambda feed=feed: feed for feed in feeds],
        optimizer or Momentum(),
        loss_scale or LossScale(),
        StepOptions(num_classes=CLASSES, **options),
        rate or LearningRate(0.1),
    )
    return Training(step, strategy)
