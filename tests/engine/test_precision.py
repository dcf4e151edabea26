"""Compute dtypes, layouts, XLA and the loss scale, under every strategy."""

import numpy as np
import pytest
import tensorflow as tf

from benchmarks.precision import DynamicLossScale, LossScale
from models.network import Outputs
from tests.engine.training import STRATEGIES, SmallNet, build_training

OVERFLOWING = 2.0**24  # scaled by it, the gradients of the logits exceed float16's largest number, 65504


def losses(training, steps=3):
    return [training.step().loss for _ in range(steps)]


@pytest.mark.parametrize("dtype", [tf.bfloat16, tf.float16])
@pytest.mark.parametrize("name", STRATEGIES)
def test_low_precision_stays_near_float32_and_keeps_float32_variables(name, dtype, batch):
    low = build_training(name, 2, *batch, dtype=dtype, network=SmallNet(normalised=True))
    full = build_training(name, 2, *batch, network=SmallNet(normalised=True))
    assert losses(low) == pytest.approx(losses(full), rel=0.05)
    assert {variable.dtype for variable in low.strategy.stores[0].variables.values()} == {tf.float32}


def test_low_precision_does_compute_in_low_precision(batch):
    seen = []

    class Spy(SmallNet):
        def __call__(self, net, images):
            hidden = net.conv_bn(images, 4, 3, name="conv")
            outputs = Outputs(net.logits(net.dense(net.flatten(hidden), 4, name="dense")))
            seen.append((hidden.dtype, outputs.logits.dtype))
            return outputs

    build_training("parameter_server", 1, *batch, dtype=tf.bfloat16, network=Spy()).step.trace()
    assert seen[-1] == (tf.bfloat16, tf.float32)


def test_nchw_trains_like_nhwc(batch):
    nhwc = build_training("replicated", 2, *batch, network=SmallNet(normalised=True))
    nchw = build_training("replicated", 2, *batch, network=SmallNet(normalised=True), data_format="NCHW")
    assert losses(nchw) == pytest.approx(losses(nhwc), rel=1e-4)


@pytest.mark.parametrize("name", STRATEGIES)
def test_xla_compiled_towers_train_like_the_others(name, batch):
    plain = build_training(name, 2, *batch, network=SmallNet(normalised=True))
    compiled = build_training(name, 2, *batch, network=SmallNet(normalised=True), xla=True)
    assert losses(compiled) == pytest.approx(losses(plain), rel=1e-4)
    for variable, value in plain.values().items():
        np.testing.assert_allclose(compiled.values()[variable], value, atol=1e-4, err_msg=variable)


@pytest.mark.parametrize("scale", [LossScale(128.0), DynamicLossScale(128.0)])
def test_a_loss_scale_changes_no_update(scale, batch):
    scaled = build_training("replicated", 2, *batch, loss_scale=scale)
    plain = build_training("replicated", 2, *batch)
    assert losses(scaled) == pytest.approx(losses(plain), rel=1e-5)


@pytest.mark.parametrize("name", STRATEGIES)
def test_an_overflow_skips_the_update_and_halves_the_scale(name, batch):
    scale = DynamicLossScale(initial=OVERFLOWING)
    network = SmallNet(normalised=True)
    training = build_training(name, 2, *batch, loss_scale=scale, network=network, dtype=tf.float16)
    before = [training.values(store) for store in range(len(training.strategy.stores))]
    outcome = training.step()
    assert not outcome.applied
    assert scale.value().numpy() == OVERFLOWING / 2
    for store, values in enumerate(before):
        for variable, value in training.values(store).items():
            np.testing.assert_array_equal(value, values[variable], err_msg=variable)


@pytest.mark.parametrize("name", STRATEGIES)
def test_one_tower_that_overflows_stops_all(name, batch):
    images, labels = batch
    images = images.copy()
    images[-1] = np.inf  # an image of the last tower
    scale = DynamicLossScale(initial=1024.0)
    training = build_training(name, 2, images, labels, loss_scale=scale)
    before = training.values()
    assert not training.step().applied
    np.testing.assert_array_equal(training.values()["dense/kernel"], before["dense/kernel"])
    assert scale.value().numpy() == 512.0


def test_training_recovers_from_an_overflow_and_the_scale_grows_again(batch):
    scale = DynamicLossScale(initial=OVERFLOWING, growth_steps=3)
    training = build_training("replicated", 2, *batch, loss_scale=scale, dtype=tf.float16)
    applied = [training.step().applied for _ in range(60)]
    skipped = applied.index(True)
    assert skipped > 0
    assert applied[skipped : skipped + 3] == [True] * 3
    assert False in applied[skipped:]  # three finite steps double the scale until it overflows once more


def test_the_scale_doubles_after_the_growth_interval(batch):
    scale = DynamicLossScale(initial=8.0, growth_steps=2)
    training = build_training("parameter_server", 1, *batch, loss_scale=scale)
    values = []
    for _ in range(4):
        training.step()
        values.append(float(scale.value().numpy()))
    assert values == [8.0, 16.0, 16.0, 32.0]
