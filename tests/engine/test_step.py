"""What a step reports."""

import numpy as np
import pytest

from tests.engine.training import build_training


def test_total_loss_is_the_base_loss_and_the_decay_of_the_variables_before_the_update(batch):
    base = build_training("replicated", 2, *batch, weight_decay=0.01, report_total_loss=False)
    total = build_training("replicated", 2, *batch, weight_decay=0.01)
    start = total.values()
    l2_loss = sum(np.sum(value**2) / 2 for value in start.values())
    assert total.step().loss == pytest.approx(base.step().loss + 0.01 * l2_loss, rel=1e-5)


def test_one_l2_loss_op_gives_the_same_loss(batch):
    many = build_training("parameter_server", 2, *batch, weight_decay=0.01)
    single = build_training("parameter_server", 2, *batch, weight_decay=0.01, single_l2_loss_op=True)
    assert single.step().loss == pytest.approx(many.step().loss, rel=1e-6)


def test_accuracy_is_none_unless_asked_for(batch):
    assert build_training("replicated", 2, *batch).step().top_1 is None
    outcome = build_training("replicated", 2, *batch, accuracy=True).step()
    assert 0.0 <= outcome.top_1 <= outcome.top_5 <= 1.0


def test_accuracy_reaches_one_on_a_batch_learned_by_heart(batch):
    training = build_training("replicated", 2, *batch, accuracy=True)
    for _ in range(60):
        outcome = training.step()
    assert (outcome.top_1, outcome.top_5) == (1.0, 1.0)
    assert outcome.loss < 0.1


def test_two_runs_start_equal(batch):
    losses = [build_training("replicated", 2, *batch).step().loss for _ in range(2)]
    assert losses[0] == losses[1]
