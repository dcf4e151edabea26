"""Every way of feeding gives the towers the same images."""

import socket
import time
from concurrent import futures

import grpc
import numpy as np
import pytest
import tensorflow as tf

from benchmarks.errors import UserError
from benchmarks.inputs import data_service
from benchmarks.inputs.feed import compiled
from benchmarks.inputs.imagenet_reading import Files
from benchmarks.inputs.record_errors import explain
from benchmarks.inputs.sources import open_source
from benchmarks.inputs.tower_group import TowerGroup
from benchmarks.params import Params, resolve
from tests.inputs import jpegs

TOWERS = ("/cpu:0", "/cpu:1")
EPOCH = 1600


def batches(steps, *, image_size=32, **options):
    """Images and labels of so many steps of a run with `options`, of all towers: [step, tower, ...]."""
    params = Params(device="cpu", num_gpus=len(TOWERS), **options)
    source = open_source(params)
    resolved = resolve(params, device="cpu", examples=source.examples)
    inputs = source.towers(resolved, image_size, TowerGroup.of_all(TOWERS))

    def step():
        found = []
        for device, tower_input in zip(TOWERS, inputs, strict=True):
            with tf.device(device):
                images, labels = tower_input()
                found.append(tf.concat([tf.reshape(images, [-1]), tf.cast(labels, images.dtype)], axis=0))
        return tf.stack(found)

    run = compiled(step, inputs)
    return np.stack([run().numpy() for _ in range(steps)])


STEPS = EPOCH // 200 + 2  # into the second epoch


@pytest.fixture(scope="module")
def cifar10(sample_dir):
    """The options of a run on CIFAR-10."""
    return {"data_dir": str(sample_dir), "data_name": "cifar10", "model": "trivial", "batch_size": 100}


@pytest.fixture(scope="module")
def expected(cifar10):
    """Its batches in the step, which all differ."""
    found = batches(STEPS, **cifar10)
    assert len(np.unique(found[..., :-100].reshape(STEPS * 2, -1), axis=0)) == STEPS * 2
    return found


@pytest.mark.parametrize("method", ["feed", "memory", "service"])
def test_the_images_of_cifar10_are_the_same_by_every_method(cifar10, expected, method):
    np.testing.assert_array_equal(batches(STEPS, input_method=method, **cifar10), expected)


@pytest.mark.parametrize("options", [{}, {"distortions": False}, {"input_method": "memory"}, {"data_format": "NCHW"}])
def test_the_images_of_cifar10_are_the_same_where_the_step_prepares_them(sample_dir, options):
    data = {"data_dir": str(sample_dir), "data_name": "cifar10", "model": "trivial", "batch_size": 100, **options}
    there, here = batches(2, preprocess_device="tower", **data), batches(2, **data)
    np.testing.assert_allclose(there, here, atol=1e-5)  # sums in another order


@pytest.mark.parametrize("method", ["feed", "memory", "service"])
def test_the_images_of_imagenet_are_the_same_by_every_method(tmp_path, method):
    records = [jpegs.record(jpegs.encoded(jpegs.pixels_of(number)), label=number + 1) for number in range(8)]
    jpegs.write_shards(tmp_path, records[:4], records[4:])
    data = {"data_dir": str(tmp_path), "data_name": "imagenet", "batch_size": 2, "max_skipped_images": 0}
    data["distortions"] = method != "memory"  # which draws its windows once, for images in the order of the files
    np.testing.assert_array_equal(
        batches(2, image_size=16, input_method=method, **data), batches(2, image_size=16, **data)
    )


def test_a_file_an_image_gives_each_image_once_an_epoch(tmp_path):
    for number in range(12):
        path = tmp_path / "train" / f"class{number % 3}" / f"{number}.JPEG"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(jpegs.encoded(jpegs.even(number)))
    data = {"data_dir": str(tmp_path), "data_name": "imagenet", "batch_size": 6, "input_method": "small_files"}
    (step,) = batches(1, image_size=8, distortions=False, **data)
    images, labels = step[:, :-6].reshape(12, -1), step[:, -6:].reshape(12)
    assert len(np.unique(images.round(2), axis=0)) == 12
    assert sorted(labels) == sorted([0, 1, 2] * 4)
    files = Files.in_folder(tmp_path)
    assert all(f"class{label - 1}/" in path for path, label in zip(files.paths, files.labels, strict=True))


def test_a_folder_without_images_is_told_before_the_model_is_built(tmp_path):
    params = Params(data_dir=str(tmp_path), data_name="imagenet", input_method="small_files")
    with pytest.raises(UserError, match=r"^--data_dir=.*no images in .*/CLASS/"):
        open_source(params)


def test_a_feed_without_records_ends_as_a_data_set_does(tmp_path):
    jpegs.write_shards(tmp_path, [jpegs.record(jpegs.encoded(jpegs.pixels_of(1)))])
    with pytest.raises(tf.errors.OutOfRangeError) as error:
        batches(1, image_size=8, data_dir=str(tmp_path), data_name="imagenet", input_method="feed", batch_size=1)
    assert "has no record for one of the towers" in explain(error.value, "imagenet", tmp_path)


def test_a_service_ends_at_an_image_that_cannot_be_decoded(tmp_path):
    broken = [jpegs.record(b"\xff\xd8\xff" + bytes(50), label=1) for _ in range(4)]
    jpegs.write_shards(tmp_path, broken[:2], broken[2:])
    with pytest.raises(tf.errors.OpError) as error:
        batches(1, image_size=8, data_dir=str(tmp_path), data_name="imagenet", input_method="service", batch_size=1)
    assert "more images than --max_skipped_images=0 cannot be decoded" in explain(error.value, "imagenet", tmp_path)


@pytest.fixture
def silent():
    """host:port of a server that accepts connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def other_grpc():
    """host:port of a gRPC server that is no tf.data service."""
    server = grpc.server(futures.ThreadPoolExecutor(1))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}"
    server.stop(None)


def reached(sample_dir, address):
    """What is said where a run is to read through the service at `address`, and after how long."""
    begin = time.monotonic()
    params = Params(data_dir=str(sample_dir), data_name="cifar10", input_method="service", data_service_address=address)
    with pytest.raises(UserError, match=rf"^--data_service_address={address}: no data service can be reached") as error:
        open_source(params)
    assert time.monotonic() - begin < 120, "gRPC by itself would wait for ever"
    return str(error.value)


def test_a_service_that_is_not_there_is_told_before_the_model_is_built(sample_dir):
    assert "python -m benchmarks.inputs.data_service" in reached(sample_dir, "127.0.0.1:1")


def test_what_is_no_data_service_is_told_within_seconds(sample_dir, silent, other_grpc, monkeypatch):
    assert "there was no answer within 5 s" in reached(sample_dir, silent)
    monkeypatch.setattr(data_service, "_REACH_SECONDS", 60.0)  # this one does answer, if late
    assert "another gRPC server, not the dispatcher" in reached(sample_dir, other_grpc)
