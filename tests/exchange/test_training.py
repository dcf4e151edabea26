"""Training with each exchange: copies of the variables that stay equal, and equal to one tower with all images."""

import numpy as np
import pytest
import tensorflow as tf

from benchmarks.precision import DynamicLossScale, LossScale
from tests.engine.training import build_training, images_and_labels
from variable_mgr.exchange_plan import ReduceOptions

OPTIONS = {
    "default": ReduceOptions(),
    "ranges, packed": ReduceOptions(spec="pscpu:64:rechd:1k:xring", bytes_per_pack=1024),
    "collective": ReduceOptions(spec="collective"),
    "two levels, cut": ReduceOptions(spec="pscpu/xring", repacking=3),
    "hierarchical": ReduceOptions(spec="hierarchical_copy", small_bytes=1024),
}


def replicated(options, towers, batch, **more):
    return build_training("replicated", towers, *batch, how={"exchange": options}, **more)


@pytest.mark.parametrize("scale", [LossScale(), DynamicLossScale(128.0)], ids=["no scale", "dynamic scale"])
@pytest.mark.parametrize("name", OPTIONS)
def test_towers_update_like_one_tower_with_the_whole_batch(name, scale):
    batch = images_and_labels(24)
    one = build_training("parameter_server", 1, *batch)
    many = replicated(OPTIONS[name], 3, batch, loss_scale=scale)
    for _ in range(3):
        alone, together = one.step(), many.step()
        assert together.applied
        assert together.loss == pytest.approx(alone.loss, abs=1e-5)
    for store in range(3):
        for variable, value in many.values(store).items():
            np.testing.assert_allclose(value, one.values()[variable], atol=1e-5, err_msg=variable)


@pytest.mark.parametrize("form", ["float16", "bfloat16"])
@pytest.mark.parametrize("spec", [None, "xring", "rechd"])
def test_copies_stay_equal_when_gradients_are_compressed(spec, form):
    options = ReduceOptions(spec=spec, transfer_format=form, bytes_per_pack=512)
    many = replicated(options, 4, images_and_labels(24), dtype=tf.bfloat16)
    before = many.values()
    for _ in range(3):
        many.step()
    for store in range(1, 4):
        for variable, value in many.values(store).items():
            np.testing.assert_array_equal(value, many.values()[variable], err_msg=variable)
    assert any(np.abs(value - before[variable]).max() > 1e-3 for variable, value in many.values().items())
