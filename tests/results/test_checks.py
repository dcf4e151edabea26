from math import inf, nan

import pytest

from results.checks import loss_problems


@pytest.mark.parametrize("bad", [nan, inf, -inf])
def test_the_first_step_whose_loss_is_not_finite_is_named(bad):
    losses = [(1, 7.0), (10, bad), (20, 7.0), (30, bad)]
    assert loss_problems(losses) == ["the loss is not finite from step 10 on"]


def test_a_loss_that_ends_far_above_its_beginning_explodes():
    losses = [(step, 7.0 if step < 5 else 70.0) for step in range(1, 9)]
    assert loss_problems(losses) == ["the loss explodes: 70 at the end, 10.0 times the first losses"]


@pytest.mark.parametrize(
    "losses",
    [
        [],
        [7.0],
        [7.0, 700.0],  # too few to judge by
        [0.0] * 10,  # a forward pass
        [7.4, 7.6, 7.7, 7.8, 9.1, 8.8, 8.5],  # the first steps of many a network
        [7.0] * 5 + [1000.0] + [7.0] * 3,  # one spike
    ],
)
def test_what_trainings_do_is_no_problem(losses):
    assert loss_problems(enumerate(losses, 1)) == []
