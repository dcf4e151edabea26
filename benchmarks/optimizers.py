"""Optimizers on TensorFlow's fused update kernels: each a frozen set of numbers and one update of one variable."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Union

import tensorflow as tf

from benchmarks.params import ResolvedParams
from variable_mgr.store import Store

Rate = Union[tf.Tensor, float]  # noqa: UP007  TensorFlow's type knows no | at run time


@dataclass(frozen=True)
class Optimizer:
    """Plain gradient descent, and the shape of every other."""

    slots: ClassVar[tuple[str, ...]] = ()  # what it remembers of each variable, from zero

    def decayed(self, gradient: tf.Tensor, variable: tf.Variable, weight_decay: float) -> tf.Tensor:
        """`gradient` with the pull of `weight_decay`, which is 0 where none applies, on `variable`."""
        return gradient + weight_decay * variable.read_value() if weight_decay else gradient

    def update(
        self, variable: tf.Variable, slots: Mapping[str, tf.Variable], gradient: tf.Tensor, rate: Rate
    ) -> tf.Operation:
        """Move `variable` along `gradient`, both float32 and on one device, at the learning rate `rate`."""
        del slots
        return tf.raw_ops.ResourceApplyGradientDescent(var=variable.handle, alpha=rate, delta=gradient)


@dataclass(frozen=True)
class Momentum(Optimizer):
    """Momentum: accumulator = momentum * accumulator + gradient; nesterov looks one step ahead, as TCB's does."""

    momentum: float = 0.9
    nesterov: bool = True
    slots: ClassVar[tuple[str, ...]] = ("momentum",)

    def update(
        self, variable: tf.Variable, slots: Mapping[str, tf.Variable], gradient: tf.Tensor, rate: Rate
    ) -> tf.Operation:
        """Move `variable` along its accumulated gradient."""
        return tf.raw_ops.ResourceApplyMomentum(
            var=variable.handle,
            accum=slots["momentum"].handle,
            lr=rate,
            grad=gradient,
            momentum=self.momentum,
            use_nesterov=self.nesterov,
        )


@dataclass(frozen=True)
class LARS(Momentum):
    """Layer-wise adaptive rates (You et al. 2017, arXiv:1708.03888): momentum with scaled gradients.

    The scale of each variable's is trust * |variable| / (|gradient| + weight decay * |variable|).
    Variables that do not decay (of batch norm, and biases) keep the rate as it is, as does one that is zero.
    """

    trust: float = 0.001
    nesterov: bool = False

    def decayed(self, gradient: tf.Tensor, variable: tf.Variable, weight_decay: float) -> tf.Tensor:
        """The scaled gradient with the pull of `weight_decay`."""
        if not weight_decay:
            return gradient
        value = variable.read_value()
        size, pull = tf.norm(value), tf.norm(gradient) + weight_decay * tf.norm(value)
        return tf.where(size * pull > 0, self.trust * size / pull, 1.0) * (gradient + weight_decay * value)


@dataclass(frozen=True)
class RMSProp(Optimizer):
    """RMSProp (Tieleman and Hinton 2012) with momentum; the mean square starts at zero here, at one in TensorFlow 1."""

    decay: float = 0.9
    momentum: float = 0.9
    epsilon: float = 1.0
    slots: ClassVar[tuple[str, ...]] = ("mean_square", "momentum")

    def update(
        self, variable: tf.Variable, slots: Mapping[str, tf.Variable], gradient: tf.Tensor, rate: Rate
    ) -> tf.Operation:
        """Move `variable` along its gradient over the root of its mean square."""
        return tf.raw_ops.ResourceApplyRMSProp(
            var=variable.handle,
            ms=slots["mean_square"].handle,
            mom=slots["momentum"].handle,
            lr=rate,
            rho=self.decay,
            momentum=self.momentum,
            epsilon=self.epsilon,
            grad=gradient,
        )


@dataclass(frozen=True)
class Adam(Optimizer):
    """Adam (Kingma and Ba 2015, arXiv:1412.6980). Each variable counts its own steps by its powers of the betas."""

    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    slots: ClassVar[tuple[str, ...]] = ("mean", "variance", "steps")

    def update(
        self, variable: tf.Variable, slots: Mapping[str, tf.Variable], gradient: tf.Tensor, rate: Rate
    ) -> tf.Operation:
        """Move `variable` along its mean gradient over the root of its mean square, both corrected for their start."""
        steps = slots["steps"].assign_add(1.0)
        return tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=slots["mean"].handle,
            v=slots["variance"].handle,
            beta1_power=self.beta1**steps,
            beta2_power=self.beta2**steps,
            lr=rate,
            beta1=self.beta1,
            beta2=self.beta2,
            epsilon=self.epsilon,
            grad=gradient,
        )


SCALAR_SLOTS = ("steps",)

# TensorFlow copies a variable before it writes to it, if an operation that reads it is not done: a weight's gradient
# may be there before that of its layer's input, which reads the weight. By the time that the gradient of a variable
# eight declarations earlier is there, both are done. Without waiting for it ResNet-50 takes a fifth more memory, and no
# less time.
READERS_BEHIND = 8


def make(params: ResolvedParams) -> Optimizer:
    """The optimizer that `params` ask for."""
    if params.optimizer == "momentum":
        return Momentum(params.momentum, params.nesterov)
    if params.optimizer == "lars":
        return LARS(params.momentum, trust=params.lars_trust)
    if params.optimizer == "rmsprop":
        return RMSProp(params.rmsprop_decay, params.rmsprop_momentum, params.rmsprop_epsilon)
    if params.optimizer == "adam":
        return Adam(params.adam_beta1, params.adam_beta2, params.adam_epsilon)
    return Optimizer()


class Updates:
    """One store's optimizer: `slots` by variable and name, beside their variables, and the update of them all."""

    def __init__(self, optimizer: Optimizer, store: Store) -> None:
        self._optimizer = optimizer
        self._store = store
        self.slots: dict[str, dict[str, tf.Variable]] = {}
        for name in store.trainable:
            with tf.device(store.placement[name]):
                self.slots[name] = {slot: _slot(store.variables[name], slot) for slot in optimizer.slots}

    def apply(
        self, gradients: Mapping[str, tf.Tensor], weight_decay: float, rate: Rate, largest: float | None = None
    ) -> dict[str, tf.Operation]:
        """Update every trainable variable at the learning rate `rate`.

        `weight_decay` times the variable is added to its gradient where decay applies; then no element of a gradient
        counts for more than `largest`, where that is given, in either direction.
        """
        operations = {}
        seen: defaultdict[str, list[tf.Tensor]] = defaultdict(list)  # gradients by device: waiting must cross none
        for name, gradient in gradients.items():
            variable, device = self._store.variables[name], self._store.placement[name]
            seen[device].append(gradient)
            read_to_the_end = seen[device][-READERS_BEHIND - 1 :][0]
            with tf.device(device), tf.control_dependencies([read_to_the_end]):
                decay = weight_decay if self._store.declarations[name].decayed else 0.0
                gradient = self._optimizer.decayed(gradient, variable, decay)
                if largest is not None:
                    gradient = tf.clip_by_value(gradient, -largest, largest)
                operations[name] = self._optimizer.update(variable, self.slots[name], gradient, rate)
        return operations


def _slot(variable: tf.Variable, slot: str) -> tf.Variable:
    initial = tf.zeros(()) if slot in SCALAR_SLOTS else tf.zeros_like(variable)
    return tf.Variable(initial, trainable=False, name=f"{variable.name.split(':')[0]}/{slot}")
