import itertools

import numpy as np
import pytest
import tensorflow as tf

from benchmarks.inputs import imagenet_images, skipped_images
from benchmarks.inputs.image_spec import ImageSpec
from benchmarks.inputs.imagenet_images import Preparation
from benchmarks.inputs.imagenet_reading import Files, Shards
from benchmarks.inputs.imagenet_records import Record
from benchmarks.inputs.pipeline_options import DEFAULTS, PipelineOptions
from benchmarks.inputs.record_errors import explain
from benchmarks.inputs.skipped_images import SkippedImages
from benchmarks.inputs.towers import TowerGroup, imagenet_towers
from tests.inputs import jpegs

PLAIN = Preparation(distortions=False)
SPEC = ImageSpec(1, 8, 8)


def even_records(numbers):
    """Records of images that are told apart by their colour; the label is the number."""
    return [jpegs.record(jpegs.encoded(jpegs.even(number)), label=number) for number in numbers]


def batches(paths, count, *, spec=SPEC, preparation=PLAIN, skipped=None, tower=0, num_towers=1, seed=7, **options):
    dataset = imagenet_images.dataset(
        Shards(paths),
        spec,
        preparation,
        skipped or SkippedImages(0),
        tower=tower,
        num_towers=num_towers,
        seed=seed,
        **options,
    )
    return [(images.numpy(), labels.numpy()) for images, labels in itertools.islice(dataset, count)]


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    """Five shards of four images each, numbered from 1."""
    folder = tmp_path_factory.mktemp("shards")
    return jpegs.write_shards(folder, *(even_records(range(first, first + 4)) for first in range(1, 21, 4)))


@pytest.fixture(scope="module")
def varied(tmp_path_factory):
    """A shard of twelve images of several sizes."""
    folder = tmp_path_factory.mktemp("varied")
    images = [jpegs.pixels_of(number, 60 + 5 * number, 90) for number in range(12)]
    return jpegs.write_shards(folder, [jpegs.record(jpegs.encoded(image)) for image in images])


@pytest.mark.parametrize("num_towers", [1, 2, 3, 7])
def test_towers_share_an_epoch(paths, num_towers):
    """Of files for each of them, and the records of those that are left over."""
    seen = []
    for tower in range(num_towers):
        endless = batches(paths, 40, tower=tower, num_towers=num_towers)
        numbers = [jpegs.number_of(images[0]) for images, _ in endless]
        assert numbers == [labels[0] + 1 for _, labels in endless]
        share = len(set(numbers))
        assert sorted(numbers[:share]) == sorted(numbers[share : 2 * share]) == sorted(set(numbers))
        assert share in (20 // num_towers, -(-20 // num_towers))
        seen += numbers[:share]
    assert sorted(seen) == list(range(1, 21))


def test_epochs_follow_each_other_in_new_orders(paths):
    numbers = [labels[0] for _, labels in batches(paths, 40)]
    assert numbers[:20] != numbers[20:]


@pytest.mark.parametrize(
    "preparation",
    [Preparation(), Preparation(resize_method="round_robin", distort_color_in_yiq=False), PLAIN],
    ids=["default", "in turn", "plain"],
)
def test_the_same_seed_gives_the_same_batches(varied, preparation):
    spec = ImageSpec(16, 64, 64)
    first, other = (batches(varied, 2, spec=spec, preparation=preparation, seed=seed) for seed in (1, 2))
    again = batches(
        varied, 2, spec=spec, preparation=preparation, seed=1, options=PipelineOptions(0, private_threads=3)
    )
    for (images, labels), (same_images, same_labels) in zip(first, again, strict=True):
        np.testing.assert_array_equal(images, same_images)
        np.testing.assert_array_equal(labels, same_labels)
    assert not np.array_equal(first[0][0], other[0][0])


@pytest.mark.parametrize(
    ("options", "in_order"),
    [
        ({"records_ahead": 2}, True),
        ({"cached": True}, True),
        ({"decoded": True}, True),
        ({"files_at_once": 1}, False),
        ({"sloppy": True}, False),
    ],
    ids=str,
)
def test_options_lose_no_image_of_an_epoch(paths, options, in_order):
    plain, changed = (
        [labels[0] for _, labels in batches(paths, 20, options=each)] for each in (DEFAULTS, PipelineOptions(**options))
    )
    assert sorted(changed) == sorted(plain) == list(range(20))
    assert not in_order or changed == plain


def test_decoded_images_in_memory_are_mirrored_and_coloured_anew(tmp_path):
    shard = jpegs.write_shards(tmp_path, [jpegs.record(jpegs.encoded(jpegs.pixels_of(1)))])
    found = batches(shard, 4, preparation=Preparation(), options=PipelineOptions(decoded=True))
    assert len({images.tobytes() for images, _ in found}) == 4


def test_one_record_can_be_repeated(paths):
    found = batches(paths, 5, options=PipelineOptions(cached_sample=True))
    assert len({labels[0] for _, labels in found}) == 1


def test_an_image_is_distorted_anew_each_time(tmp_path):
    shard = jpegs.write_shards(tmp_path, [jpegs.record(jpegs.encoded(jpegs.pixels_of(1)))])
    images = [images.tobytes() for images, _ in batches(shard, 12, preparation=Preparation())]
    assert len(set(images)) == 12
    assert batches(shard, 1, preparation=Preparation(), seed=8)[0][0].tobytes() not in images


@pytest.mark.parametrize("data_format", ["NHWC", "NCHW"])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
@pytest.mark.parametrize("distortions", [True, False])
def test_batches_have_the_type_and_layout_asked_for(paths, data_format, dtype, distortions):
    spec = ImageSpec(3, 20, 30, data_format, dtype)
    dataset = imagenet_images.dataset(
        Shards(paths), spec, Preparation(distortions=distortions), SkippedImages(0), tower=0, num_towers=1, seed=0
    )
    images, labels = dataset.element_spec
    assert (images.shape, images.dtype) == (spec.shape, tf.as_dtype(dtype))
    assert (labels.shape, labels.dtype) == ((3,), tf.int32)
    assert next(iter(dataset))[0].shape == spec.shape


def test_both_layouts_have_the_same_images(varied):
    (nhwc, _), (nchw, _) = (
        batches(varied, 1, spec=ImageSpec(4, 32, 32, layout), preparation=Preparation())[0]
        for layout in ("NHWC", "NCHW")
    )
    np.testing.assert_array_equal(nhwc.transpose(0, 3, 1, 2), nchw)


def test_labels_count_from_0_or_behind_a_background_class(paths):
    for background, expected in ((False, range(20)), (True, range(1, 21))):
        preparation = Preparation(distortions=False, background_class=background)
        labels = [labels[0] for _, labels in batches(paths, 20, preparation=preparation)]
        assert sorted(labels) == list(expected)


@pytest.mark.parametrize("method", ["nearest", "bilinear", "bicubic", "area", "round_robin"])
@pytest.mark.parametrize("yiq", [True, False])
def test_distorted_images_keep_their_range(varied, method, yiq):
    preparation = Preparation(resize_method=method, distort_color_in_yiq=yiq)
    ((images, _),) = batches(varied, 1, spec=ImageSpec(8, 40, 40), preparation=preparation)
    assert -1 <= images.min() < -0.7
    assert 0.7 < images.max() <= 1


def prepared(preparation, pixels, height=10, width=10):
    return imagenet_images.finished(
        tf.constant(pixels),
        preparation,
        height,
        width,
        tf.constant(0, tf.int64),
        [tf.constant([1, 2], tf.int64), tf.constant([3, 4], tf.int64)],
    ).numpy()


def test_values_are_scaled_or_have_the_means_subtracted():
    pixels = np.broadcast_to(np.array([0, 51, 255], np.uint8), (20, 20, 3))
    np.testing.assert_allclose(prepared(PLAIN, pixels)[0, 0], [-1, -0.6, 1], atol=1e-6)
    for distortions in (True, False):
        official = Preparation(distortions=distortions, input_preprocessor="official_models_imagenet")
        np.testing.assert_allclose(prepared(official, pixels)[5, 5], [-123.68, 51 - 116.78, 255 - 103.94], atol=1e-3)


def test_half_of_the_images_are_mirrored():
    """The left half is dark: what is bright there has been mirrored."""
    pixels = np.zeros((20, 20, 3), np.uint8)
    pixels[:, 10:] = 255
    official = Preparation(input_preprocessor="official_models_imagenet")
    found = tf.data.Dataset.range(400).map(
        lambda number: imagenet_images.finished(
            tf.constant(pixels), official, 10, 10, number, [tf.stack([number, 0]), tf.stack([number, 1])]
        )[0, 0, 0]
    )
    mirrored = np.array(list(found.as_numpy_iterator())) > 0
    assert np.mean(mirrored) == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize(
    ("preparation", "window"),
    [
        (PLAIN, (6, 25, 87, 350)),
        (Preparation(distortions=False, resize_method="crop"), (6, 156, 87, 88)),
        (Preparation(distortions=False, input_preprocessor="official_models_imagenet"), (6, 156, 87, 88)),
    ],
    ids=["default", "crop", "official"],
)
def test_without_distortions_the_middle_is_taken(preparation, window):
    """The image is as bright as its column is far to the right."""
    pixels = np.broadcast_to((np.arange(400) * 255 / 399).astype(np.uint8)[None, :, None], (100, 400, 3)).copy()
    record = Record(tf.constant(jpegs.encoded(pixels)), tf.constant(1), (tf.zeros([0]),) * 4)
    found, decoded = imagenet_images.pixels_or_nothing(record, preparation, tf.constant([0, 0], tf.int64), tf.no_op)
    row, column, height, width = window
    assert bool(decoded)
    assert found.shape[0] in (height, height + 1)
    assert found.shape[1] in (width, width - 1, width + 1)
    assert abs(int(found[50, 0, 0]) - int(pixels[0, column, 0])) <= 3
    assert row == (100 - height) // 2


def bad_records():
    good = jpegs.encoded(jpegs.pixels_of(1))
    png = jpegs.encoded(jpegs.pixels_of(1), kind="PNG")
    return [jpegs.record(data) for data in (b"\xff\xd8\xff" + bytes(50), b"text", good[:200], png)]


def test_images_that_cannot_be_decoded_are_left_out_and_counted(tmp_path):
    shard = jpegs.write_shards(tmp_path, [*bad_records(), *even_records([5, 6])])
    skipped = SkippedImages(100)
    found = batches(shard, 8, skipped=skipped, options=PipelineOptions(0))
    assert sorted(labels[0] for _, labels in found) == [4] * 4 + [5] * 4
    assert set(skipped.named()) == {
        "train-00000-of-00001, record 0: truncated",
        "train-00000-of-00001, record 1: no JPEG",
        "train-00000-of-00001, record 2: truncated",
        "train-00000-of-00001, record 3: no JPEG",
    }
    assert skipped.total() >= 12  # of three epochs and what else was read ahead; good ones do not count, as others show


def test_boxes_that_make_no_sense_are_no_reason_to_end(tmp_path):
    data = jpegs.encoded(jpegs.pixels_of(1))
    boxes = [(-0.5, 0.1, 1.5, 0.9)], [(0.9, 0.9, 0.1, 0.1)], [(0.2, 0.2, 0.2, 0.2)]
    shard = jpegs.write_shards(tmp_path, [jpegs.record(data, boxes=each) for each in boxes])
    assert len(batches(shard, 20, preparation=Preparation(), skipped=SkippedImages(1000))) == 20


def test_of_many_bad_images_the_first_are_named(tmp_path):
    shard = jpegs.write_shards(tmp_path, [*bad_records() * 6, *even_records([5])])
    skipped = SkippedImages(10_000)
    batches(shard, 2, skipped=skipped, options=PipelineOptions(0))
    assert skipped.total() > 10
    assert len(skipped.named()) == 10


def test_images_met_at_the_same_moment_are_all_named(monkeypatch):
    count = 2000
    monkeypatch.setattr(skipped_images, "NAMED", count)
    skipped = SkippedImages(count)
    add = skipped.counter()

    def meet(number):
        with tf.control_dependencies([add(tf.strings.as_string(number), tf.constant(b""))]):
            return tf.identity(number)

    for _ in tf.data.Dataset.range(count).map(meet, num_parallel_calls=16):
        pass
    assert skipped.total() == count
    assert len(skipped.named()) == count


def test_an_image_in_a_file_of_its_own_is_named_by_its_path(tmp_path):
    paths = [tmp_path / "train/class0" / f"{name}.JPEG" for name in ("bad", "good")]
    paths[0].parent.mkdir(parents=True)
    for path, data in zip(paths, (b"", jpegs.encoded(jpegs.even(5))), strict=True):
        path.write_bytes(data)
    skipped = SkippedImages(1000)
    files = Files.in_folder(tmp_path)
    found = imagenet_images.dataset(files, SPEC, PLAIN, skipped, tower=0, num_towers=1, seed=0)
    next(iter(found))
    assert skipped.named() == [f"{paths[0]}: empty"]


def read_in_a_step(folder, limit=0, steps=1):
    skipped = SkippedImages(limit)
    inputs = imagenet_towers(Shards.in_folder(folder), SPEC, TowerGroup.of_all(["/cpu:0", "/cpu:1"]), 0, PLAIN, skipped)

    @tf.function(autograph=False)
    def step():
        return [tf.reduce_sum(tower_input()[0]) for tower_input in inputs]

    for _ in range(steps):
        step()
    return skipped


def test_the_towers_of_a_machine_count_together(tmp_path):
    jpegs.write_shards(tmp_path, *[[*bad_records()[:1], *even_records([5])]] * 2)
    assert read_in_a_step(tmp_path, limit=100_000, steps=3).total() >= 4


@pytest.mark.parametrize("limit", [0, 5])
def test_too_many_end_the_run_even_where_there_is_no_other(tmp_path, limit):
    jpegs.write_shards(tmp_path, bad_records(), bad_records())
    with pytest.raises(tf.errors.InvalidArgumentError) as raised:
        read_in_a_step(tmp_path, limit)
    message = explain(raised.value, "imagenet", tmp_path)
    assert message.startswith(
        f"While reading {tmp_path}, more images than --max_skipped_images={limit} cannot be decoded. Make the data set "
        f"again with python -m benchmarks.inputs.imagenet --data_dir={tmp_path} --images=FOLDER, which leaves such"
    )


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (jpegs.record(b"x", label=0), "a label is out of range"),
        (jpegs.record(b"x", label=1001), "a label is out of range"),
        (jpegs.record(None, label=3), "Feature: image/encoded (data type: string) is required but could not be found"),
        (b"no example", "Could not parse example input, value: 'no example'"),
    ],
    ids=["0", "1001", "no image", "no example"],
)
def test_a_wrong_record_during_a_run_is_explained(tmp_path, bad, reason):
    jpegs.write_shards(tmp_path, [bad], [bad])
    with pytest.raises(tf.errors.InvalidArgumentError) as raised:
        read_in_a_step(tmp_path)
    message = explain(raised.value, "imagenet", tmp_path)
    assert f"a TFRecord file in {tmp_path} has a record that is not an image (image/encoded) with a label" in message
    assert reason in message
    assert len(message.splitlines()) == 1


def test_corruption_during_a_run_is_explained_and_not_skipped(tmp_path):
    for path in jpegs.write_shards(tmp_path, even_records([1, 2]), even_records([3, 4])):
        path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(tf.errors.DataLossError) as raised:
        read_in_a_step(tmp_path, limit=1000)
    message = explain(raised.value, "imagenet", tmp_path)
    assert "is truncated or corrupt: it ends within the record that begins at byte " in message
