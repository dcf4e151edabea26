"""Each optimizer against its textbook rule in NumPy, on one variable over twenty steps."""

import numpy as np
import pytest
import tensorflow as tf

from benchmarks.optimizers import LARS, Adam, Momentum, Optimizer, RMSProp, Updates
from models.declaration import Declaration
from variable_mgr.store import Store, on_one_device

RATE = 0.05


def sgd(value, gradients):
    for gradient in gradients:
        value = value - RATE * gradient
    return value


def momentum(value, gradients, nesterov):
    accumulator = np.zeros_like(value)
    for gradient in gradients:
        accumulator = 0.9 * accumulator + gradient
        value = value - RATE * (gradient + 0.9 * accumulator if nesterov else accumulator)
    return value


def rmsprop(value, gradients):
    mean_square, velocity = np.zeros_like(value), np.zeros_like(value)
    for gradient in gradients:
        mean_square = 0.9 * mean_square + 0.1 * gradient**2
        velocity = 0.9 * velocity + RATE * gradient / np.sqrt(mean_square + 1.0)
        value = value - velocity
    return value


def lars(value, gradients, decay):
    accumulator = np.zeros_like(value)
    for gradient in gradients:
        size = np.linalg.norm(value)
        trust = 0.001 * size / (np.linalg.norm(gradient) + decay * size)
        accumulator = 0.9 * accumulator + trust * (gradient + decay * value)
        value = value - RATE * accumulator
    return value


def adam(value, gradients):
    mean, square = np.zeros_like(value), np.zeros_like(value)
    for step, gradient in enumerate(gradients, 1):
        mean = 0.9 * mean + 0.1 * gradient
        square = 0.999 * square + 0.001 * gradient**2
        value = value - RATE * (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.999**step)) + 1e-8)
    return value


@pytest.mark.parametrize(
    ("optimizer", "rule"),
    [
        (Optimizer(), sgd),
        (Momentum(nesterov=False), lambda *each: momentum(*each, nesterov=False)),
        (Momentum(), lambda *each: momentum(*each, nesterov=True)),
        (RMSProp(), rmsprop),
        (Adam(), adam),
    ],
    ids=["sgd", "momentum", "nesterov", "rmsprop", "adam"],
)
def test_optimizer_follows_its_rule(optimizer, rule):
    declaration = Declaration("kernel", (4, 3), stddev=1.0)
    store = Store([declaration], on_one_device([declaration], "/cpu:0"), seed=3)
    start = store.variables["kernel"].numpy()
    gradients = np.random.default_rng(0).standard_normal((20, 4, 3)).astype(np.float32)
    updates = Updates(optimizer, store)

    @tf.function(autograph=False)
    def apply(gradient):
        updates.apply({"kernel": gradient}, 0.0, RATE)

    for gradient in gradients:
        apply(tf.constant(gradient))
    np.testing.assert_allclose(store.variables["kernel"].numpy(), rule(start, gradients), rtol=2e-4, atol=1e-6)


def updated(optimizer, declaration, gradients, *how):
    """The variable of `declaration` before and after an update with each of `gradients`."""
    store = Store([declaration], on_one_device([declaration], "/cpu:0"), seed=3)
    start = store.variables[declaration.name].numpy()
    updates = Updates(optimizer, store)
    for gradient in gradients:
        updates.apply({declaration.name: tf.constant(gradient)}, *how)
    return start, store.variables[declaration.name].numpy()


def test_lars_scales_what_decays_and_nothing_else():
    gradients = np.random.default_rng(0).standard_normal((20, 4, 3)).astype(np.float32)
    start, end = updated(LARS(), Declaration("kernel", (4, 3), stddev=1.0), gradients, 0.01, RATE)
    np.testing.assert_allclose(end, lars(start, gradients, decay=0.01), rtol=1e-5)
    assert np.abs(end - start).max() > 1e-5
    flat = gradients[:, 0]
    start, end = updated(LARS(), Declaration("bias", (3,), fill=1.0, decayed=False), flat, 0.01, RATE)
    np.testing.assert_allclose(end, momentum(start, flat, nesterov=False), rtol=1e-4)
    start, end = updated(LARS(), Declaration("zero", (3,), fill=0.0), flat[:1], 0.01, RATE)
    np.testing.assert_allclose(end, -RATE * flat[0], rtol=1e-4)


def test_no_element_counts_for_more_than_the_largest():
    gradient = np.array([[3.0, -3.0, 0.25]], np.float32)
    declaration = Declaration("kernel", (3,), fill=2.0)
    _, end = updated(Optimizer(), declaration, gradient, 0.1, RATE, 0.3)  # the decay adds 0.2 to each
    np.testing.assert_allclose(end, 2.0 - RATE * np.array([0.3, -0.3, 0.3]), rtol=1e-6)


def test_weight_decay_pulls_at_what_is_declared_decayed_only():
    declared = [Declaration("kernel", (3,), fill=2.0), Declaration("gamma", (3,), fill=2.0, decayed=False)]
    store = Store(declared, on_one_device(declared, "/cpu:0"), seed=0)
    Updates(Optimizer(), store).apply({name: tf.zeros(3) for name in ("kernel", "gamma")}, 0.1, RATE)
    np.testing.assert_allclose(store.variables["kernel"].numpy(), 2.0 - RATE * 0.1 * 2.0)
    np.testing.assert_allclose(store.variables["gamma"].numpy(), 2.0)
