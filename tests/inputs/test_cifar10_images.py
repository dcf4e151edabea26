import itertools

import numpy as np
import pytest
import tensorflow as tf

from benchmarks.inputs import cifar10_images
from benchmarks.inputs.image_spec import ImageSpec
from benchmarks.inputs.pipeline_options import PipelineOptions

TRAIN_EXAMPLES = 1600


def batches(sample_dir, count, *, spec=None, **options):
    defaults = {"tower": 0, "num_towers": 1, "seed": 7, "distortions": True}
    dataset = cifar10_images.dataset(
        sample_dir / "train.tfrecords", spec or ImageSpec(40, 32, 32), **{**defaults, **options}
    )
    return [(images.numpy(), labels.numpy()) for images, labels in itertools.islice(dataset, count)]


def stored_images(sample_dir):
    records = list(tf.data.TFRecordDataset(str(sample_dir / "train.tfrecords")).as_numpy_iterator())
    pixels, labels = cifar10_images.decode(tf.constant(records))
    return pixels.numpy(), labels.numpy()


def test_every_crop_is_exact():
    """All 162 crops and mirror images against padding and slicing in NumPy."""
    choices = list(itertools.product(range(9), range(9), (False, True)))
    images = np.random.default_rng(0).integers(0, 256, (len(choices), 3, 32, 32)).astype(np.float32)
    rows, columns, mirrored = (np.array(each) for each in zip(*choices, strict=True))
    cropped = cifar10_images.crop_and_flip(
        tf.constant(images), tf.constant(rows, tf.int32), tf.constant(columns, tf.int32), tf.constant(mirrored)
    )
    padded = np.pad(images, ((0, 0), (0, 0), (4, 4), (4, 4)))
    for index, (row, column, mirror) in enumerate(choices):
        expected = padded[index, :, row : row + 32, column : column + 32]
        np.testing.assert_array_equal(cropped[index], expected[:, :, ::-1] if mirror else expected)


def test_every_crop_and_both_sides_are_drawn_equally_often():
    rows, columns, mirrored = cifar10_images.draw(90_000, seed=3, tower=1, step=tf.constant(5, tf.int64))
    for offsets in (rows, columns):
        counts = np.bincount(offsets.numpy())
        assert len(counts) == 9
        np.testing.assert_allclose(counts, 10_000, rtol=0.05)
    assert np.mean(mirrored.numpy()) == pytest.approx(0.5, abs=0.01)
    assert abs(np.corrcoef(rows, columns)[0, 1]) < 0.02
    assert abs(np.corrcoef(rows, mirrored)[0, 1]) < 0.02


@pytest.mark.parametrize("changed", [{"seed": 4}, {"tower": 2}, {"step": tf.constant(6, tf.int64)}])
def test_draws_depend_on_seed_tower_and_step(changed):
    same = {"seed": 3, "tower": 1, "step": tf.constant(5, tf.int64)}
    assert np.array_equal(cifar10_images.draw(50, **same)[0], cifar10_images.draw(50, **same)[0])
    assert not np.array_equal(cifar10_images.draw(50, **same)[0], cifar10_images.draw(50, **{**same, **changed})[0])


def test_standardisation_is_tensorflows():
    images = np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3)).astype(np.float32)
    images[1] = 17  # an even image has no variance
    images[2] = 0
    images[3, 5, 5, 0] = 0
    expected = tf.image.per_image_standardization(images)
    np.testing.assert_allclose(cifar10_images.standardised(tf.constant(images)), expected, atol=2e-6)


@pytest.mark.parametrize("data_format", ["NHWC", "NCHW"])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
@pytest.mark.parametrize("distortions", [True, False])
def test_batches_have_the_type_and_layout_asked_for(sample_dir, data_format, dtype, distortions):
    spec = ImageSpec(6, 32, 32, data_format, dtype)
    dataset = cifar10_images.dataset(
        sample_dir / "train.tfrecords", spec, tower=0, num_towers=1, seed=0, distortions=distortions
    )
    images, labels = dataset.element_spec
    assert (images.shape, images.dtype) == (spec.shape, tf.as_dtype(dtype))
    assert (labels.shape, labels.dtype) == ((6,), tf.int32)
    values = tf.cast(next(iter(dataset))[0], tf.float32).numpy()
    assert values.mean() == pytest.approx(0, abs=0.01)
    assert values.std() == pytest.approx(1, abs=0.01)


def test_both_layouts_have_the_same_images(sample_dir):
    (nhwc, labels), (nchw, same_labels) = (
        batches(sample_dir, 1, spec=ImageSpec(8, 32, 32, data_format))[0] for data_format in ("NHWC", "NCHW")
    )
    np.testing.assert_array_equal(nhwc.transpose(0, 3, 1, 2), nchw)
    np.testing.assert_array_equal(labels, same_labels)


def test_without_distortions_images_are_the_stored_ones(sample_dir):
    pixels, labels = stored_images(sample_dir)
    standardised = cifar10_images.standardised(tf.cast(pixels, tf.float32)).numpy().transpose(0, 2, 3, 1)
    by_pixels = {image.tobytes(): label for image, label in zip(standardised, labels, strict=True)}
    for images, batch_labels in batches(sample_dir, 3, distortions=False):
        for image, label in zip(images, batch_labels, strict=True):
            assert by_pixels[image.tobytes()] == label


def test_towers_share_an_epoch(sample_dir):
    seen = [
        image.tobytes()
        for tower in range(4)
        for images, _ in batches(sample_dir, 10, tower=tower, num_towers=4, distortions=False)
        for image in images
    ]
    assert len(seen) == len(set(seen)) == TRAIN_EXAMPLES


def test_epochs_follow_each_other_in_new_orders(sample_dir):
    read = batches(sample_dir, 80, distortions=False)
    first, second = (np.concatenate([images for images, _ in each]) for each in (read[:40], read[40:]))
    assert {image.tobytes() for image in first} == {image.tobytes() for image in second}
    assert not np.array_equal(first, second)


def test_a_batch_can_be_larger_than_the_data(sample_dir):
    ((images, _),) = batches(sample_dir, 1, spec=ImageSpec(64, 32, 32), num_towers=80)
    assert images.shape == (64, 32, 32, 3)


def test_the_same_seed_gives_the_same_batches(sample_dir):
    first, again, other = (batches(sample_dir, 3, seed=seed, options=PipelineOptions(prefetch=4)) for seed in (1, 1, 2))
    for (images, labels), (same_images, same_labels) in zip(first, again, strict=True):
        np.testing.assert_array_equal(images, same_images)
        np.testing.assert_array_equal(labels, same_labels)
    assert not np.array_equal(first[0][0], other[0][0])


@pytest.mark.parametrize(
    "options",
    [
        {"prefetch": 0},
        {"prefetch": 3},
        {"private_threads": 0},
        {"private_threads": 2},
        {"cached": True},
        {"decoded": True},
    ],
    ids=str,
)
def test_options_do_not_change_the_images(sample_dir, options):
    changed = batches(sample_dir, 50, options=PipelineOptions(**options))  # beyond the first epoch
    for (images, labels), (same_images, same_labels) in zip(changed, batches(sample_dir, 50), strict=True):
        np.testing.assert_array_equal(images, same_images)
        np.testing.assert_array_equal(labels, same_labels)


def test_one_record_can_be_repeated(sample_dir):
    options = PipelineOptions(cached_sample=True)
    ((first, labels), (second, _)) = batches(sample_dir, 2, distortions=False, options=options)
    assert (first == first[0]).all()
    assert (second == first[0]).all()
    assert len(set(labels)) == 1
