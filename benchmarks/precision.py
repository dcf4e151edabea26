"""Compute dtype and loss scale. Variables, gradients of variables and losses are float32 in every precision."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping

import tensorflow as tf

from benchmarks.params import ResolvedParams
from variable_mgr.strategies import Gradients

COMPUTE_DTYPE = {"fp32": tf.float32, "tf32": tf.float32, "bf16": tf.bfloat16, "fp16": tf.float16}


class LossScale:
    """A loss scale that stays what it is. With 1.0 it costs nothing.

    The loss is multiplied before the gradients are taken and they are divided again, so that small gradients survive
    float16.
    """

    def __init__(self, initial: float = 1.0) -> None:
        self.initial = initial

    def value(self) -> tf.Tensor | float:
        """The factor of this step."""
        return self.initial

    def scaled(self, loss: tf.Tensor, value: tf.Tensor | float) -> tf.Tensor:
        """What to differentiate."""
        return loss if self.initial == 1.0 else loss * value

    def unscaled(self, gradients: Gradients, value: tf.Tensor | float) -> Gradients:
        """The true gradients."""
        if self.initial == 1.0:
            return gradients
        return _divided(gradients, value)

    def state(self) -> dict[str, float]:
        """What a later process has to know to go on with it."""
        return {}

    def restore(self, state: Mapping[str, float]) -> None:
        """Go on with what `state` has told in an earlier process."""

    def update(
        self, stores_gradients: list[Gradients], apply: Callable[[], tf.Operation]
    ) -> tuple[tf.Tensor, tf.Operation]:
        """Call `apply`: a bool scalar that says that it was, and an operation that is done when it is."""
        del stores_gradients
        return tf.constant(True), apply()


class DynamicLossScale(LossScale):
    """Doubles after `growth_steps` steps with finite gradients; halves, and skips the update, where one is not.

    One scale for all towers and stores: a gradient that overflows in any of them skips the update of all.
    """

    def __init__(self, initial: float, growth_steps: int = 1000) -> None:
        super().__init__(initial)
        self._growth_steps = growth_steps
        with tf.device("/cpu:0"):
            self._scale = tf.Variable(initial, trainable=False, dtype=tf.float32, name="loss_scale")
            self._finite_steps = tf.Variable(0, trainable=False, dtype=tf.int64, name="finite_steps")

    def value(self) -> tf.Tensor:
        """The factor of this step."""
        return self._scale.read_value()

    def scaled(self, loss: tf.Tensor, value: tf.Tensor | float) -> tf.Tensor:
        """What to differentiate."""
        return loss * value

    def unscaled(self, gradients: Gradients, value: tf.Tensor | float) -> Gradients:
        """The true gradients."""
        return _divided(gradients, value)

    def state(self) -> dict[str, float]:
        """The scale, and the steps since it last changed."""
        return {"scale": float(self._scale.numpy()), "finite_steps": int(self._finite_steps.numpy())}

    def restore(self, state: Mapping[str, float]) -> None:
        """Go on with another one's scale; with that of the start where it had none."""
        if state:
            self._scale.assign(state["scale"])
            self._finite_steps.assign(int(state["finite_steps"]))

    def update(
        self, stores_gradients: list[Gradients], apply: Callable[[], tf.Operation]
    ) -> tuple[tf.Tensor, tf.Operation]:
        """Call `apply` if all gradients are finite, and set the next scale; the bool scalar says whether it was."""
        on_device: defaultdict[str, list[tf.Tensor]] = defaultdict(list)
        for gradients in stores_gradients:
            for gradient in gradients.values():
                with tf.device(gradient.device):
                    on_device[gradient.device].append(tf.reduce_all(tf.math.is_finite(gradient)))
        checks = []
        for device, finite_gradients in on_device.items():
            with tf.device(device):
                checks.append(tf.reduce_all(tf.stack(finite_gradients)))
        with tf.device("/cpu:0"):
            finite = tf.reduce_all(tf.stack(checks))
        applied = tf.cond(finite, lambda: _applied(apply), lambda: tf.constant(False))
        with tf.device("/cpu:0"):
            self._advance(finite)
        return applied, applied.op

    def _advance(self, finite: tf.Tensor) -> None:
        steps = tf.where(finite, self._finite_steps + 1, 0)
        grow = steps >= self._growth_steps
        factor = tf.where(finite, tf.where(grow, 2.0, 1.0), 0.5)
        scale = self._scale * factor
        self._scale.assign(tf.where(tf.math.is_finite(scale), tf.maximum(scale, 1.0), self._scale))
        self._finite_steps.assign(tf.where(grow, tf.zeros_like(steps), steps))


def _divided(gradients: Gradients, value: tf.Tensor | float) -> Gradients:
    """The quotients, each where its gradient is."""
    quotients = {}
    for name, gradient in gradients.items():
        with tf.device(gradient.device):
            quotients[name] = gradient / value
    return quotients


def _applied(apply: Callable[[], tf.Operation]) -> tf.Tensor:
    with tf.control_dependencies([apply()]):
        return tf.constant(True)


def make_loss_scale(params: ResolvedParams) -> LossScale:
    """The loss scale that `params` ask for: none unless the towers compute in float16."""
    if params.precision != "fp16":
        return LossScale()
    assert params.fp16_loss_scale is not None, "float16 always has a loss scale"
    if params.fp16_enable_auto_loss_scale:
        return DynamicLossScale(params.fp16_loss_scale, params.fp16_inc_loss_scale_every_n)
    return LossScale(params.fp16_loss_scale)
