import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from benchmarks.errors import UserError
from benchmarks.inputs import cifar10, cifar10_archive, cifar10_conversion, cifar10_sample
from benchmarks.inputs.manifest import read_manifest
from tests.inputs import archives

FILES = ["dataset.json", "eval.tfrecords", "train.tfrecords", "validation.tfrecords"]


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def contents(path):
    """Images and labels of the records, read by TensorFlow's own parser of examples."""
    examples = [tf.train.Example.FromString(record.numpy()) for record in tf.data.TFRecordDataset(str(path))]
    images = [example.features.feature["image"].bytes_list.value[0] for example in examples]
    labels = [example.features.feature["label"].int64_list.value[0] for example in examples]
    return np.frombuffer(b"".join(images), np.uint8).reshape(-1, 3072), labels


@pytest.fixture
def archive(tmp_path):
    return archives.write(tmp_path / "cifar-10-python.tar.gz", archives.pickles())


@pytest.mark.parametrize(
    ("file", "batches"),
    [
        ("train.tfrecords", ["data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4"]),
        ("validation.tfrecords", ["data_batch_5"]),
        ("eval.tfrecords", ["test_batch"]),
    ],
)
def test_records_are_the_archives_images_in_order(archive, tmp_path, file, batches):
    cifar10.prepare(tmp_path / "data", archive=archive)
    images, labels = contents(tmp_path / "data" / file)
    np.testing.assert_array_equal(images, np.concatenate([archives.images_of(name) for name in batches]))
    assert labels == [label for name in batches for label in archives.labels_of(name)]


def test_the_command_says_what_it_wrote(archive, tmp_path, capsys):
    data = tmp_path / "data"
    assert cifar10.main([f"--data_dir={data}", f"--archive={archive}"]) == 0
    captured = capsys.readouterr()
    assert captured.out.splitlines() == [
        f"Made from cifar-10-python.tar.gz (other archive), in {data}:",
        "  train.tfrecords: 12 examples",
        "  validation.tfrecords: 3 examples",
        "  eval.tfrecords: 3 examples",
    ]
    assert captured.err == ""
    assert names(data) == FILES


def test_the_manifest_says_where_the_data_came_from(archive, tmp_path):
    cifar10.prepare(tmp_path / "data", archive=archive)
    manifest = read_manifest(tmp_path / "data")
    assert (manifest.name, manifest.source, manifest.archive) == ("cifar10", "other archive", archive.name)
    assert (manifest.archive_md5, manifest.archive_sha256) == cifar10_archive.checksums(archive)
    assert manifest.examples == {"train.tfrecords": 12, "validation.tfrecords": 3, "eval.tfrecords": 3}


def test_a_sample_is_marked_however_it_is_converted(tmp_path):
    path = tmp_path / "cifar-10-python.tar.gz"
    cifar10_sample.write(path, examples_per_batch=10)
    assert cifar10.prepare(tmp_path / "data", archive=path).manifest.is_sample


def test_replacing_says_what_was_replaced(archive, tmp_path, capsys):
    data = tmp_path / "data"
    cifar10.prepare(data, sample=True)
    assert cifar10.main([f"--data_dir={data}", f"--archive={archive}"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == (
        "Replaced train.tfrecords, validation.tfrecords, eval.tfrecords, dataset.json "
        "(from cifar-10-sample.tar.gz, sample)."
    )
    assert len(contents(data / "train.tfrecords")[1]) == 12
    assert names(data) == sorted([*FILES, cifar10.SAMPLE_ARCHIVE])


def test_the_sample_s_archive_is_kept_and_converts_to_the_same_records(tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    cifar10.prepare(first, sample=True)
    cifar10.prepare(second, archive=first / cifar10.SAMPLE_ARCHIVE)
    for file in FILES:
        assert (first / file).read_bytes() == (second / file).read_bytes(), file


def test_a_wrong_archive_leaves_a_good_set_alone(archive, tmp_path):
    data = tmp_path / "data"
    cifar10.prepare(data, archive=archive)
    before = {path: path.read_bytes() for path in data.iterdir()}
    archive.write_bytes(archive.read_bytes()[:3000])
    with pytest.raises(UserError, match="Cannot read the archive"):
        cifar10.prepare(data, archive=archive)
    assert {path: path.read_bytes() for path in data.iterdir()} == before


@pytest.mark.parametrize("failing", ["train.tfrecords", "eval.tfrecords", "dataset.json"])
def test_an_interrupted_replacement_is_undone(tmp_path, monkeypatch, failing):
    stage, folder = tmp_path / "stage", tmp_path / "data"
    for each, text in ((stage, "new"), (folder, "old")):
        each.mkdir()
        for name in FILES:
            (each / name).write_text(text)
    (folder / "eval.tfrecords").unlink()
    move = Path.replace

    def interrupted(source, target):
        if source == stage / failing:
            raise KeyboardInterrupt
        return move(source, target)

    monkeypatch.setattr(Path, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        cifar10_conversion.replace_together(stage, folder, FILES)
    assert {path.name: path.read_text() for path in folder.iterdir()} == dict.fromkeys(
        [name for name in FILES if name != "eval.tfrecords"], "old"
    )


@pytest.mark.parametrize("stop", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_stopping_while_writing_leaves_nothing(archive, tmp_path, monkeypatch, capsys, stop):
    def stopped(*_):
        raise stop

    monkeypatch.setattr(tf.io.TFRecordWriter, "write", stopped)
    data = tmp_path / "data"
    code = cifar10.main([f"--data_dir={data}", f"--archive={archive}"])
    assert not data.exists()
    expected = (130, "interrupted") if stop is KeyboardInterrupt else (2, f"Cannot write into {data}: No space left")
    assert code == expected[0]
    assert expected[1] in capsys.readouterr().err


def test_a_file_in_the_folders_place_is_an_error(archive, tmp_path, capsys):
    (tmp_path / "data").write_text("")
    assert cifar10.main([f"--data_dir={tmp_path / 'data'}", f"--archive={archive}"]) == 2
    assert re.search(r"--data_dir=.*data: cannot make this folder: it is a file", capsys.readouterr().err)


def test_a_sample_cannot_have_an_archive(archive, tmp_path, capsys):
    assert cifar10.main([f"--data_dir={tmp_path / 'data'}", "--sample", f"--archive={archive}"]) == 2
    assert "--sample makes its own archive and --archive=" in capsys.readouterr().err
    assert not (tmp_path / "data").exists()


def test_an_error_is_one_line_and_debug_adds_the_traceback(tmp_path, capsys):
    arguments = [f"--data_dir={tmp_path / 'data'}", f"--archive={tmp_path / 'none'}"]
    assert cifar10.main(arguments) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert cifar10.main([*arguments, "--debug"]) == 2
    assert "Traceback" in capsys.readouterr().err


def test_help_needs_no_tensorflow():
    code = (
        "import sys, contextlib, benchmarks.inputs.cifar10 as command\n"
        "with contextlib.suppress(SystemExit): command.main(['--help'])\n"
        "assert 'tensorflow' not in sys.modules"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert "--archive FILE" in run.stdout


def test_a_manifest_that_cannot_be_understood_is_named(tmp_path):
    (tmp_path / "dataset.json").write_text(json.dumps({"examples": {}, "colour": "red"}))
    with pytest.raises(UserError, match=r"Cannot read .*dataset\.json: .*colour"):
        read_manifest(tmp_path)
    (tmp_path / "dataset.json").write_text("[")
    with pytest.raises(UserError, match=r"Cannot read .*dataset\.json"):
        read_manifest(tmp_path)


def test_a_folder_without_a_manifest_has_none(tmp_path):
    assert read_manifest(tmp_path) is None
