import numpy as np
import pytest
import tensorflow as tf

from benchmarks.errors import UserError
from benchmarks.inputs import cifar10_images
from benchmarks.inputs.pipeline_options import PipelineOptions
from benchmarks.inputs.towers import ImageSpec, TowerGroup, cifar10_towers, copied_ahead, synthetic_towers

DEVICES = tuple(f"/cpu:{index}" for index in range(4))
ALL = TowerGroup.of_all(DEVICES)


def in_one_step(inputs, devices=DEVICES):
    """A step as a run traces it: every tower's images and labels, under the tower's device."""

    @tf.function(autograph=False)
    def step():
        results = []
        for device, tower_input in zip(devices, inputs, strict=True):
            with tf.device(device):
                images, labels = tower_input()
                results.append((tf.identity(images), tf.identity(labels)))
        return results

    return step


def test_real_input_gives_new_batches_to_every_tower(sample_dir):
    step = in_one_step(cifar10_towers(sample_dir, ImageSpec(20, 32, 32), ALL, seed=1, distortions=False))
    seen = [image.numpy().tobytes() for _ in range(20) for images, _ in step() for image in images]
    assert len(set(seen)) == len(seen) == 1600
    assert step.experimental_get_tracing_count() == 1


@pytest.mark.parametrize("data_format", ["NHWC", "NCHW"])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_both_kinds_of_input_keep_to_the_spec(sample_dir, data_format, dtype):
    spec = ImageSpec(4, 32, 32, data_format, dtype)
    for inputs in (
        synthetic_towers(spec, 10, ALL, seed=1),
        cifar10_towers(sample_dir, spec, ALL, seed=1, distortions=True, options=PipelineOptions(1, private_threads=1)),
    ):
        for images, labels in in_one_step(inputs)():
            assert (images.shape, images.dtype) == (spec.shape, tf.as_dtype(dtype))
            assert (labels.shape, labels.dtype) == ((4,), tf.int32)


def test_prefetching_to_a_device_keeps_the_batches(sample_dir):
    """As on a GPU, with the CPU as the device: what can be tried without one."""
    options = {
        "tower": 0,
        "num_towers": 1,
        "seed": 1,
        "distortions": True,
        "options": PipelineOptions(private_threads=1),
    }
    here, there = (
        cifar10_images.dataset(sample_dir / "train.tfrecords", ImageSpec(8, 32, 32), **options) for _ in range(2)
    )
    there = copied_ahead(there, "/cpu:0")
    for (images, _), (copied, _), _ in zip(here, there, range(3), strict=False):
        np.testing.assert_array_equal(images, copied)


def test_real_input_needs_its_file(tmp_path):
    with pytest.raises(UserError, match=r"no train\.tfrecords"):
        cifar10_towers(tmp_path, ImageSpec(4, 32, 32), ALL, seed=1, distortions=True)


def synthetic(spec, num_classes, devices=DEVICES, seed=1):
    return [
        (images.numpy(), labels.numpy())
        for images, labels in in_one_step(
            synthetic_towers(spec, num_classes, TowerGroup.of_all(devices), seed), devices
        )()
    ]


def test_synthetic_labels_have_every_class():
    labels = np.concatenate([labels for _, labels in synthetic(ImageSpec(5, 8, 8), 10)])
    assert np.bincount(labels).tolist() == [2] * 10


def test_synthetic_labels_differ_where_there_are_more_classes_than_images():
    labels = np.concatenate([labels for _, labels in synthetic(ImageSpec(5, 8, 8), 1000)])
    assert len(set(labels)) == 20
    assert labels.min() >= 0
    assert labels.max() < 1000


def test_synthetic_images_are_as_standardised_ones_and_differ_by_tower():
    towers = [images for images, _ in synthetic(ImageSpec(16, 32, 32), 10)]
    assert not np.array_equal(towers[0], towers[1])
    for images in towers:
        assert images.mean() == pytest.approx(0, abs=0.02)
        assert images.std() == pytest.approx(0.88, abs=0.02)  # of a normal distribution cut off at 2
        assert np.abs(images).max() <= 2


def test_synthetic_input_is_resident_and_seeded():
    spec = ImageSpec(4, 8, 8)
    (first,) = synthetic_towers(spec, 10, TowerGroup.of_all(["/cpu:1"]), seed=1)
    assert first()[0] is first()[0]
    assert first()[0].device.endswith("CPU:1")
    (again, other) = (synthetic(spec, 10, ["/cpu:1"], seed)[0] for seed in (1, 2))
    np.testing.assert_array_equal(first()[0], again[0])
    np.testing.assert_array_equal(first()[1], again[1])
    assert not np.array_equal(first()[0], other[0])


@pytest.mark.parametrize(("data_format", "shape"), [("NHWC", (2, 4, 5, 3)), ("NCHW", (2, 3, 4, 5))])
def test_the_shape_of_a_batch(data_format, shape):
    assert ImageSpec(2, 4, 5, data_format).shape == shape


def test_processes_that_have_some_of_the_towers_each_get_what_one_with_all_gets(sample_dir):
    spec = ImageSpec(4, 32, 32)

    def inputs(towers):
        reading = cifar10_towers(sample_dir, spec, towers, seed=1, distortions=True)
        return [*synthetic_towers(spec, 10, towers, seed=1), *reading]

    whole = inputs(ALL)
    for first in (0, 2):
        part = inputs(TowerGroup(DEVICES[:2], first, total=4))
        for mine, all_of_it in zip(part, [*whole[first : first + 2], *whole[4 + first : 6 + first]], strict=True):
            for a, b in zip(mine(), all_of_it(), strict=True):
                np.testing.assert_array_equal(a, b)
