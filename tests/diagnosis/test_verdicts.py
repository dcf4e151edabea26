"""Steps whose bound is known, because it was made: the experiment must find it."""

import dataclasses
import os
import subprocess
import sys
import threading

import numpy as np
import pytest
import tensorflow as tf

from benchmarks.diagnosis.diagnose import measured_diagnosis
from benchmarks.diagnosis.ways import build_ways, exchanges
from benchmarks.inputs import cifar10
from benchmarks.inputs.sources import Cifar10, Pipeline
from models.trivial import Trivial
from tests.diagnosis.workloads import BATCH, workload

LOOK_SECONDS = 0.01  # so that steps which nothing was planted in take some time


class Clock:
    """A clock that planted waits move, and looks at it: however busy the machine is, nothing else takes time."""

    def __init__(self):
        self._now, self._lock = 0.0, threading.Lock()

    def __call__(self):
        return self.passes(LOOK_SECONDS)

    def passes(self, seconds):
        with self._lock:
            self._now += seconds
            return self._now


CLOCK = Clock()
LENGTHS = {"rounds": 3, "block_seconds": 1.0, "clock": CLOCK}


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cifar10") / "sample"
    cifar10.prepare(folder, sample=True)
    return folder


def with_source(found, kind):
    """`found`, whose source is one of `kind` for the same files."""
    source = found.source
    return dataclasses.replace(found, source=kind(source.dataset, source.num_classes, source.title, source.facts))


def diagnosed(found):
    return measured_diagnosis(found, lambda _way, _round: None, **LENGTHS)


def more(facts):
    return {gain["bound"]: gain["images_per_second"] for gain in facts["gains"]}


def after_a_wait(*tensors, seconds=0.05):
    """`tensors`, so many seconds later."""

    def wait():
        CLOCK.passes(seconds)
        return np.int64(0)

    with tf.control_dependencies([tf.numpy_function(wait, [], tf.int64)]):
        return [tf.identity(tensor) for tensor in tensors]


class Waiting(Trivial):
    """50 ms more for each batch, whatever its size, on the way to the loss."""

    def __call__(self, net, images):
        return super().__call__(net, *after_a_wait(images))


class Heavy(Trivial):
    """5 ms more for each image, on the way to the loss."""

    def __call__(self, net, images):
        return super().__call__(net, *after_a_wait(images, seconds=0.005 * images.shape[0]))


class SlowPipeline(Cifar10):
    """50 ms more for each batch."""

    def pipeline(self, *parts):
        found = super().pipeline(*parts)

        def slow(*batch):
            return tuple(after_a_wait(*batch))

        return Pipeline(lambda **keywords: found.dataset(**keywords).map(slow).prefetch(2), found.stages)


# Writes a batch of zeros of argv[2] bytes into the file argv[1] every 50 ms.
SLOW_DISK = """
import sys, time
with open(sys.argv[1], "wb", buffering=0) as file:
    while True:
        file.write(bytes(int(sys.argv[2])))
        time.sleep(0.05)
"""


def slow_disk(path):
    """A source whose images come out of the FIFO at `path`, in place of a file."""

    class SlowDisk(Cifar10):
        def pipeline(self, *parts):
            def batches():
                with path.open("rb") as file:
                    while True:
                        pixels = file.read(BATCH * 32 * 32 * 3)
                        CLOCK.passes(0.05)
                        images = np.frombuffer(pixels, np.uint8).reshape(BATCH, 32, 32, 3)
                        yield images.astype(np.float32), np.zeros(BATCH, np.int32)

            shapes = (tf.TensorSpec((BATCH, 32, 32, 3)), tf.TensorSpec((BATCH,), tf.int32))
            made = tf.data.Dataset.from_generator(batches, output_signature=shapes).prefetch(2)
            return Pipeline(lambda **_: made, super().pipeline(*parts).stages)

    return SlowDisk


# First, as pipelines that were slowed on purpose go on for a while in the process that had them.
@pytest.mark.parametrize("strategy", ["parameter_server", "replicated", "sharded", "mirrored"])
def test_a_step_without_its_exchange_is_among_the_ways(strategy):
    found = workload("--model=trivial", "--num_gpus=2", f"--variable_update={strategy}")
    assert exchanges(found)
    ways = build_ways(found)
    assert list(ways) == ["synthetic", "independent", "one_image", "trivial"]
    for step in ways.values():
        step()


def test_a_pipeline_slowed_on_purpose(sample):
    facts = diagnosed(with_source(workload("--model=trivial", sample=sample), SlowPipeline))
    assert facts["verdict"] == "input bounds the step"
    assert facts["input_share"] > 0.5
    assert all(0.04 < seconds < 0.1 for seconds in facts["ways"]["input_alone"]["step_seconds"])
    assert more(facts)["input"] > max(0.0, more(facts)["compute"], more(facts)["launch overhead"])


def test_a_disk_slowed_on_purpose(sample, tmp_path):
    fifo = tmp_path / "images"
    os.mkfifo(fifo)
    disk = subprocess.Popen([sys.executable, "-c", SLOW_DISK, str(fifo), str(BATCH * 32 * 32 * 3)])
    try:
        facts = diagnosed(with_source(workload("--model=trivial", sample=sample), slow_disk(fifo)))
    finally:
        disk.kill()
        disk.wait()
    assert facts["verdict"] == "input bounds the step"
    real = facts["ways"]["real"]
    assert 0 < real["read_bytes_per_second"] < 5e6
    assert real["cpus"] < 1  # who waits for a disk computes little


def test_a_heavy_model(sample):
    facts = diagnosed(dataclasses.replace(workload("--model=trivial", sample=sample), network=Heavy(image_size=32)))
    assert facts["verdict"] == "compute bounds the step"
    assert list(facts["ways"]) == ["real", "synthetic", "one_image", "trivial", "input_alone"]
    times = {way: min(found["step_seconds"]) for way, found in facts["ways"].items()}
    assert times["trivial"] < times["real"]


def test_a_wait_in_every_step_whatever_its_batch():
    flags = ["--model=trivial", "--num_gpus=2", "--variable_update=independent"]
    facts = diagnosed(dataclasses.replace(workload(*flags), network=Waiting(image_size=32)))
    assert facts["verdict"] == "launch overhead bounds the step"
    assert facts["input_share"] is None
    assert set(facts["ways"]) == {"synthetic", "one_image", "trivial"}


def test_arrays_that_python_hands_over(sample):
    facts = diagnosed(with_source(workload("--model=trivial", "--input_method=feed", sample=sample), SlowPipeline))
    assert facts["verdict"] == "input bounds the step"
