"""One training step over all towers, as one TensorFlow function."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import tensorflow as tf

from benchmarks.clipping import within_norm
from benchmarks.compiled_step import CompiledStep
from benchmarks.inputs.towers import TowerInput
from benchmarks.learning_rate import LearningRate
from benchmarks.optimizers import Optimizer, Updates
from benchmarks.precision import LossScale
from benchmarks.scores import accuracies, training_loss
from benchmarks.step_counter import NotCounted, StepCounter
from models.dropout import Noise
from models.layers import Net
from models.network import Network
from variable_mgr.exchange_plan import Traffic
from variable_mgr.strategies import Gradients, VariableStrategy
from variable_mgr.topology import is_gpu


class StepOutcome(NamedTuple):
    """What one step tells: the mean over the towers of loss and accuracies, and whether the update was applied."""

    loss: float
    applied: bool = True
    top_1: float | None = None
    top_5: float | None = None


class Step(Protocol):
    """What every step with a model has, whether it trains or not."""

    @property
    def strategy(self) -> VariableStrategy:
        """Where its variables are."""

    def trace(self) -> float:
        """Build the graph; the seconds it took."""

    def traffic(self) -> Traffic | None:
        """What a step sends; None where that is not known."""

    def __call__(self) -> StepOutcome:
        """Run one step."""


@dataclass(frozen=True)
class StepOptions:
    """How to compute a step; `report_total_loss` adds the weight decay's share to the loss that is reported.

    `largest_gradient` bounds each element of a gradient, weight decay included, and `largest_norm` the norm of all
    gradients together, without it (Pascanu et al. 2013, arXiv:1211.5063). `quantizable` is for
    inference that is to be converted. Dropout draws by `seed` and the tower's
    number, which is that of `first_tower` for the first one of the step.
    """

    num_classes: int
    data_format: str = "NHWC"
    dtype: tf.DType = tf.float32
    weight_decay: float = 0.0
    report_total_loss: bool = True
    single_l2_loss_op: bool = False
    fused_batch_norm: bool = True
    accuracy: bool = False
    xla: bool = False
    label_smoothing: float = 0.0
    largest_gradient: float | None = None
    largest_norm: float | None = None
    quantizable: bool = False
    seed: int = 0
    first_tower: int = 0


class TowerResult(NamedTuple):
    """What one tower found: `moved` are the new values of the moving statistics that it owns."""

    loss: tf.Tensor
    gradients: Gradients
    moved: dict[str, tf.Tensor]
    top_1: tf.Tensor
    top_5: tf.Tensor


class TrainingStep(CompiledStep):
    """The step of `network` under `strategy`; `inputs` are the towers' own, on the devices `towers`.

    Calling it runs one step and ends when every device is done: the losses that it waits for leave their devices after
    all updates, and a copy to the host waits for what stands in a GPU's queue before it.
    """

    def __init__(
        self,
        network: Network,
        strategy: VariableStrategy,
        towers: Sequence[str],
        inputs: Sequence[TowerInput],
        optimizer: Optimizer,
        loss_scale: LossScale,
        options: StepOptions,
        rate: LearningRate,
    ) -> None:
        super().__init__(towers, inputs)
        self._network = network
        self.strategy = strategy
        self.loss_scale = loss_scale
        self._options = options
        self.rate = rate
        self.counter = StepCounter() if network.drops else NotCounted()
        self.updates = [Updates(optimizer, master) for master in strategy.masters]

    def traffic(self) -> Traffic | None:
        """What a step sends; None where that is not known."""
        return self.strategy.traffic()

    def __call__(self) -> StepOutcome:
        """Run one step; the first call builds the graph if nothing has yet."""
        if self._run is None:
            self.trace()
        assert self._run is not None
        applied, loss, *others = self._run().numpy().tolist()
        return StepOutcome(loss, bool(applied), *(others[:2] if self._options.accuracy else []))

    def _step(self) -> tf.Tensor:
        """The whole step; returns, as float32, whether it was applied, its figures, and each tower's own loss.

        The towers' losses are there for what has to be done before they can leave their devices.
        """
        scale, number = self.loss_scale.value(), self.counter.value()
        values = [store.read() for store in self.strategy.stores]
        seed, first = self._options.seed, self._options.first_tower
        results = [
            self._tower(tower, values[self.strategy.store_of[tower]], scale, Noise(seed, first + tower, number))
            for tower in range(len(self._towers))
        ]
        self.counter.advance()
        figures = self._figures(results, self._l2_loss(values[0]))
        staged = self.strategy.stage()
        gradients = self.strategy.reduce([result.gradients for result in results])
        applied, done = self._update(gradients, results, scale)
        losses = [self._after([done, *staged], tower, result.loss) for tower, result in enumerate(results)]
        with tf.device("/cpu:0"):
            return tf.stack([tf.cast(applied, tf.float32), *tf.unstack(figures), *losses])

    def _update(
        self, gradients: list[Gradients], results: Sequence[TowerResult], scale: tf.Tensor | float
    ) -> tuple[tf.Tensor, tf.Operation]:
        """Apply the masters' `gradients`, which have the loss `scale`: whether that was done, and when it is."""
        gradients = [self.loss_scale.unscaled(each, scale) for each in gradients]
        if self._options.largest_norm is not None:
            gradients = within_norm(gradients, self._options.largest_norm)
        return self.loss_scale.update(gradients, lambda: self._apply(gradients, results))

    def _figures(self, results: Sequence[TowerResult], l2_loss: tf.Tensor | float) -> tf.Tensor:
        """The loss and, where asked for, the two accuracies: means over the towers. They wait for no update."""
        with tf.device("/cpu:0"):
            figures = [_mean([result.loss for result in results]) + l2_loss]
            if self._options.accuracy:
                figures += [_mean([getattr(result, top) for result in results]) for top in ("top_1", "top_5")]
            return tf.stack(figures)

    def _after(self, done: Sequence[tf.Operation], tower: int, loss: tf.Tensor) -> tf.Tensor:
        """`loss`, to be copied to the host only once all updates are `done`, or in the queue of tower's device."""
        with tf.device(self._towers[tower]), tf.control_dependencies(done):
            return tf.identity(loss)

    def _tower(self, tower: int, values: dict[str, tf.Tensor], scale: tf.Tensor | float, noise: Noise) -> TowerResult:
        with tf.device(self._towers[tower]), tf.name_scope(f"tower{tower}"):
            images, labels = self._inputs[tower]()
            compute = self._tower_function(tower, noise)
            if self._options.xla:
                compute = tf.function(compute, jit_compile=True, autograph=False)
            return compute(values, images, labels, scale)

    def _tower_function(self, tower: int, noise: Noise) -> Callable[..., TowerResult]:
        """What `tower` computes of the variables' values, its images and labels, and the loss scale; with `noise`."""
        trainable = self.strategy.store(tower).trainable

        def compute(
            values: dict[str, tf.Tensor], images: tf.Tensor, labels: tf.Tensor, scale: tf.Tensor | float
        ) -> TowerResult:
            watched = {name: values[name] for name in trainable}
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(watched)
                result = self._forward(tower, values, images, labels, noise)
                target = self.loss_scale.scaled(result.loss, scale)
            return result._replace(gradients=tape.gradient(target, watched))

        return compute

    def _forward(
        self, tower: int, values: dict[str, tf.Tensor], images: tf.Tensor, labels: tf.Tensor, noise: Noise
    ) -> TowerResult:
        """The forward pass of `tower` as in training, with its loss; no gradients."""
        options, owns_statistics = self._options, self.strategy.owns_statistics(tower)
        net = net_on(
            self._towers[tower],
            self._network,
            values,
            options,
            training=True,
            owns_statistics=owns_statistics,
            noise=noise,
        )
        outputs = self._network(net, images)
        loss = training_loss(self._network, outputs, labels, options.label_smoothing)
        shares = accuracies(outputs.logits, labels) if options.accuracy else [tf.zeros(())] * 2
        return TowerResult(loss, {}, net.moved, *shares)

    def _apply(self, gradients: list[Gradients], results: Sequence[TowerResult]) -> tf.Operation:
        """All updates of variables, as one operation that is done when they are."""
        rate, options = self.rate.value(), self._options
        updated = [
            updates.apply(master_gradients, options.weight_decay, rate, options.largest_gradient)
            for updates, master_gradients in zip(self.updates, gradients, strict=True)
        ]
        operations = [operation for update in updated for operation in update.values()]
        operations += self.strategy.refresh(updated)
        with tf.control_dependencies([rate] if tf.is_tensor(rate) else []):
            operations += self.rate.advance()
        return tf.group(*operations, *self._move_statistics(results))

    def _move_statistics(self, results: Sequence[TowerResult]) -> list[tf.Operation]:
        """Let the moving statistics take over what the towers that own them have found."""
        operations = []
        for tower, result in enumerate(results):
            store = self.strategy.store(tower)
            for name, value in result.moved.items():
                variable = store.variables[name]
                with tf.device(store.placement[name]):
                    # In place: an assigned value would pin its place among the step's activations, and fragment them.
                    operations.append(variable.assign_add(value - variable.read_value(), read_value=False))
        return operations

    def _l2_loss(self, values: dict[str, tf.Tensor]) -> tf.Tensor | float:
        """The weight decay's share of the loss, before the update, where it is to be reported."""
        if not (self._options.report_total_loss and self._options.weight_decay):
            return 0.0
        store = self.strategy.stores[0]
        decayed = [name for name, declaration in store.declarations.items() if declaration.decayed]
        if self._options.single_l2_loss_op:
            with tf.device(self._towers[0]):
                joined = tf.concat([tf.reshape(values[name], [-1]) for name in decayed], axis=0)
                return self._options.weight_decay * tf.nn.l2_loss(joined)
        on_device: defaultdict[str, list[tf.Tensor]] = defaultdict(list)
        for name in decayed:
            device = store.placement[name]
            with tf.device(device):
                on_device[device].append(tf.nn.l2_loss(values[name]))
        sums = []
        for device, losses in on_device.items():
            with tf.device(device):
                sums.append(tf.add_n(losses))
        with tf.device("/cpu:0"):
            return self._options.weight_decay * tf.add_n(sums)


def net_on(
    device: str,
    network: Network,
    values: Mapping[str, tf.Tensor],
    options: StepOptions,
    *,
    training: bool,
    owns_statistics: bool = True,
    noise: Noise | None = None,
) -> Net:
    """The layers of `network` on `device`, whose variables have these `values`, to be called on images."""
    return Net(
        network,
        lambda declaration: values[declaration.name],
        num_classes=options.num_classes,
        training=training,
        data_format=options.data_format,
        dtype=options.dtype,
        owns_statistics=owns_statistics,
        on_gpu=is_gpu(device),
        fused_batch_norm=options.fused_batch_norm,
        quantizable=options.quantizable,
        noise=noise,
    )


def _mean(figures: Sequence[tf.Tensor]) -> tf.Tensor:
    return tf.add_n(figures) / len(figures)
