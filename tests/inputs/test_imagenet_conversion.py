import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import tensorflow as tf

from tests.inputs import jpegs
from tests.inputs.converted import convert, examples, manifest, shards
from tests.main.conftest import PROJECT


def test_a_record_has_the_features_of_the_usual_shards(tmp_path):
    images = jpegs.folder(tmp_path / "images", classes=2, images=1)
    assert convert(tmp_path / "data", f"--images={images}") == 0
    found = {
        example["image/filename"][0] + example["image/class/synset"][0]: example
        for example in examples(tmp_path / "data")
    }
    example = found[b"image000.JPEGn01"]
    data = (images / "train/n01/image000.JPEG").read_bytes()
    assert {name: list(values) for name, values in example.items()} == {
        "image/encoded": [data],
        "image/format": [b"JPEG"],
        "image/filename": [b"image000.JPEG"],
        "image/height": [25],
        "image/width": [32],
        "image/channels": [3],
        "image/colorspace": [b"RGB"],
        "image/class/label": [2],
        "image/class/synset": [b"n01"],
        "image/class/text": [b""],
        **{f"image/object/bbox/{name}": [] for name in ("xmin", "ymin", "xmax", "ymax", "label")},
    }


def test_every_image_is_in_one_shard_and_the_seed_draws_the_order(tmp_path):
    images = jpegs.folder(jpegs.folder(tmp_path / "images"), images=1, split="val")
    files = {path.read_bytes() for path in images.glob("train/*/*")}
    size = sum(len(file) for file in files) / 1e6
    found = {}
    for name, seed in (("first", 1), ("again", 1), ("other", 2)):
        data = tmp_path / name
        assert convert(data, f"--images={images}", f"--seed={seed}", f"--shard_megabytes={size / 3}") == 0
        found[name] = shards(data)
        read = [example["image/encoded"][0] for example in examples(data)]
        assert sorted(read) == sorted(files)
        assert len(examples(data, "validation")) == 3
        assert not (data / ".conversion").exists()
    assert list(found["first"])[:3] == [f"train-0000{number}-of-00003" for number in range(3)]
    assert found["first"] == found["again"]
    assert (tmp_path / "first/dataset.json").read_bytes() == (tmp_path / "again/dataset.json").read_bytes()
    assert found["first"] != found["other"]


def test_labels_follow_the_file(tmp_path):
    images = jpegs.folder(tmp_path / "images", classes=3, images=1)
    labels = tmp_path / "labels.txt"
    labels.write_text("n02 great white shark\nnone\nn00\tgoldfish, fish\n\nn01\n")
    assert convert(tmp_path / "data", f"--images={images}", f"--labels_file={labels}") == 0
    found = {
        example["image/class/synset"][0]: (example["image/class/label"][0], example["image/class/text"][0])
        for example in examples(tmp_path / "data")
    }
    assert found == {b"n02": (1, b"great white shark"), b"n00": (3, b"goldfish, fish"), b"n01": (4, b"")}


# The command, which comes to no end by itself: however late it is killed, that is in its middle.
LONG_CONVERSION = """
import sys, threading
from benchmarks.inputs import imagenet, imagenet_conversion
write, begun = imagenet_conversion._Writer.write, []
def held_up(self, shard):
    begun.append(shard)
    if len(begun) > 30: threading.Event().wait()
    return write(self, shard)
imagenet_conversion._Writer.write = held_up
sys.exit(imagenet.main(sys.argv[1:]))
"""


def test_a_killed_conversion_goes_on_and_gives_the_same_bytes(tmp_path):
    images = jpegs.folder(tmp_path / "images", classes=10, images=40)
    data = tmp_path / "data"
    options = [f"--images={images}", "--shard_megabytes=0.001"]
    command = [sys.executable, "-c", LONG_CONVERSION, f"--data_dir={data}", *options]
    process = subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 300
    while len(shards(data)) < 3 and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.001)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL, process.stderr.read()
    process.stderr.close()
    before = {path: path.stat().st_mtime_ns for path in data.glob("train-*")}
    assert convert(tmp_path / "at once", *options) == 0
    whole = shards(tmp_path / "at once")
    assert 0 < len(before) < len(whole)
    assert all(whole[path.name] == path.read_bytes() for path in before)
    assert convert(data, *options) == 0
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert shards(data) == whole
    assert manifest(data) == manifest(tmp_path / "at once")
    assert not (data / ".conversion").exists()


def test_a_finished_conversion_is_not_made_again(tmp_path, capsys):
    images = jpegs.folder(tmp_path / "images")
    data = tmp_path / "data"
    for _ in range(2):
        assert convert(data, f"--images={images}") == 0
    assert "Of these shards 1 were there before." in capsys.readouterr().out
    (data / "train-00000-of-00001").write_bytes(b"changed")
    assert convert(data, f"--images={images}") == 2
    assert "or were changed: train-00000-of-00001. Remove them" in capsys.readouterr().err


def test_shards_of_other_images_are_left_alone(tmp_path, capsys):
    data = tmp_path / "data"
    convert(data, f"--images={jpegs.folder(tmp_path / 'images')}")
    before = shards(data)
    assert convert(data, f"--images={jpegs.folder(tmp_path / 'others', images=5)}") == 2
    assert "holds shards that come from other images, another seed or another size" in capsys.readouterr().err
    assert shards(data) == before
    assert not (data / ".conversion").exists()


def test_another_data_set_is_left_alone(sample_dir, tmp_path, capsys):
    assert convert(sample_dir, f"--images={jpegs.folder(tmp_path / 'images')}") == 2
    assert "holds cifar10. Give another folder." in capsys.readouterr().err


def test_two_conversions_do_not_meet(tmp_path, capsys):
    images, data = jpegs.folder(tmp_path / "images"), tmp_path / "data"
    (data / ".conversion").mkdir(parents=True)
    holder = (
        "import fcntl, sys\n"
        "lock = open(sys.argv[1], 'w')\n"
        "fcntl.flock(lock, fcntl.LOCK_EX)\n"
        "print('held', flush=True)\n"
        "input()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", holder, str(data / ".conversion/lock")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "held\n"
    assert convert(data, f"--images={images}") == 2
    assert "Another process converts into" in capsys.readouterr().err
    process.communicate("\n")
    assert convert(data, f"--images={images}") == 0


def test_a_full_disk_is_an_error_and_leaves_no_half_shard(tmp_path, monkeypatch, capsys):
    def full(*_):
        raise tf.errors.ResourceExhaustedError(None, None, "No space left on device")

    monkeypatch.setattr(tf.io.TFRecordWriter, "write", full)
    data = tmp_path / "data"
    assert convert(data, f"--images={jpegs.folder(tmp_path / 'images')}") == 2
    assert f"Cannot write into {data}: No space left on device." in capsys.readouterr().err
    assert shards(data) == {}


def test_help_and_problems_with_folders_need_no_tensorflow():
    code = (
        "import sys, contextlib, benchmarks.inputs.imagenet as command\n"
        "with contextlib.suppress(SystemExit): command.main(['--help'])\n"
        "assert command.main(['--data_dir=nowhere', '--images=nowhere']) == 2\n"
        "assert 'tensorflow' not in sys.modules"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert "--images FOLDER" in run.stdout


def test_the_sample_has_jpegs_of_imagenets_sizes(imagenet_dir):
    assert manifest(imagenet_dir)["source"] == "sample"
    files = [*imagenet_dir.glob("sample-images/train/*/*.JPEG")]
    found = examples(imagenet_dir)
    assert len(files) == len(found) == 200
    assert sorted(example["image/encoded"][0] for example in found) == sorted(file.read_bytes() for file in files)
    areas = [example["image/height"][0] * example["image/width"][0] for example in found]
    assert np.median(areas) == pytest.approx(500 * 375, rel=0.1)
    assert len(set(areas)) > 150
    assert np.mean([file.stat().st_size for file in files]) == pytest.approx(110_000, rel=0.2)  # ImageNet's mean
    assert np.bincount([example["image/class/label"][0] for example in found]).tolist() == [0, *[20] * 10]
    assert len(examples(imagenet_dir, "validation")) == 40


def test_the_sample_s_images_are_made_once(imagenet_dir, capsys):
    before = {path: path.stat().st_mtime_ns for path in imagenet_dir.rglob("*.JPEG")}
    assert convert(imagenet_dir, "--sample") == 0
    assert {path: path.stat().st_mtime_ns for path in imagenet_dir.rglob("*.JPEG")} == before
    assert capsys.readouterr().out.startswith(
        f"Made from sample-images (a sample of generated images, not ImageNet), in {imagenet_dir}:\n"
    )
