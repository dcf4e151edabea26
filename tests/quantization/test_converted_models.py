"""What the converter makes of small networks: files, transforms, operators left in float, and the same answers."""

import dataclasses
from dataclasses import dataclass

import numpy as np
import pytest
import tensorflow as tf

from benchmarks.errors import UserError
from benchmarks.inputs import cifar10
from benchmarks.inputs.evaluation import NO_IMAGE
from benchmarks.inputs.feed import compiled
from benchmarks.quantization.agreement import compare
from benchmarks.quantization.conversion import inference_of
from benchmarks.quantization.images import calibration_images, images_to_compare
from benchmarks.quantization.interpreter import LiteModel
from benchmarks.quantization.quantize import quantize
from benchmarks.quantization.quantized_step import build_quantized_step, threads
from benchmarks.step import StepOptions
from models.layers import declarations
from models.network import Network, Outputs
from tests.diagnosis.workloads import workload
from tests.engine.test_evaluation import trained
from tests.engine.training import SmallNet
from variable_mgr.store import Store, on_one_device

CLASSES = 10
OPTIONS = StepOptions(num_classes=CLASSES)


@dataclass(frozen=True, kw_only=True)
class Small(Network):
    """A convolution with batch norm, whatever `also` does, a padded pool, and a classifier."""

    image_size: int = 16
    batch_size: int = 4
    learning_rate: float = 0.1
    also: str = ""

    def __call__(self, net, images):
        x = net.conv_bn(images, 64, 3, relu=self.also != "negative", name="conv1")
        if self.also == "local_response_norm":
            x = net.local_response_norm(x, radius=4, bias=1.0, alpha=0.001, beta=0.75)
        if self.also == "batch_norm_first":  # of a sum, as in ResNet v2: no convolution can take it in
            x = net.batch_norm(x + net.conv(x, 64, 1, name="conv2"), name="alone")
        x = net.max_pool(x, 3, 2, padding=1)
        return Outputs(net.logits(net.flatten(x)))


def store_of(network):
    declared = declarations(network, CLASSES)
    store = Store(declared, on_one_device(declared, "/cpu:0"), 1)
    for name, variable in store.variables.items():  # a batch norm that does something
        if name.endswith("moving_mean"):
            variable.assign(variable - 0.5)
        if name.endswith("moving_variance"):
            variable.assign(variable * 2.0)
    return store


def images_of(network, count=8):
    side = network.image_size
    return np.random.default_rng(0).standard_normal((count, side, side, 3)).astype(np.float32)


def quantized(network, mode, options=OPTIONS):
    return quantize(network, store_of(network), options, mode, lambda: images_of(network))


@pytest.mark.parametrize(
    ("mode", "size", "error"), [("int8", 0.35, 0.1), ("int8_dynamic", 0.35, 0.1), ("fp16", 0.6, 0.01)]
)
def test_a_model_is_smaller_and_says_nearly_the_same(mode, size, error):
    found, images = quantized(Small(also="negative"), mode), images_of(Small())
    expected = found.inference(images)
    facts = found.facts()
    assert facts["quantized_bytes"] < size * facts["float_bytes"]
    for batch in (1, 8):
        logits = LiteModel(found.narrow.model, batch, 2)(images[:batch])
        assert np.abs(logits - expected[:batch]).max() < error * np.abs(expected).max()
    plain = LiteModel(found.plain.model, 8, 1)(images)
    np.testing.assert_allclose(plain, expected, atol=1e-4 * np.abs(expected).max())


def test_the_transforms_of_the_old_tool_are_listed_with_what_they_did():
    found = quantized(Small(), "int8").facts()
    listed = {each["name"]: (each["before"], each["after"]) for each in found["transforms"]}
    assert list(listed) == [
        "strip unused nodes",
        "remove identity",
        "fold constants",
        "fold batch norms",
        "quantise weights",
        "quantise nodes",
        "sort by execution order",
    ]
    assert listed["fold batch norms"] == (1, 0)
    assert listed["sort by execution order"] == (None, 0)
    assert listed["quantise weights"][0] > 4 * 64 * 8 * 8 * CLASSES
    assert listed["quantise weights"][1] == 0
    assert listed["quantise nodes"][1] == 0
    before, after = listed["remove identity"]
    assert before >= 6, "each of the variables is read"
    assert after == 0
    assert found["operators_in_float"] == {}
    assert found["operators"]["float"]["CONV_2D"] == found["operators"]["traced"]["Conv2D"] == 1
    assert found["operators"]["quantized"]["QUANTIZE"] == 1, "images are float32"


@pytest.mark.parametrize("fused", [True, False], ids=["fused", "composed"])
def test_a_batch_norm_that_no_convolution_takes_in_is_told(fused):
    options = dataclasses.replace(OPTIONS, fused_batch_norm=fused)
    found = quantized(Small(also="batch_norm_first"), "int8", options).facts()
    listed = {each["name"]: each for each in found["transforms"]}
    assert (listed["fold batch norms"]["before"], listed["fold batch norms"]["after"]) == (2, 1)
    assert ("FusedBatchNormV3" in found["operators"]["traced"]) == fused


def test_what_is_left_in_float_is_named():
    facts = quantized(Small(also="local_response_norm"), "int8").facts()
    assert facts["operators_in_float"] == {"LOCAL_RESPONSE_NORMALIZATION": 1}
    weights_alone = quantized(Small(), "fp16").facts()
    assert weights_alone["operators_in_float"]["CONV_2D"] == 1
    assert set(weights_alone["constant_bytes"]["quantized"]) >= {"FLOAT16"}


def test_a_model_that_xnnpack_refuses_is_run_by_other_kernels_and_says_so():
    """Features that are 0 for all images have no range."""
    network, store = Small(), store_of(Small())
    store.variables["conv1/batch_norm/beta"].assign_sub([1000.0] * 64)
    images = images_of(network)
    found = quantize(network, store, OPTIONS, "int8", lambda: images)
    model = LiteModel(found.narrow.model, 8, 1)
    assert "XNNPACK" in model.refusal
    assert LiteModel(found.plain.model, 8, 1).refusal == ""
    np.testing.assert_allclose(model(images), found.inference(images), atol=1e-5)


def test_a_conversion_ends_where_it_is_told_to():
    seen = []

    def on_image(number):
        seen.append(number)
        if number == 3:
            raise InterruptedError

    network = Small()
    with pytest.raises(InterruptedError):
        quantize(network, store_of(network), OPTIONS, "int8", lambda: images_of(network), on_image)
    assert seen == [1, 2, 3]


def test_a_pool_whose_padding_can_be_quantised_is_the_same_pool():
    network = Small(also="negative")
    found, images = inference_of(network, store_of(network), OPTIONS), tf.constant(images_of(network))
    kinds = {operation.type for operation in found.concrete.graph.get_operations()}
    assert "MirrorPad" in kinds, "what is padded with the least float has no range"
    made = found.concrete(images)
    np.testing.assert_array_equal(tf.nest.flatten(made)[0].numpy(), found(images.numpy()))


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cifar10")
    cifar10.prepare(folder, sample=True)
    return folder


def test_a_model_that_has_learned_the_sample_agrees_with_itself_quantised(sample):
    network = SmallNet(image_size=32, normalised=True)
    store = trained(sample, "cifar10", network, "replicated", towers=1, batch_size=32, steps=150)._store
    found = workload("--model=trivial", "--forward_only", "--quantize=int8", sample=sample)
    step = build_quantized_step(found)
    step._run = compiled(step._step, step._inputs)
    seen = calibration_images(found, step._next_batch)
    models = quantize(network, store, OPTIONS, "int8", lambda: seen)
    given = images_to_compare(found)
    narrow = LiteModel(models.narrow.model, given.batch_size, 2)
    facts = compare(models.inference, narrow, given.batches, NO_IMAGE, lambda: None).facts(labelled=given.labelled)
    assert (facts["images"], given.source) == (400, "validation.tfrecords")
    judged_by = {image.tobytes() for images, _ in images_to_compare(found).batches for image in images}
    assert not judged_by & {image.tobytes() for image in seen}, "ranges are those of images to train on"
    assert facts["top_1_agreement"] >= 0.97
    assert facts["accuracy"]["float"]["top_1"] >= 0.6, "by chance it would be 0.1"


def test_ranges_are_those_of_the_images_that_the_run_is_fed_with(sample):
    flags = ["--model=trivial", "--forward_only", "--quantize=int8", "--num_calibration_images=40"]
    step, again = (build_quantized_step(workload(*flags, "--num_eval_batches=2", sample=sample)) for _ in range(2))
    step.trace()
    assert step.quantized.calibration_images == 40
    again._run = compiled(again._step, again._inputs)
    fed = [again._next_batch()[0] for _ in range(4)]
    np.testing.assert_array_equal(step._next_batch()[0], fed[3], "three batches of 16 have been seen")
    assert len(list(images_to_compare(step._workload).batches)) == 2
    outcome = step()
    assert (outcome.loss, outcome.applied) == (0.0, True)
    assert 0 <= outcome.top_1 <= outcome.top_5 <= 1


def test_synthetic_images_are_others_than_those_of_the_steps():
    found = workload("--model=trivial", "--forward_only", "--quantize=int8", "--eval_batch_size=64")
    given = images_to_compare(found)
    (first, labels), (last, fill) = given.batches
    assert (given.labelled, first.shape, last.shape) == (False, (64, 32, 32, 3), (64, 32, 32, 3))
    assert int((labels == NO_IMAGE).sum() + (fill == NO_IMAGE).sum()) == 28, "there are 100"
    step = build_quantized_step(found)
    step.trace()
    assert not np.array_equal(first[0], step._next_batch()[0][0])


def test_threads_are_those_asked_for():
    assert (
        threads(workload("--model=trivial", "--forward_only", "--quantize=int8", "--num_intra_threads=3").params) == 3
    )
    assert threads(workload("--model=trivial", "--forward_only", "--quantize=int8").params) >= 1


def test_on_a_gpu_there_is_no_interpreter():
    found = workload("--model=trivial", "--forward_only", "--quantize=int8")
    on_gpu = dataclasses.replace(found, devices=dataclasses.replace(found.devices, kind="gpu"))
    with pytest.raises(UserError, match="LiteRT computes on the CPU here, and TensorFlow has found a GPU"):
        build_quantized_step(on_gpu)
