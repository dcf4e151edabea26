"""Gradients of bounded size, and labels that are smoothed, in steps of every strategy."""

import numpy as np
import pytest
import tensorflow as tf

from benchmarks.clipping import within_norm
from benchmarks.learning_rate import LearningRate
from benchmarks.optimizers import Optimizer
from benchmarks.scores import training_loss
from models.network import Network, Outputs
from tests.engine.training import EXCHANGING, build_training, images_and_labels


def test_all_gradients_together_have_the_norm():
    gradients = {"a": tf.constant([3.0, 0.0]), "b": tf.constant([[4.0]])}
    (scaled,) = within_norm([gradients], 2.5)
    np.testing.assert_allclose(scaled["a"], [1.5, 0.0])
    np.testing.assert_allclose(scaled["b"], [[2.0]])
    (same,) = within_norm([gradients], 5.1)
    np.testing.assert_array_equal(same["a"], gradients["a"])


def test_shares_of_several_masters_count_together():
    first, second, none = within_norm([{"a": tf.constant([3.0])}, {"b": tf.constant([4.0])}, {}], 2.5)
    assert (float(first["a"][0]), float(second["b"][0]), none) == (1.5, 2.0, {})


def test_gradients_that_are_not_finite_stay_so():
    (scaled,) = within_norm([{"a": tf.constant([np.nan, 1.0])}], 1.0)
    assert np.isnan(scaled["a"][0])


def moved(strategy, **options):
    """How far one step of two towers moves all variables, as one vector."""
    images, labels = images_and_labels(8)
    training = build_training(strategy, 2, images, labels, optimizer=Optimizer(), rate=LearningRate(1.0), **options)
    start = training.values()
    training.step()
    return np.concatenate([(training.values()[name] - start[name]).ravel() for name in sorted(start)])


@pytest.mark.parametrize("strategy", EXCHANGING)
def test_a_step_is_clipped_under_every_strategy(strategy):
    free = moved(strategy)
    norm = np.linalg.norm(free)
    np.testing.assert_allclose(moved(strategy, largest_norm=norm / 4), free / 4, rtol=1e-3, atol=1e-6)
    np.testing.assert_allclose(moved(strategy, largest_norm=2 * norm), free, rtol=1e-3, atol=1e-6)
    largest = np.abs(free).max() / 3
    clipped = moved(strategy, largest_gradient=largest)
    np.testing.assert_allclose(clipped, np.clip(free, -largest, largest), rtol=1e-3, atol=1e-6)


def test_smoothed_labels_are_those_of_keras():
    logits = np.random.default_rng(0).standard_normal((6, 5)).astype(np.float32)
    labels = np.array([0, 1, 2, 3, 4, 0], np.int32)
    network = Network(image_size=1, batch_size=1, learning_rate=1.0, aux_loss_weight=0.5)
    reference = tf.keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1)
    wanted = float(reference(tf.one_hot(labels, 5), logits))
    assert float(training_loss(network, Outputs(logits), labels, 0.1)) == pytest.approx(wanted, rel=1e-5)
    with_aux = float(training_loss(network, Outputs(logits, logits), labels, 0.1))
    assert with_aux == pytest.approx(1.5 * wanted, rel=1e-5)
