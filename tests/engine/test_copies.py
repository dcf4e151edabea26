import numpy as np
import pytest
import tensorflow as tf

from benchmarks.copies import compare_copies
from benchmarks.verification import CLASSES, StandIn
from models.layers import declarations
from variable_mgr.copies import Independent, Replicated
from variable_mgr.shared_variables import ParameterServer

TOWERS = ["/cpu:0", "/cpu:1", "/cpu:2"]


@pytest.fixture
def replicated():
    return Replicated(declarations(StandIn(), CLASSES), TOWERS, 1, list)


def test_copies_that_are_equal(replicated):
    found = compare_copies(replicated)
    assert (found.largest_difference, found.copies, found.problem) == (0.0, 3, None)


def test_a_copy_that_missed_an_update_is_named(replicated):
    kernel = replicated.stores[2].variables["large/kernel"]
    kernel.assign_add(0.01 * tf.ones_like(kernel))
    found = compare_copies(replicated)
    assert found.variable == "large/kernel"
    assert "not equal after the last step: copies of large/kernel differ by" in found.problem
    assert found.facts()["problem"] == found.problem


def test_moving_statistics_may_differ_and_one_copy_that_is_not_finite_may_not(replicated):
    replicated.stores[1].variables["narrow/kernel"].assign(np.full((512, 12), np.nan))
    assert compare_copies(replicated).problem
    for store in replicated.stores:
        store.variables["narrow/kernel"].assign(np.full((512, 12), np.nan))
    assert compare_copies(replicated).problem is None


def test_where_nothing_is_to_be_equal_nothing_is_compared():
    listed = declarations(StandIn(), CLASSES)
    assert compare_copies(Independent(listed, TOWERS, 1)) is None
    assert compare_copies(ParameterServer(listed, TOWERS, TOWERS[:1], 1)) is None
