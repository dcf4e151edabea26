"""What the devices of a run can multiply: matrix products and convolutions alone, on all of them at once."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

SECONDS = 2.0  # that each kernel is measured for
LEAST_CALLS = 5
_LEAST_CALL_SECONDS = 0.025  # beside which the start of a call, which takes about 0.1 ms, does not count
_MOST_REPETITIONS = 128
# The largest eigenvalue of random weights is about 1 and may be a little more; a hundred times over that would explode.
_SHRINK = 0.98
# Large enough that a device is busy with multiplying: larger ones were no faster on two cores of a CPU.
MATRIX_SIDE = {"cpu": 2048, "gpu": 8192}
IMAGES = {"cpu": 16, "gpu": 128}
_GRID, _CHANNELS, _WINDOW = 32, 256, 3  # of the convolution: as in the middle of a ResNet


@dataclass(frozen=True)
class Kernel:
    """An operation whose result has the shape of its input, so that it can be applied to it again.

    `apply` takes features and weights of these shapes. `flops` are its operations, multiply-add = 2.
    """

    name: str
    flops: int
    features: tuple[int, ...]
    weights: tuple[int, ...]
    apply: Callable[[tf.Tensor, tf.Tensor], tf.Tensor]

    def operands(self, seed: int, dtype: tf.DType) -> tuple[tf.Tensor, tf.Tensor]:
        """Features and weights with which features neither vanish nor explode as the kernel is applied on and on."""
        features, weights = (
            tf.random.stateless_normal(shape, seed=(seed, number))
            for number, shape in enumerate((self.features, self.weights))
        )
        return tf.cast(features, dtype), tf.cast(_SHRINK * weights / math.sqrt(math.prod(self.weights[:-1])), dtype)


def matrix_product(side: int) -> Kernel:
    """The product of two square matrices of `side` rows."""
    return Kernel("matrix product", 2 * side**3, (side, side), (side, side), tf.matmul)


def convolution(images: int, data_format: str, grid: int = _GRID, channels: int = _CHANNELS) -> Kernel:
    """A 3x3 convolution of so many images, from and to `channels` on `grid` x `grid` positions."""
    features = (images, grid, grid, channels) if data_format == "NHWC" else (images, channels, grid, grid)
    weights = (_WINDOW, _WINDOW, channels, channels)

    def apply(features: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
        return tf.nn.conv2d(features, weights, 1, "SAME", data_format=data_format)

    flops = 2 * images * grid**2 * math.prod(weights)
    return Kernel("convolution", flops, features, weights, apply)


def kernels(device_kind: str, data_format: str) -> dict[str, Kernel]:
    """The two kernels for "cpu" or "gpu", by the names that a record has for them."""
    return {
        "matrix_product": matrix_product(MATRIX_SIDE[device_kind]),
        "convolution": convolution(IMAGES[device_kind], data_format),
    }


def repeated(
    kernel: Kernel, devices: Sequence[str], dtype: tf.DType, repetitions: int = 1, *, xla: bool = False
) -> Callable[[], object]:
    """`kernel`, applied to its own result so many times, on all `devices` at once; a call ends when all are done."""
    operands = []
    for seed, device in enumerate(devices):
        with tf.device(device):
            operands.append(kernel.operands(seed, dtype))

    def chain(features: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
        for _ in range(repetitions):
            features = kernel.apply(features, weights)
        return tf.reshape(features, [-1])[0]

    compiled = tf.function(chain, jit_compile=True, autograph=False) if xla else chain

    def on_all(given: list[tuple[tf.Tensor, tf.Tensor]]) -> tf.Tensor:
        ends = []
        for device, (features, weights) in zip(devices, given, strict=True):
            with tf.device(device):
                ends.append(tf.cast(compiled(features, weights), tf.float32))
        with tf.device("/cpu:0"):
            return tf.stack(ends)

    run = tf.function(on_all, autograph=False)
    return lambda: run(operands).numpy()


@dataclass(frozen=True)
class Peak:
    """Seconds of calls that each made `flops` operations over all devices."""

    flops: int
    call_seconds: tuple[float, ...]

    @property
    def flops_per_second(self) -> float:
        """Operations of a call / the median time of one."""
        return self.flops / statistics.median(self.call_seconds)

    def facts(self) -> dict[str, Any]:
        """What the record keeps."""
        return {"flops_per_second": self.flops_per_second, "flops": self.flops, "call_seconds": list(self.call_seconds)}


def measure_peak(
    kernel: Kernel,
    devices: Sequence[str],
    dtype: tf.DType,
    *,
    xla: bool = False,
    seconds: float = SECONDS,
    clock: Callable[[], float] = time.perf_counter,
    check: Callable[[], None] = lambda: None,
) -> Peak:
    """Apply `kernel` on all `devices` at once for so many `seconds`, after a warm-up; `check` is called between calls.

    A call applies it as often as takes long enough to measure.
    """
    single = repeated(kernel, devices, dtype, xla=xla)
    single()  # compiles, and chooses an algorithm
    check()
    needed = math.ceil(_LEAST_CALL_SECONDS / max(_timed(single, clock), 1e-6))
    repetitions = min(needed, _MOST_REPETITIONS)
    call = single if repetitions == 1 else repeated(kernel, devices, dtype, repetitions, xla=xla)
    call()
    measured: list[float] = []
    while len(measured) < LEAST_CALLS or math.fsum(measured) < seconds:
        check()
        measured.append(_timed(call, clock))
    return Peak(kernel.flops * repetitions * len(devices), tuple(measured))


def _timed(call: Callable[[], object], clock: Callable[[], float]) -> float:
    begin = clock()
    call()
    return clock() - begin
