"""What an evaluation finds, held against sets that can be learned, and against NumPy."""

import numpy as np
import pytest
import tensorflow as tf

from benchmarks.errors import UserError
from benchmarks.evaluator import Evaluator, score_of
from benchmarks.inputs import cifar10, cifar10_images
from benchmarks.inputs.evaluation import NO_IMAGE, open_evaluation
from benchmarks.inputs.sources import open_source
from benchmarks.inputs.towers import TowerGroup
from benchmarks.learning_rate import LearningRate
from benchmarks.optimizers import Momentum
from benchmarks.params import Params, resolve
from benchmarks.precision import LossScale
from benchmarks.step import StepOptions, TrainingStep
from models.layers import Net
from tests.engine.training import CLASSES, STRATEGIES, SmallNet, build_strategy
from tests.inputs import jpegs

OPTIONS = StepOptions(num_classes=CLASSES)


@pytest.fixture(scope="module")
def black_and_white(tmp_path_factory):
    return jpegs.black_and_white(tmp_path_factory.mktemp("imagenet"))


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    """The sample of CIFAR-10: 1600 images to train on, 400 to evaluate on."""
    folder = tmp_path_factory.mktemp("cifar10")
    cifar10.prepare(folder, sample=True)
    return folder


def params_for(folder, name, towers, **options):
    asked = {"model": "trivial", "data_name": name, "data_dir": str(folder), "num_gpus": towers, "distortions": False}
    return resolve(Params(**asked | options), device="cpu")


def trained(folder, name, network, strategy, *, towers=2, batch_size, steps, rate=0.05, **how):
    """An evaluator of `network` after so many steps under `strategy` on the images in `folder`."""
    devices = [f"/cpu:{index}" for index in range(towers)]
    params = params_for(folder, name, towers, batch_size=batch_size)
    stores = build_strategy(strategy, devices, network=network, **how)
    inputs = open_source(params).towers(params, network.image_size, TowerGroup.of_all(devices))
    step = TrainingStep(network, stores, devices, inputs, Momentum(), LossScale(), OPTIONS, LearningRate(rate))
    for _ in range(steps):
        step()
    return Evaluator(network, stores.stores[0], devices, open_evaluation(params, network.image_size), OPTIONS)


@pytest.mark.parametrize(
    ("strategy", "how"),
    [
        *((strategy, {}) for strategy in STRATEGIES),
        ("parameter_server", {"staged": True}),
        ("parameter_server", {"parameter_devices": ("/cpu:0", "/cpu:1")}),  # spread over the towers
        ("distributed_replicated", {"parameter_devices": ("/cpu:0", "/cpu:1")}),
        ("replicated", {"relaxed": True}),
        ("distributed_all_reduce", {}),
    ],
)
def test_black_and_white_are_told_apart_without_an_error_under_every_strategy(black_and_white, strategy, how):
    score = trained(black_and_white, "imagenet", SmallNet(), strategy, batch_size=4, steps=40, rate=0.01, **how)()
    assert score == (13, 13, 13)


def test_a_small_network_learns_the_sample_in_150_steps(sample):
    network = SmallNet(image_size=32, normalised=True)
    score = trained(sample, "cifar10", network, "replicated", batch_size=32, steps=150)()
    assert score.images == 400
    assert score.first >= 0.6 * 400, "by chance it would be 40"


@pytest.mark.parametrize(("towers", "batch_size"), [(1, 400), (2, 64), (3, 7)])
def test_every_image_counts_once_however_they_are_shared(sample, towers, batch_size):
    network, devices = SmallNet(image_size=32, normalised=True), [f"/cpu:{index}" for index in range(towers)]
    store = build_strategy("replicated", devices, network=network).stores[0]
    params = params_for(sample, "cifar10", towers, eval_batch_size=batch_size)
    images = open_evaluation(params, network.image_size)
    assert images.examples == 400
    evaluator = Evaluator(network, store, devices, images, OPTIONS)
    assert evaluator() == evaluator() == (400, *expected(network, store, sample))
    assert evaluator._run.experimental_get_tracing_count() == 1


def expected(network, store, folder):
    """What NumPy counts, of all images at once."""
    records = list(tf.data.TFRecordDataset(str(folder / "validation.tfrecords")))
    pixels, labels = cifar10_images.decode(tf.stack(records))
    images = cifar10_images.standardised(tf.transpose(tf.cast(pixels, tf.float32), [0, 2, 3, 1]))
    net = Net(network, lambda declaration: store.variables[declaration.name], num_classes=CLASSES, training=False)
    ranked = np.argsort(-network(net, images).logits.numpy(), axis=1)
    hits = ranked == labels.numpy()[:, None]
    return int(hits[:, 0].sum()), int(hits[:, :5].sum())


def test_fewer_steps_may_be_asked_for(sample):
    network = SmallNet(image_size=32)
    store = build_strategy("replicated", ["/cpu:0", "/cpu:1"], network=network).stores[0]
    images = open_evaluation(params_for(sample, "cifar10", 2, eval_batch_size=10), network.image_size)
    seen = []
    evaluator = Evaluator(network, store, ["/cpu:0", "/cpu:1"], images, OPTIONS, most_steps=3)
    assert evaluator(lambda score, seconds: seen.append((score.images, seconds > 0))).images == 60
    assert seen == [(20, True), (40, True), (60, True)]


def test_imagenet_is_the_middle_of_the_image_and_what_cannot_be_decoded_is_left_out(tmp_path):
    """The upper left quarter of an image that is not cut away would be white."""
    framed = np.full((32, 32, 3), 255, np.uint8)
    framed[2:30, 2:30] = 0
    records = [jpegs.record(jpegs.encoded(framed), label=7), jpegs.record(b"no image", label=8)]
    jpegs.write_shards(tmp_path, records, split="validation")
    images = open_evaluation(params_for(tmp_path, "imagenet", 1, batch_size=3, data_format="NCHW"), 8)
    pixels, labels = next(iter(images.dataset(tower=0, num_towers=1)))
    assert pixels.shape == (3, 3, 8, 8)
    assert labels.numpy().tolist() == [6, NO_IMAGE, NO_IMAGE]
    np.testing.assert_allclose(pixels[0], -1.0, atol=0.1)
    np.testing.assert_array_equal(pixels[1:], 0.0)


def test_missing_evaluation_images_are_named(tmp_path):
    (tmp_path / "train-00000-of-00001").touch()
    with pytest.raises(UserError, match=r"no file matches validation-\*-of-\*"):
        open_evaluation(params_for(tmp_path, "imagenet", 1), 8)


def test_equal_logits_are_right_by_chance_only():
    labels = tf.constant([0, 4, 5, NO_IMAGE])
    assert score_of(tf.zeros([4, 10]), labels).numpy().tolist() == [3, 1, 2]


def test_with_fewer_than_five_classes_all_are_among_the_first_five():
    assert score_of(tf.constant([[0.0, 1.0], [1.0, 0.0]]), tf.constant([0, 0])).numpy().tolist() == [2, 1, 2]
