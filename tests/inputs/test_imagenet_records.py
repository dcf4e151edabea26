import json
import shutil

import numpy as np
import pytest
import tensorflow as tf

from benchmarks.errors import UserError
from benchmarks.inputs import imagenet_records
from benchmarks.inputs.imagenet_records import Verified
from tests.inputs import jpegs

GOOD = jpegs.record(jpegs.encoded(jpegs.even(1)), label=1000)


def test_counts_the_examples_and_tells_a_sample(imagenet_dir):
    assert imagenet_records.verify(imagenet_dir) == Verified(200, "sample", sample=True, shards=1)
    assert imagenet_records.verify(str(imagenet_dir), "validation-*-of-*").examples == 40


def test_shards_from_elsewhere_have_an_unknown_source(tmp_path):
    jpegs.write_shards(tmp_path, [GOOD] * 40, [GOOD])
    assert imagenet_records.verify(tmp_path) == Verified(41, "unknown", sample=False, shards=2)


def test_of_large_sets_only_the_first_record_of_a_shard_is_read(tmp_path, monkeypatch):
    bad = jpegs.record(b"x", label=0)
    jpegs.write_shards(tmp_path, [GOOD, bad], [GOOD, bad])
    monkeypatch.setattr(imagenet_records, "_READ_IN_FULL", 100)
    assert imagenet_records.verify(tmp_path) == Verified(None, "unknown", sample=False, shards=2)
    jpegs.write_shards(tmp_path, [GOOD, bad], [bad, GOOD])
    with pytest.raises(UserError, match=r"train-00001-of-00002: record 0 has label 0"):
        imagenet_records.verify(tmp_path)


def test_of_large_sets_the_manifest_tells_the_number(imagenet_dir, monkeypatch):
    monkeypatch.setattr(imagenet_records, "_READ_IN_FULL", 100)
    assert imagenet_records.verify(imagenet_dir).examples == 200


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (jpegs.record(b"x", label=0), "record 40 has label 0, where labels are 1 to 1000"),
        (jpegs.record(b"x", label=1001), "record 40 has label 1001, where labels are 1 to 1000"),
        (
            jpegs.record(None, label=None, image=tf.train.Feature(), label_name=tf.train.Feature()),
            "record 40 has no image/encoded, or an empty one; its features are image, label_name",
        ),
        (jpegs.record(b"x", label=None), "record 40 has no image/class/label, or .*; its features are image/encoded"),
        (jpegs.record(b"", label=3), "record 40 has no image/encoded, or an empty one"),
        (jpegs.record(None, label=None), "record 40 has no image/encoded, or an empty one; it has no features"),
        (b"no example", r"one of the records 32 to 41 is not a tf\.train\.Example of image/encoded"),
        (
            jpegs.record(
                b"x", None, **{"image/class/label": tf.train.Feature(float_list=tf.train.FloatList(value=[1]))}
            ),
            r"one of the records 32 to 41 is not .* image/class/label \(int64\): .*xpected type: int64",
        ),
    ],
    ids=["0", "1001", "other names", "no label", "no bytes", "no features", "no example", "float"],
)
def test_a_wrong_record_is_named(tmp_path, bad, reason):
    _, path = jpegs.write_shards(tmp_path, [GOOD], [*[GOOD] * 40, bad, GOOD])
    with pytest.raises(UserError, match=rf"Cannot use {path}: {reason}.*benchmarks\.inputs\.imagenet"):
        imagenet_records.verify(tmp_path)


@pytest.mark.parametrize(
    "damage",
    [lambda data: data[:-9], lambda data: data[:900] + b"\xff" * 10 + data[910:], lambda _: b"not a TFRecord"],
    ids=["truncated", "corrupt", "another file"],
)
def test_a_damaged_shard_is_refused(tmp_path, damage):
    _, path = jpegs.write_shards(tmp_path, [GOOD], [GOOD] * 3)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(
        UserError, match=rf"Cannot use {path}: it is truncated or corrupt at record 0 or after it: [^{{]*$"
    ):
        imagenet_records.verify(tmp_path)


def test_an_empty_shard_is_refused(tmp_path):
    _, path = jpegs.write_shards(tmp_path, [GOOD], [])
    with pytest.raises(UserError, match=rf"Cannot use {path}: it is empty"):
        imagenet_records.verify(tmp_path)


def test_a_shard_of_another_size_than_the_manifest_says_is_refused(imagenet_dir, tmp_path):
    for file in ("dataset.json", "train-00000-of-00001"):
        shutil.copy(imagenet_dir / file, tmp_path)
    told = json.loads((tmp_path / "dataset.json").read_text())
    told["file_bytes"]["train-00000-of-00001"] += 1
    (tmp_path / "dataset.json").write_text(json.dumps(told))
    with pytest.raises(UserError, match=r"it has \d+ bytes where dataset\.json says \d+"):
        imagenet_records.verify(tmp_path)


def test_missing_shards_are_named(tmp_path):
    for path in jpegs.write_shards(tmp_path, *[[GOOD]] * 20)[2:]:
        path.unlink()
    with pytest.raises(UserError, match=r"lacks 18 of the 20 shards .*: 00002, .*00009 and 10 more. Make the data set"):
        imagenet_records.verify(tmp_path)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(UserError, match=r"--data_dir=.*nowhere: no such folder\. Make the data set"):
        imagenet_records.verify(tmp_path / "nowhere")
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="not a folder"):
        imagenet_records.verify(tmp_path / "file")


def test_a_record_is_read_with_its_boxes():
    serialised = jpegs.record(b"image", label=7, boxes=[(0.1, 0.2, 0.3, 0.4), (0.5, 0.6, 0.7, 0.8)])
    record = imagenet_records.parse(tf.constant(serialised))
    assert (record.data.numpy(), record.label.numpy()) == (b"image", 7)
    np.testing.assert_allclose(record.boxes, [[0.1, 0.5], [0.2, 0.6], [0.3, 0.7], [0.4, 0.8]], rtol=1e-6)
