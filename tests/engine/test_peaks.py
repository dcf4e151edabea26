"""What is taken as a device's peak: that it computes what it counts, on every device at once."""

import math

import numpy as np
import pytest
import tensorflow as tf

from benchmarks.peaks import (
    _MOST_REPETITIONS,
    LEAST_CALLS,
    Kernel,
    convolution,
    kernels,
    matrix_product,
    measure_peak,
    repeated,
)

TWO = ["/cpu:0", "/cpu:1"]


def one_clock(step):
    """A clock that goes on by `step` seconds whenever it is read."""
    times = iter(np.arange(0.0, 1e4, step))
    return lambda: float(next(times))


@pytest.mark.parametrize("kernel", [matrix_product(8), convolution(2, "NHWC", grid=4, channels=5)])
def test_operations_are_those_of_the_graph(kernel):
    features, weights = kernel.operands(0, tf.float32)
    result = kernel.apply(features, weights)
    assert result.shape == features.shape, "so that it can be applied again"
    assert kernel.flops == 2 * math.prod(result.shape) * math.prod(kernel.weights[:-1])


def test_kernels_take_the_layout_of_the_run():
    assert kernels("gpu", "NCHW")["convolution"].features == (128, 256, 32, 32)
    assert kernels("cpu", "NHWC")["convolution"].features == (16, 32, 32, 256)


@pytest.mark.parametrize("dtype", [tf.float32, tf.bfloat16, tf.float16])
@pytest.mark.parametrize("xla", [False, True])
def test_a_kernel_repeats_on_its_own_result_on_every_device(dtype, xla):
    kernel = matrix_product(16)
    ends = repeated(kernel, TWO, dtype, repetitions=3, xla=xla)()
    for seed, end in enumerate(ends):
        features, weights = (tf.cast(each, tf.float32).numpy() for each in kernel.operands(seed, dtype))
        assert end == pytest.approx((features @ weights @ weights @ weights)[0, 0], rel=0.05, abs=0.05)


def test_features_neither_vanish_nor_explode():
    """Numbers that underflow are computed slower on CPUs, and infinite ones in no time."""
    kernel = matrix_product(256)
    features, weights = kernel.operands(0, tf.float32)
    for _ in range(_MOST_REPETITIONS):
        features = kernel.apply(features, weights)
    assert 1e-3 < float(tf.math.reduce_std(features)) < 1e3


def test_a_call_is_long_enough_to_be_timed_and_counts_what_it_repeats():
    """By this clock a call takes 5 ms, so that five are one call; of 50 ms, that takes 20 to fill a second."""
    times = [0.0, 0.005, *np.arange(1.0, 9.0, 0.05)]
    clock = iter(times)
    peak = measure_peak(matrix_product(4), TWO, tf.float32, seconds=1.0, clock=lambda: float(next(clock)))
    assert peak.flops == 2 * 4**3 * 5 * 2, "of five products on two devices"
    assert len(peak.call_seconds) == 20
    assert peak.flops_per_second == pytest.approx(peak.flops / 0.05)


def test_a_slow_kernel_is_called_a_few_times_and_can_be_interrupted():
    calls = []
    kernel = Kernel("identity", 1, (2,), (2, 2), lambda features, weights: features + 0 * weights[0])
    peak = measure_peak(kernel, ["/cpu:0"], tf.float32, clock=one_clock(9.0), check=lambda: calls.append(1))
    assert (peak.flops, len(peak.call_seconds)) == (1, LEAST_CALLS)
    assert len(calls) == LEAST_CALLS + 1
