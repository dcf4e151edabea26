"""Convolutions, plain, in groups and depthwise, against TensorFlow's plain one in NHWC."""

import numpy as np
import pytest
import tensorflow as tf

from models.declaration import Declaration
from tests.models.one_layer import LAYOUTS, NETWORK, apply, apply_with_gradient, initial_values, random_images


@pytest.mark.parametrize("xla", [False, True])
@pytest.mark.parametrize("padding", [0, 1, 2, "SAME", "VALID"])
@pytest.mark.parametrize(("kernel", "stride"), [(3, 1), (3, 2), ((1, 3), 1), (5, 2)])
@pytest.mark.parametrize("data_format", LAYOUTS)
def test_convolution_with_padding_in_pixels_or_by_name(data_format, kernel, stride, padding, xla):
    images = random_images(data_format)
    convolved, gradient = apply_with_gradient(
        lambda net, x: net.conv(x, 4, kernel, stride, padding=padding, bias=False, relu=False, name="conv"),
        images,
        data_format,
        xla=xla,
    )
    height, width = (kernel, kernel) if isinstance(kernel, int) else kernel
    weights = Declaration("conv/kernel", (height, width, 6, 4), stddev=np.sqrt(2 / (height * width * 6)))
    sides = padding if isinstance(padding, str) else [[0, 0], [padding] * 2, [padding] * 2, [0, 0]]
    with tf.GradientTape() as tape:
        x = tf.constant(images)
        tape.watch(x)
        expected = tf.nn.conv2d(x, initial_values(weights), stride, sides)
        loss = tf.reduce_sum(expected**2) / 2
    np.testing.assert_allclose(convolved, expected, atol=1e-5)
    np.testing.assert_allclose(gradient, tape.gradient(loss, x), atol=1e-4)


@pytest.mark.parametrize("xla", [False, True])
@pytest.mark.parametrize("padding", [1, "SAME"])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize(("groups", "filters"), [(2, 4), (3, 6), (6, 6), (6, 12)])
@pytest.mark.parametrize("data_format", LAYOUTS)
def test_each_group_of_filters_sees_its_share_of_the_channels(data_format, groups, filters, stride, padding, xla):
    """As many groups as channels and filters are depthwise."""
    images = random_images(data_format)
    convolved, gradient = apply_with_gradient(
        lambda net, x: net.conv_bn(x, filters, 3, stride, padding=padding, groups=groups, relu=False, name="conv"),
        images,
        data_format,
        xla=xla,
        training=False,
    )
    weights = Declaration("conv/kernel", (3, 3, 6 // groups, filters), stddev=np.sqrt(2 / (9 * 6 / groups)))
    kernels = tf.split(initial_values(weights), groups, axis=3)
    pads = padding if isinstance(padding, str) else [[0, 0], [1, 1], [1, 1], [0, 0]]
    with tf.GradientTape() as tape:
        x = tf.constant(images)
        tape.watch(x)
        shares = zip(tf.split(x, groups, axis=3), kernels, strict=True)
        expected = tf.concat([tf.nn.conv2d(share, kernel, stride, pads) for share, kernel in shares], axis=3)
        expected = expected / np.sqrt(1 + NETWORK.batch_norm_epsilon)
        loss = tf.reduce_sum(expected**2) / 2
    np.testing.assert_allclose(convolved, expected, atol=1e-5)
    np.testing.assert_allclose(gradient, tape.gradient(loss, x), atol=1e-4)


def test_groups_must_divide_channels_and_filters():
    for groups in (4, 3):
        with pytest.raises(AssertionError, match="as many channels and filters"):
            apply(
                lambda net, x: net.conv(x, 4, 3, groups=groups, name="conv"),  # noqa: B023 (called at once)
                random_images("NHWC"),
                "NHWC",
            )
