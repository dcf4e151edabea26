"""The learning rate of each step."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from benchmarks.params import ResolvedParams, rate_schedule

# The schedule of tf_cnn_benchmarks' ResNets for ImageNet: a tenth of the rate from each of these epochs on, and a base
# rate that is for so many images a step (Goyal et al. 2017, arXiv:1706.02677).
_RESNET_EPOCHS = (30.0, 60.0, 80.0, 90.0)
_RESNET_WARMUP_EPOCHS = 5.0
_RESNET_IMAGES = 256


class LearningRate:
    """One rate for all steps."""

    def __init__(self, rate: float) -> None:
        self._rate = rate

    def value(self) -> tf.Tensor | float:
        """The rate of the step that is traced, float32 `[]`."""
        return self._rate

    def advance(self) -> list[tf.Operation]:
        """What a step that updates the variables has to do to be counted."""
        return []

    def go_to(self, steps: int) -> None:
        """Go on as after so many steps."""


class ScheduledRate(LearningRate):
    """The rate of step n is `rates[n]`; of all later ones, the last of `rates`. Steps are counted on the CPU."""

    def __init__(self, rates: np.ndarray) -> None:
        self._rates = rates.astype(np.float32)
        with tf.device("/cpu:0"):
            self._step = tf.Variable(0, trainable=False, dtype=tf.int64, name="step")

    def value(self) -> tf.Tensor:
        """The rate of the step that has not been counted yet."""
        with tf.device("/cpu:0"):
            return tf.gather(tf.constant(self._rates), tf.minimum(self._step.read_value(), len(self._rates) - 1))

    def advance(self) -> list[tf.Operation]:
        """Count one step."""
        with tf.device("/cpu:0"):
            return [self._step.assign_add(1, read_value=False)]

    def go_to(self, steps: int) -> None:
        """Let so many steps be counted."""
        self._step.assign(steps)


def make(params: ResolvedParams, images_per_update: int, updates: int, examples: float) -> LearningRate:
    """The learning rate that `params` ask for, over so many `updates` of an epoch of `examples` images."""
    if not follows_a_schedule(params):
        return LearningRate(params.init_learning_rate * scale(params, images_per_update))
    return ScheduledRate(rates(params, images_per_update, updates, examples))


def scale(params: ResolvedParams, images_per_update: int) -> float:
    """The factor of all learning rates, in proportion to the images (Goyal et al. 2017, arXiv:1706.02677)."""
    return images_per_update / params.learning_rate_batch_size if params.learning_rate_batch_size else 1.0


def follows_a_schedule(params: ResolvedParams) -> bool:
    """Whether the learning rate changes from step to step."""
    return bool(
        params.piecewise_learning_rate_schedule
        or params.num_epochs_per_decay
        or params.cosine_decay
        or params.resnet_base_lr
        or params.num_learning_rate_warmup_epochs
    )


def rates(params: ResolvedParams, images_per_update: int, updates: int, examples: float) -> np.ndarray:
    """The learning rates of `updates` steps, float64. As in tf_cnn_benchmarks, epochs are rounded down to steps."""
    steps_per_epoch = examples / images_per_update
    steps = np.arange(updates, dtype=np.float64)
    found, first, warmup_epochs = _after_warmup(params, steps, steps_per_epoch, images_per_update)
    warmup_steps = int(warmup_epochs * steps_per_epoch)
    of_steps = np.where(steps < warmup_steps, first * steps / max(warmup_steps, 1), found)
    return of_steps * scale(params, images_per_update)


def _after_warmup(
    params: ResolvedParams, steps: np.ndarray, steps_per_epoch: float, images_per_update: int
) -> tuple[np.ndarray, float, float]:
    """Rates without a warm-up, the rate that it leads to, and its length in epochs."""
    warmup_epochs = params.num_learning_rate_warmup_epochs
    if params.resnet_base_lr:
        rate = params.resnet_base_lr * images_per_update / _RESNET_IMAGES
        values = [rate * 0.1**power for power in range(len(_RESNET_EPOCHS) + 1)]
        return _in_pieces(steps, steps_per_epoch, values, _RESNET_EPOCHS), rate, warmup_epochs or _RESNET_WARMUP_EPOCHS
    if params.piecewise_learning_rate_schedule:
        schedule = rate_schedule.parse(params.piecewise_learning_rate_schedule)
        return _in_pieces(steps, steps_per_epoch, *schedule), schedule.rates[0], warmup_epochs
    rate = params.init_learning_rate
    if params.cosine_decay:
        return _cosine(steps, rate, params.minimum_learning_rate, warmup_epochs * steps_per_epoch), rate, warmup_epochs
    if params.num_epochs_per_decay:
        decays = steps // max(1, int(params.num_epochs_per_decay * steps_per_epoch))
        falling = rate * params.learning_rate_decay_factor**decays
        return np.maximum(falling, params.minimum_learning_rate), rate, warmup_epochs
    return np.full_like(steps, rate), rate, warmup_epochs


def _in_pieces(
    steps: np.ndarray, steps_per_epoch: float, values: tuple[float, ...] | list[float], epochs: tuple[float, ...]
) -> np.ndarray:
    """Each of `values` up to and with the step at which its epoch ends, as TensorFlow's piecewise_constant has it."""
    ends = [int(epoch * steps_per_epoch) for epoch in epochs]
    return np.asarray(values)[np.searchsorted(ends, steps, side="left")]


def _cosine(steps: np.ndarray, rate: float, least: float, begin: float) -> np.ndarray:
    """Half a cosine from `rate` at step `begin` to `least` at the last step (Loshchilov and Hutter 2017)."""
    last = max(steps[-1] if len(steps) else 0.0, begin + 1)
    gone = np.clip((steps - begin) / (last - begin), 0.0, 1.0)
    return least + (rate - least) * 0.5 * (1.0 + np.cos(np.pi * gone))
