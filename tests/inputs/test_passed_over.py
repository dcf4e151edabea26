"""A training that goes on gets the batches that would have come."""

import dataclasses

import numpy as np
import pytest

from benchmarks.inputs.sources import open_source, pipeline_options
from benchmarks.params import Params, resolve
from tests.inputs import jpegs

PASSED_OVER, THEN = 3, 3  # batches of 4; of ImageNet's 20 images each of two towers has 10, so epochs end among them


@pytest.fixture(scope="module")
def imagenet_dir(tmp_path_factory):
    folder = tmp_path_factory.mktemp("imagenet")
    records = [jpegs.record(jpegs.encoded(jpegs.pixels_of(number)), label=number + 1) for number in range(20)]
    jpegs.write_shards(folder, records)
    return folder


@pytest.mark.parametrize("method", ["dataset", "memory"])
@pytest.mark.parametrize("name", ["imagenet", "cifar10"])
def test_batches_that_were_seen_do_not_come_again(imagenet_dir, sample_dir, name, method):
    folder = {"imagenet": imagenet_dir, "cifar10": sample_dir}[name]
    asked = {"model": "trivial", "data_name": name, "data_dir": str(folder), "num_gpus": 2, "batch_size": 4}
    params = resolve(Params(**asked, input_method=method), device="cpu")
    make = open_source(params).dataset_of(params, 32, 2)

    def batches(number, passed_over=0):
        options = dataclasses.replace(pipeline_options(params), passed_over=passed_over)
        return list(make(tower=1, options=options).take(number).as_numpy_iterator())

    expected = batches(PASSED_OVER + THEN)[PASSED_OVER:]
    for (images, labels), (expected_images, expected_labels) in zip(batches(THEN, PASSED_OVER), expected, strict=True):
        np.testing.assert_array_equal(images, expected_images)
        np.testing.assert_array_equal(labels, expected_labels)
