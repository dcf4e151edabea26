"""The layers, one by one, against NumPy: in both layouts, compiled by TensorFlow and by XLA."""

import numpy as np
import pytest
import tensorflow as tf

import models
from models.declaration import Declaration
from models.layers import Net, declarations
from models.network import Network, Outputs
from tests.models.one_layer import LAYOUTS, NETWORK, apply, apply_with_gradient, initial_values, random_images


@pytest.mark.parametrize("xla", [False, True])
@pytest.mark.parametrize("data_format", LAYOUTS)
def test_max_pool_with_pixels_of_padding_that_never_win(data_format, xla):
    images = random_images(data_format) - 10  # below zero, so that zeros as padding would win
    pooled, gradient = apply_with_gradient(
        lambda net, x: net.max_pool(x, 3, 2, padding=1), images, data_format, xla=xla
    )

    padded = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)), constant_values=-np.inf)
    height, width = images.shape[1] // 2 + 1, images.shape[2] // 2 + 1
    windows = [
        (slice(None), slice(i, i + 2 * height - 1, 2), slice(j, j + 2 * width - 1, 2))
        for i in range(3)
        for j in range(3)
    ]
    expected = np.max([padded[window] for window in windows], axis=0)
    expected_gradient = np.zeros_like(padded)
    for window in windows:
        expected_gradient[window] += np.where(padded[window] == expected, expected, 0)

    np.testing.assert_array_equal(pooled, expected)
    np.testing.assert_allclose(gradient, expected_gradient[:, 1:-1, 1:-1], rtol=1e-6)


@pytest.mark.parametrize("xla", [False, True])
@pytest.mark.parametrize("data_format", LAYOUTS)
def test_subsample_takes_every_other_position_and_adds_zero_channels(data_format, xla):
    images = random_images(data_format)
    taken, gradient = apply_with_gradient(lambda net, x: net.subsample(x, 10, 2), images, data_format, xla=xla)
    np.testing.assert_array_equal(taken[..., :6], images[:, ::2, ::2])
    assert taken.shape[3] == 10
    assert not taken[..., 6:].any()
    np.testing.assert_array_equal(gradient[:, ::2, ::2], images[:, ::2, ::2])
    assert np.count_nonzero(gradient) == images[:, ::2, ::2].size


@pytest.mark.parametrize("data_format", LAYOUTS)
def test_avg_pool_does_not_count_padding(data_format):
    ones = np.ones_like(random_images(data_format))
    pooled = apply(lambda net, x: net.avg_pool(x, 3, 1, padding="SAME"), ones, data_format)
    np.testing.assert_allclose(pooled, ones, rtol=1e-6)


def test_activations():
    images = 6 * random_images("NHWC")
    np.testing.assert_array_equal(apply(lambda net, x: net.relu6(x), images, "NHWC"), np.clip(images, 0, 6))
    np.testing.assert_allclose(
        apply(lambda net, x: net.swish(x), images, "NHWC"), images / (1 + np.exp(-images)), rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize("data_format", LAYOUTS)
def test_a_gate_scales_each_channel_of_each_image(data_format):
    images = random_images(data_format)
    gated = apply(lambda net, x: net.gate(x, net.global_average(x)), images, data_format)
    openings = 1 / (1 + np.exp(-images.mean(axis=(1, 2), keepdims=True)))
    np.testing.assert_allclose(gated, images * openings, rtol=1e-5)


@pytest.mark.parametrize("data_format", LAYOUTS)
def test_local_response_norm(data_format):
    images = random_images(data_format)
    normalised = apply(
        lambda net, x: net.local_response_norm(x, radius=1, bias=2.0, alpha=0.5, beta=0.75), images, data_format
    )
    squares = np.pad(images**2, ((0, 0), (0, 0), (0, 0), (1, 1)))
    neighbours = squares[..., :-2] + squares[..., 1:-1] + squares[..., 2:]
    np.testing.assert_allclose(normalised, images / (2.0 + 0.5 * neighbours) ** 0.75, rtol=1e-5)


@pytest.mark.parametrize("data_format", LAYOUTS)
def test_features_of_an_image_come_in_one_order_whatever_the_layout(data_format):
    images = random_images(data_format)
    flat = apply(lambda net, x: net.flatten(x), images, data_format)
    np.testing.assert_array_equal(flat, images.reshape(len(images), -1))
    average = apply(lambda net, x: net.global_average(x), images, data_format)
    np.testing.assert_allclose(average, images.mean(axis=(1, 2)), atol=1e-6)
    joined = apply(lambda net, x: net.concat([x, 2 * x]), images, data_format)
    np.testing.assert_array_equal(joined, np.concatenate([images, 2 * images], axis=3))


@pytest.mark.parametrize("data_format", LAYOUTS)
def test_shape_of_a_grid(data_format):
    net = Net(NETWORK, initial_values, num_classes=5, training=True, data_format=data_format)
    x = tf.zeros((2, 3, 4, 5) if data_format == "NHWC" else (2, 5, 3, 4))
    assert net.channels(x) == 5
    assert net.grid(x) == (3, 4)


def statistics_values(variable: Declaration) -> tf.Tensor:
    """Moving means 1, 2, 3...; moving variances 0.5, 1, 1.5...; betas -1; gammas 3."""
    count = tf.range(1.0, variable.shape[0] + 1)
    part = variable.name.rpartition("/")[2]
    values = {"moving_mean": count, "moving_variance": count / 2, "beta": 0 * count - 1, "gamma": 0 * count + 3}
    return values[part]


@pytest.mark.parametrize("xla", [False, True])
@pytest.mark.parametrize("scale", [True, False])
@pytest.mark.parametrize("data_format", LAYOUTS)
def test_batch_norm_uses_and_moves_its_statistics(data_format, scale, xla):
    """The batch normalises by its biased variance; the moving variance takes in the unbiased one."""
    images = 4 + 2 * random_images(data_format)
    nets = []

    def layer(net: Net, x: tf.Tensor) -> tf.Tensor:
        nets.append(net)
        y = net.batch_norm(x, relu=False, scale=scale, name="norm")
        broadcast = [tf.broadcast_to(tf.reshape(value, shape(net, x)), tf.shape(y)) for value in net.moved.values()]
        return net.concat([y, *broadcast])

    def shape(net: Net, x: tf.Tensor) -> tuple[int, ...]:
        return (1, 1, 1, net.channels(x)) if data_format == "NHWC" else (1, net.channels(x), 1, 1)

    result = apply(layer, images, data_format, values=statistics_values, xla=xla)
    normalised, moved_mean, moved_variance = np.split(result, 3, axis=3)

    mean, variance = images.mean(axis=(0, 1, 2)), images.var(axis=(0, 1, 2))
    unbiased = images.var(axis=(0, 1, 2), ddof=1)
    count = np.arange(1.0, 7.0)
    decay = NETWORK.batch_norm_decay
    gamma = 3 if scale else 1
    np.testing.assert_allclose(normalised, gamma * (images - mean) / np.sqrt(variance + 1e-5) - 1, atol=1e-4)
    np.testing.assert_allclose(moved_mean[0, 0, 0], decay * count + (1 - decay) * mean, rtol=1e-5)
    np.testing.assert_allclose(moved_variance[0, 0, 0], decay * count / 2 + (1 - decay) * unbiased, rtol=1e-5)
    assert list(nets[0].moved) == ["norm/moving_mean", "norm/moving_variance"]


@pytest.mark.parametrize("data_format", LAYOUTS)
def test_batch_norm_in_inference_uses_the_moving_statistics_and_leaves_them(data_format):
    images = random_images(data_format)
    nets = []

    def layer(net: Net, x: tf.Tensor) -> tf.Tensor:
        nets.append(net)
        return net.batch_norm(x, name="norm")

    normalised = apply(layer, images, data_format, values=statistics_values, training=False)
    count = np.arange(1.0, 7.0)
    expected = 3 * (images - count) / np.sqrt(count / 2 + 1e-5) - 1
    np.testing.assert_allclose(normalised, np.maximum(expected, 0), atol=1e-4)
    assert nets[0].moved == {}


@pytest.mark.parametrize("data_format", LAYOUTS)
def test_a_tower_that_does_not_own_the_statistics_computes_the_same_and_moves_none(data_format):
    images = random_images(data_format)
    nets = []

    def layer(net: Net, x: tf.Tensor) -> tf.Tensor:
        nets.append(net)
        return net.batch_norm(x, name="norm")

    owner = apply(layer, images, data_format, values=statistics_values)
    other = apply(layer, images, data_format, values=statistics_values, owns_statistics=False)
    np.testing.assert_allclose(owner, other, atol=1e-6)
    assert nets[1].moved == {}


def test_dropout_keeps_the_mean_in_training_and_everything_in_inference():
    ones = np.ones((50, 20, 20, 1), np.float32)
    dropped = apply(lambda net, x: net.dropout(x, 0.25), ones, "NHWC")
    kept = dropped[dropped > 0]
    np.testing.assert_allclose(kept, 1 / 0.75, rtol=1e-6)
    assert kept.size / ones.size == pytest.approx(0.75, abs=0.03)  # nine standard deviations of 20,000 draws
    np.testing.assert_array_equal(apply(lambda net, x: net.dropout(x, 0.25), ones, "NHWC", training=False), ones)


@pytest.mark.parametrize("shape", [(400, 3, 3, 2), (400, 5)])
def test_dropout_of_whole_images_keeps_or_zeroes_all_of_each(shape):
    dropped = apply(lambda net, x: net.dropout(x, 0.25, whole_images=True), np.ones(shape, np.float32), "NHWC")
    kept = dropped.reshape(400, -1)
    assert (kept == kept[:, :1]).all()
    np.testing.assert_allclose(kept[kept > 0], 1 / 0.75, rtol=1e-6)
    assert np.count_nonzero(kept[:, 0]) == pytest.approx(300, abs=70)  # eight standard deviations


@pytest.mark.parametrize("dtype", [tf.bfloat16, tf.float16])
def test_low_precision_computes_in_its_dtype_on_float32_variables_and_leaves_in_float32(dtype):
    asked = []

    def values(variable: Declaration) -> tf.Tensor:
        asked.append(variable)
        return initial_values(variable)

    seen = []

    def layer(net: Net, x: tf.Tensor) -> tf.Tensor:
        x = net.max_pool(net.conv_bn(tf.cast(x, dtype), 4, 3, 2, padding=1, name="conv"), 3, 2, padding=1)
        x = net.dense(net.flatten(x), 7, name="hidden")
        seen.append(x.dtype)
        return net.logits(x)

    low = apply(layer, random_images("NHWC"), "NHWC", values=values, dtype=dtype)
    high = apply(
        lambda net, x: net.logits(
            net.dense(
                net.flatten(net.max_pool(net.conv_bn(x, 4, 3, 2, padding=1, name="conv"), 3, 2, padding=1)),
                7,
                name="hidden",
            )
        ),
        random_images("NHWC"),
        "NHWC",
    )
    assert seen == [dtype]
    assert low.dtype == np.float32
    np.testing.assert_allclose(low, high, atol=0.03 * np.abs(high).max())
    assert {initial_values(variable).dtype for variable in asked} == {tf.float32}


def test_initial_values_depend_on_name_and_seed_alone():
    variable = Declaration("stage1/conv1/kernel", (3, 3, 32, 64), stddev=0.1)
    value = variable.initial_value(seed=1).numpy()
    np.testing.assert_array_equal(value, variable.initial_value(seed=1))
    assert value.mean() == pytest.approx(0.0, abs=0.003)
    assert value.std() == pytest.approx(0.1, rel=0.03)
    others = [variable.initial_value(seed=2), Declaration("other", variable.shape, stddev=0.1).initial_value(seed=1)]
    assert all(abs(np.corrcoef(value.ravel(), np.ravel(other))[0, 1]) < 0.03 for other in others)
    np.testing.assert_array_equal(Declaration("gamma", (2,), fill=1.0).initial_value(seed=1), [1.0, 1.0])


def test_an_initial_value_that_must_not_change():
    """Runs of different versions start from the same weights, or their losses could not be compared."""
    value = Declaration("logits/kernel", (1, 3), stddev=0.01).initial_value(seed=1234)
    np.testing.assert_allclose(value, [[-0.0006843008, -0.00084312935, 0.0089327218]], rtol=1e-5)


def test_an_initial_value_is_the_same_inside_a_compiled_function():
    variable = Declaration("kernel", (4, 3), stddev=0.1)
    inside = tf.function(lambda: variable.initial_value(seed=1), autograph=False, jit_compile=True)()
    np.testing.assert_array_equal(inside, variable.initial_value(seed=1))


def test_a_declaration_knows_its_size():
    assert Declaration("kernel", (3, 5, 7)).size == 105
    assert Declaration("kernel", (3, 5, 7)).nbytes == 420


def test_two_variables_of_one_name_are_refused():
    class Twice(Network):
        def __call__(self, net: Net, images: tf.Tensor) -> Outputs:
            x = net.conv(net.conv(images, 4, 3, name="conv"), 4, 3, name="conv")
            return Outputs(net.logits(net.global_average(x)))

    with pytest.raises(AssertionError, match="'conv/kernel'"):
        declarations(Twice(image_size=8, batch_size=2, learning_rate=0.1), 5)


def test_a_network_with_dropout_trains_and_forgets_none_of_its_variables():
    network = models.get("vgg11", "imagenet")
    values = {}

    def value(variable: Declaration) -> tf.Tensor:
        values[variable.name] = variable.initial_value(seed=1)
        tape.watch(values[variable.name])
        return values[variable.name]

    with tf.GradientTape() as tape:
        net = Net(network, value, num_classes=5, training=True)
        loss = tf.reduce_sum(network(net, tf.random.stateless_normal((2, 32, 32, 3), (1, 2))).logits ** 2)
    gradients = tape.gradient(loss, values)
    assert all(np.isfinite(gradient).all() and np.any(gradient) for gradient in gradients.values())
