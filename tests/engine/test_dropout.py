"""Dropout in a training: other features in each tower, layer and step, and the same under every strategy."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from models.dropout import Noise
from tests.engine.training import EXCHANGING, SmallNet, build_training

DROPPING = SmallNet(drops=True)


def losses(strategy, batch, **options):
    step = build_training(strategy, 2, *batch, network=DROPPING, **options).step
    return [step().loss for _ in range(4)]


@pytest.mark.parametrize("strategy", EXCHANGING[1:])
def test_every_strategy_drops_the_same_features(batch, strategy):
    np.testing.assert_allclose(losses(strategy, batch), losses(EXCHANGING[0], batch), rtol=1e-4)


def test_another_seed_drops_others(batch):
    assert losses("replicated", batch, seed=1) != losses("replicated", batch, seed=2)


def test_each_tower_layer_step_and_seed_has_numbers_of_its_own():
    places = itertools.product((1, 2), (0, 1), (0, 1), (0, 1, 2))  # seeds, towers, layers, steps
    drawn = [
        Noise(seed, tower, tf.constant((0, step), tf.uint64)).uniform(layer, (1000,), tf.float32).numpy()
        for seed, tower, layer, step in places
    ]
    correlations = np.corrcoef(drawn) - np.eye(len(drawn))
    assert np.abs(correlations).max() < 0.2  # six standard deviations
    assert np.mean(drawn) == pytest.approx(0.5, abs=0.02)
    np.testing.assert_array_equal(drawn[0], Noise(1).uniform(0, (1000,), tf.float32))


def test_a_step_has_one_operation_for_the_numbers_of_a_layer_and_one_that_counts(batch):
    def operations(network):
        step = build_training("replicated", 2, *batch, network=network).step
        step.trace()
        return [operation.type for operation in step.graph.get_operations()]

    plain, dropping = operations(SmallNet()), operations(DROPPING)
    assert dropping.count("StatelessRandomUniformV2") == 2, "one a tower"
    assert dropping.count("AssignAddVariableOp") == plain.count("AssignAddVariableOp") + 1
    assert not any("Random" in kind for kind in plain)
