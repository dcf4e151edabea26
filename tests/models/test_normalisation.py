"""Batch norm of separate operations computes what the fused one does, in both layouts and every precision."""

import numpy as np
import pytest
import tensorflow as tf

from benchmarks.params import Params, notices
from models.layers import Net
from tests.engine.training import SmallNet, build_training, images_and_labels
from tests.models.one_layer import LAYOUTS, NETWORK, apply_with_gradient, random_images

# Of the largest: rounding of the numbers that come in and go out. Within, both forms compute in float32.
TOLERANCE = {tf.float32: 1e-5, tf.bfloat16: 2**-7, tf.float16: 2**-9}
# Float16 in NCHW has no fused kernel on the CPU.
COMBINATIONS = [(dtype, layout) for dtype in TOLERANCE for layout in LAYOUTS if (dtype, layout) != (tf.float16, "NCHW")]


def values(variable):
    """Different ones in every channel, far from those of the images."""
    count = tf.range(1.0, variable.shape[0] + 1)
    part = variable.name.rpartition("/")[2]
    return {"moving_mean": count, "moving_variance": count / 2, "beta": count - 4, "gamma": 3 - count / 4}[part]


def normalised(fused, images, data_format, dtype, **facts):
    """What batch norm makes of images, the gradient through it, and the statistics that it moves."""
    statistics = []

    def layer(net: Net, x: tf.Tensor) -> tf.Tensor:
        y = net.batch_norm(tf.cast(x, dtype), name="norm")
        assert y.dtype == dtype
        kinds = {operation.type for operation in y.graph.get_operations()}
        assert ("FusedBatchNormV3" in kinds) == fused
        statistics.extend(net.moved.values())
        shape = (1, 1, 1, -1) if data_format == "NHWC" else (1, -1, 1, 1)
        moved = [tf.broadcast_to(tf.reshape(each, shape), tf.shape(y)) for each in net.moved.values()]
        return net.concat([tf.cast(y, tf.float32), *map(tf.stop_gradient, moved)])

    found = apply_with_gradient(layer, images, data_format, values=values, fused_batch_norm=fused, **facts)
    assert {each.dtype for each in statistics} <= {tf.float32}
    return found


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(("dtype", "data_format"), COMBINATIONS)
def test_composed_and_fused_agree_in_outputs_gradients_and_statistics(dtype, data_format, training):
    images = 4 + 2 * random_images(data_format)
    both = [normalised(fused, images, data_format, dtype, training=training) for fused in (True, False)]
    for fused, composed in zip(*both, strict=True):
        channels = fused.shape[3]
        assert channels == (18 if training and fused is both[0][0] else 6)
        assert np.isfinite(fused).all()
        for channel in range(channels):  # of the moving statistics, float32 in every precision, each is one
            tolerance = TOLERANCE[dtype] * np.abs(fused[..., channel]).max()
            np.testing.assert_allclose(composed[..., channel], fused[..., channel], rtol=0, atol=tolerance)


@pytest.mark.parametrize("data_format", LAYOUTS)
def test_a_tower_without_statistics_of_its_own_moves_none(data_format):
    images = random_images(data_format)
    facts = {"training": True, "owns_statistics": False}
    fused, composed = (normalised(each, images, data_format, tf.float32, **facts)[0] for each in (True, False))
    assert composed.shape[3] == 6
    np.testing.assert_allclose(composed, fused, atol=1e-4)


def test_one_value_a_channel_has_no_unbiased_variance():
    """The fused kernel takes the biased one there, which is zero, where others would divide by it."""
    moved = {}
    for fused in (True, False):
        net = Net(NETWORK, values, num_classes=5, training=True, fused_batch_norm=fused)
        net.batch_norm(tf.ones((1, 1, 1, 3)), name="norm")
        moved[fused] = {name: value.numpy() for name, value in net.moved.items()}
    np.testing.assert_allclose(moved[False]["norm/moving_variance"], [0.45, 0.9, 1.35], rtol=1e-6)
    for name, value in moved[True].items():
        np.testing.assert_allclose(moved[False][name], value, rtol=1e-6)


def test_xla_compiles_the_composed_form_too():
    images = random_images("NHWC")
    compiled, plain = (normalised(False, images, "NHWC", tf.float32, xla=xla)[0] for xla in (True, False))
    np.testing.assert_allclose(compiled, plain, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("model", "data", "told"), [("resnet20", "cifar10", False), ("alexnet", "imagenet", True), ("lenet", "", True)]
)
def test_a_network_without_batch_norm_is_told_of(model, data, told):
    params = Params(model=model, data_name=data or None, fused_batch_norm=False)
    found = [str(each) for each in notices(params, ["fused_batch_norm"])]
    expected = "--fused_batch_norm=False: no effect: it acts only with a model that has batch norm."
    assert found == ([expected] if told else [])


@pytest.mark.parametrize("data_format", LAYOUTS)
def test_a_training_with_either_form_arrives_at_the_same_variables(data_format):
    number = 8 if data_format == "NHWC" else 12  # see random_images
    batch, network = images_and_labels(number), SmallNet(normalised=True)
    trainings = [
        build_training("replicated", 2, *batch, network=network, data_format=data_format, fused_batch_norm=fused)
        for fused in (True, False)
    ]
    losses = [[training.step().loss for _ in range(3)] for training in trainings]
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-4)
    kinds = [{operation.type for operation in training.step.graph.get_operations()} for training in trainings]
    assert ["FusedBatchNormV3" in found for found in kinds] == [True, False]
    fused, composed = (training.values() for training in trainings)
    assert "conv2/batch_norm/moving_variance" in fused
    for name, value in fused.items():
        np.testing.assert_allclose(composed[name], value, atol=1e-4, err_msg=name)
