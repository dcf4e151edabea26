"""Proof before timing: one small update under the strategy of the run, held against one tower that sees all images."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any

import numpy as np
import tensorflow as tf

from benchmarks.asynchronous_step import by_worker
from benchmarks.inputs.towers import TowerInput
from benchmarks.learning_rate import LearningRate
from benchmarks.optimizers import Momentum
from benchmarks.precision import LossScale
from benchmarks.step import StepOptions, TrainingStep
from models.declaration import Declaration
from models.layers import Net, declarations
from models.network import Network, Outputs
from variable_mgr.asynchronous import SharedVariables
from variable_mgr.shared_variables import ParameterServer
from variable_mgr.store import Store, on_one_device
from variable_mgr.strategies import VariableStrategy

CLASSES = 10
IMAGES_PER_TOWER = 2
EXACT = 1e-4  # float32 sums in another order, as a share of the update
ROUNDED = 2e-2  # what 16 bits, or TF32, leave of it
TOGETHER = "one update by all towers"
IN_TURN = "one step of each worker, one after the other; for steps that meet there is no reference"

Batch = tuple[np.ndarray, np.ndarray]  # images NHWC, float32; labels, int32
MakeStrategy = Callable[[Sequence[Declaration]], VariableStrategy]


@dataclass(frozen=True, kw_only=True)
class StandIn(Network):
    """In place of the run's network: few operations, and variables of 10 to 262,144 elements.

    They are on either side of the limits that all-reduce specifications usually draw.
    """

    image_size: int = 8
    batch_size: int = IMAGES_PER_TOWER
    learning_rate: float = 0.1

    def __call__(self, net: Net, images: tf.Tensor) -> Outputs:
        """Fully connected layers alone: what is looked at is the exchange."""
        x = net.dense(net.flatten(images), 512, relu=False, name="wide")  # a ReLU would make steps of rounding errors
        x = net.dense(x, 512, relu=False, name="large")
        return Outputs(net.logits(net.dense(x, 12, relu=False, name="narrow")))


@dataclass(frozen=True)
class Verdict:
    """How far the strategy's update was from the reference.

    `largest_difference` is the largest of any element of any copy, as a share of the largest update of its variable.
    `compared` says what was held against one device.
    """

    largest_difference: float
    variable: str
    tolerance: float
    seconds: float
    compared: str = TOGETHER

    @property
    def problem(self) -> str | None:
        """What is wrong, or None."""
        if self.largest_difference <= self.tolerance:
            return None
        return (
            f"the variable update is not what one device computes: {self.variable} differs by "
            f"{self.largest_difference:.2g} of its update (tolerance {self.tolerance:g})"
        )

    def facts(self) -> dict[str, Any]:
        """What the record keeps."""
        return {**vars(self), "passed": self.problem is None}


def verify(
    make_strategy: MakeStrategy,
    towers: Sequence[str],
    *,
    first_tower: int = 0,
    num_towers: int | None = None,
    seed: int,
    rounded: bool,
    clock: Callable[[], float] = time.perf_counter,
) -> Verdict:
    """Update the stand-in once under the strategy that `make_strategy` makes, and once on the first of `towers` alone.

    `towers` are all, or those of this process, from number `first_tower` on of `num_towers` over all processes.
    `seed` is that of the strategy's initial values. With `rounded`, gradients are exchanged in 16 bits or the device
    rounds products to TF32, and the tolerance is wider.
    """
    begin = clock()
    listed = declarations(StandIn(), CLASSES)
    everywhere = [_batch(tower) for tower in range(num_towers or len(towers))]
    batches = everywhere[first_tower : first_tower + len(towers)]
    strategy = make_strategy(listed)
    start = Store(listed, on_one_device(listed, towers[0]), seed)
    step = _step(strategy, towers, batches)
    _repeat(step, 1 + strategy.steps_behind)
    if not strategy.exchanges:
        apart = [_alone(listed, towers[0], batch, seed) for batch in batches]
        differences = _differences(strategy.stores, apart, start)
    else:
        together = repeat(_alone(listed, towers[0], _joined(everywhere), seed))
        differences = _differences(strategy.masters, together, start)
        _repeat(step, strategy.reads_behind)  # the masters go on, and what they were arrives in the stores
        differences += _differences(strategy.stores, together, start)
    worst, variable = max(differences)
    return Verdict(worst, variable, ROUNDED if rounded else EXACT, clock() - begin)


def verify_in_turn(
    share: Callable[[Sequence[Declaration]], SharedVariables],
    towers: Sequence[str],
    *,
    seed: int,
    rounded: bool,
    clock: Callable[[], float] = time.perf_counter,
) -> Verdict:
    """As `verify`, for workers that each update by itself what `share` makes: one step of each, one after the other.

    The reference is the first of `towers` alone, which sees the images of each worker in turn. For steps that meet
    there is none: what they make of the variables depends on who comes first.
    """
    begin = clock()
    listed = declarations(StandIn(), CLASSES)
    batches = [_batch(tower) for tower in range(len(towers))]
    shared = share(listed)
    alone = ParameterServer(listed, towers[:1], towers[:1], seed)
    start = Store(listed, on_one_device(listed, towers[0]), seed)
    reference: list[TrainingStep] = []

    def make_step(strategy: SharedVariables, own: Sequence[str], first: int) -> TrainingStep:
        images = batches[first : first + len(own)]
        reference.append(_step(alone, towers[:1], [_joined(images)]))
        reference[-1].updates = reference[0].updates  # the workers share a momentum too
        return _step(strategy, own, images)

    for step in [*by_worker(towers, make_step, shared).steps, *reference]:
        step()
    worst, variable = max(_differences(shared.stores, alone.stores, start))
    return Verdict(worst, variable, ROUNDED if rounded else EXACT, clock() - begin, IN_TURN)


def _batch(tower: int) -> Batch:
    generator = np.random.default_rng(tower)
    side = StandIn.image_size
    images = generator.standard_normal((IMAGES_PER_TOWER, side, side, 3), dtype=np.float32)
    return images, generator.integers(0, CLASSES, IMAGES_PER_TOWER).astype(np.int32)


def _joined(batches: Sequence[Batch]) -> Batch:
    images, labels = zip(*batches, strict=True)
    return np.concatenate(images), np.concatenate(labels)


def _alone(listed: Sequence[Declaration], tower: str, batch: Batch, seed: int) -> Store:
    """The variables after one step of `tower` alone on all of `batch`."""
    strategy = ParameterServer(listed, [tower], [tower], seed)
    _repeat(_step(strategy, [tower], [batch]), 1)
    return strategy.stores[0]


def _step(strategy: VariableStrategy, towers: Sequence[str], batches: Sequence[Batch]) -> TrainingStep:
    options = StepOptions(num_classes=CLASSES)
    inputs = [_resident(tower, batch) for tower, batch in zip(towers, batches, strict=True)]
    rate = LearningRate(StandIn.learning_rate)
    return TrainingStep(StandIn(), strategy, towers, inputs, Momentum(), LossScale(), options, rate)


def _repeat(step: TrainingStep, times: int) -> None:
    for _ in range(times):
        step()


def _resident(tower: str, batch: Batch) -> TowerInput:
    with tf.device(tower):
        images, labels = (tf.constant(each) for each in batch)
    return lambda: (images, labels)


def _differences(found: Iterable[Store], expected: Iterable[Store], start: Store) -> list[tuple[float, str]]:
    """How far each variable of each store of `found` is from that of its neighbour in `expected`, and its name."""
    return [
        (_share(store.variables[name], other.variables[name], start.variables[name]), name)
        for store, other in zip(found, expected, strict=False)  # `expected` may go on for ever
        for name in store.trainable
    ]


def _share(found: tf.Variable, expected: tf.Variable, start: tf.Variable) -> float:
    """Largest difference of `found` from `expected`, as a share of the largest update from `start`."""
    wanted = expected.numpy()
    difference, update = np.abs(found.numpy() - wanted).max(), np.abs(wanted - start.numpy()).max()
    share = float(difference / update) if update else float(difference)
    return share if math.isfinite(share) else math.inf  # a NaN would lose every comparison
