import shutil

import pytest
import tensorflow as tf

from benchmarks.errors import UserError
from benchmarks.inputs import cifar10_records
from benchmarks.inputs.record_errors import explain
from benchmarks.inputs.towers import ImageSpec, TowerGroup, cifar10_towers

PIXELS = bytes(3072)


def record(image=PIXELS, label=3):
    """A serialised example; None leaves a feature out."""
    feature = {}
    if image is not None:
        feature["image"] = tf.train.Feature(bytes_list=tf.train.BytesList(value=[image]))
    if label is not None:
        feature["label"] = tf.train.Feature(int64_list=tf.train.Int64List(value=[label]))
    return tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString()


@pytest.fixture
def write(tmp_path):
    """Writes train.tfrecords and returns its folder."""

    def records(*records):
        with tf.io.TFRecordWriter(str(tmp_path / "train.tfrecords")) as writer:
            for each in records:
                writer.write(each)
        return tmp_path

    return records


def test_counts_the_examples_and_tells_a_sample(sample_dir):
    assert cifar10_records.verify(sample_dir) == cifar10_records.Verified(1600, "sample", sample=True)
    assert cifar10_records.verify(str(sample_dir), "eval.tfrecords").examples == 400


def test_files_without_a_manifest_have_an_unknown_source(write):
    assert cifar10_records.verify(write(record(), record())) == cifar10_records.Verified(2, "unknown", sample=False)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (record(label=10), "record 1002 has label 10, where labels are 0 to 9"),
        (record(label=-7), "record 1002 has label -7"),
        (record(label=None), "record 1002 has no label, or -1, where labels are 0 to 9; its features are image"),
        (record(image=b"short"), "record 1002 has an image of 5 bytes, where 3072 were expected"),
        (record(image=None), "record 1002 has no image, where 3072 were expected; its features are label"),
        (b"no example", r"one of the records 1000 to 1003 is not a tf\.train\.Example"),
    ],
    ids=["10", "-7", "no label", "short image", "no image", "no example"],
)
def test_a_wrong_record_is_named(write, bad, reason):
    good = record()
    folder = write(*[good] * 1002, bad, good)
    with pytest.raises(
        UserError, match=rf"Cannot use {folder}/train\.tfrecords: {reason}.*benchmarks\.inputs\.cifar10"
    ):
        cifar10_records.verify(folder)


def test_a_label_that_is_text_is_refused(write):
    feature = {
        "image": tf.train.Feature(bytes_list=tf.train.BytesList(value=[PIXELS])),
        "label": tf.train.Feature(bytes_list=tf.train.BytesList(value=[b"cat"])),
    }
    folder = write(tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString())
    with pytest.raises(UserError, match=r"one of the records 0 to 0 is not a tf\.train\.Example of image"):
        cifar10_records.verify(folder)


def damaged(sample_dir, tmp_path, damage):
    folder = tmp_path / "data"
    shutil.copytree(sample_dir, folder)
    path = folder / "train.tfrecords"
    path.write_bytes(damage(path.read_bytes()))
    return folder


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda data: data[:-100], r"it ends within the record that begins at byte [\d,]+"),
        (
            lambda data: data[:50_000] + b"\xff" * 10 + data[50_010:],
            r"the record that begins at byte (4[6-9],\d{3}|50,000) does not fit its checksum",
        ),
        (lambda _: b"not a TFRecord", "its first record does not fit its checksum: it may be no TFRecord file at all"),
    ],
    ids=["truncated", "corrupt", "another file"],
)
def test_a_damaged_file_is_refused_in_words_of_our_own(sample_dir, tmp_path, damage, reason):
    folder = damaged(sample_dir, tmp_path, damage)
    with pytest.raises(
        UserError, match=rf"train\.tfrecords: it is truncated or corrupt after record \d+: {reason}\. [^{{]*--data_dir="
    ):
        cifar10_records.verify(folder)


def test_a_file_cut_between_two_records_is_refused(sample_dir, tmp_path):
    folder = damaged(sample_dir, tmp_path, lambda data: data[: len(data) // 2])
    with pytest.raises(UserError, match=r"it holds 800 records where dataset\.json says 1600"):
        cifar10_records.verify(folder)


def test_an_empty_file_is_refused(write):
    with pytest.raises(UserError, match="it holds no records"):
        cifar10_records.verify(write())


def test_a_missing_file_is_named_with_what_was_looked_for(sample_dir, tmp_path):
    shutil.copy(sample_dir / "eval.tfrecords", tmp_path)
    with pytest.raises(
        UserError,
        match=r"no train\.tfrecords in it\. Looked for train\.tfrecords, validation\.tfrecords, eval\.tfrecords; "
        r"missing: train\.tfrecords, validation\.tfrecords\. The folder holds eval\.tfrecords\. Make",
    ):
        cifar10_records.verify(tmp_path)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(UserError, match=r"--data_dir=.*nowhere: no such folder\. Make"):
        cifar10_records.verify(tmp_path / "nowhere")
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="not a folder"):
        cifar10_records.verify(tmp_path / "file")


def read_in_a_step(folder, towers=1):
    devices = ["/cpu:0"] * towers
    inputs = cifar10_towers(folder, ImageSpec(2, 32, 32), TowerGroup.of_all(devices), seed=0, distortions=True)

    @tf.function(autograph=False)
    def step():
        return [tf.reduce_sum(tower_input()[0]) for tower_input in inputs]

    step()


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (record(image=b"short"), "Input to reshape is a tensor with 10 values"),
        (record(image=None), "Feature: image (data type: string) is required but could not be found"),
        (b"no example", "Could not parse example input, value: 'no example'"),
    ],
    ids=["short", "no image", "no example"],
)
def test_a_wrong_record_during_a_run_is_explained(write, bad, reason):
    with pytest.raises(tf.errors.InvalidArgumentError) as raised:
        read_in_a_step(write(bad, bad))
    message = explain(raised.value, "cifar10")
    assert "a TFRecord file of --data_dir has a record that is not an image of 3072 bytes with a label" in message
    assert f"{reason})" in message or f"{reason}, but" in message


def test_a_tower_without_records_is_explained(write):
    with pytest.raises(tf.errors.OutOfRangeError) as raised:
        read_in_a_step(write(record()), towers=2)
    assert "has no record for one of the towers" in explain(raised.value, "cifar10")


def test_corruption_during_a_run_is_explained(sample_dir, tmp_path):
    folder = damaged(sample_dir, tmp_path, lambda data: data[:-100])
    with pytest.raises(tf.errors.DataLossError) as raised:
        read_in_a_step(folder)
    message = explain(raised.value, "cifar10", folder)
    assert message.startswith(
        f"While reading, a TFRecord file in {folder} is truncated or corrupt: it ends within the record that begins at "
    )
    assert len(message.splitlines()) == 1


@pytest.mark.parametrize(
    "error", [ValueError("x"), tf.errors.InvalidArgumentError(None, None, "Incompatible shapes"), UserError("x")]
)
def test_other_errors_are_not_explained_here(error):
    assert explain(error, "cifar10") is None
