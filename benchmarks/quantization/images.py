"""The images that a quantised model is calibrated by, and held against the float model on."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from benchmarks.inputs import synthetic
from benchmarks.inputs.evaluation import NO_IMAGE, open_evaluation
from benchmarks.inputs.image_spec import ImageSpec
from benchmarks.inputs.tower_group import TowerGroup
from benchmarks.quantization.conversion import Images
from benchmarks.workload import Workload

_SYNTHETIC_IMAGES = 100  # that models are held against each other on, where there are no files
_CALIBRATION, _COMPARISON = 1, 2  # added to the seed: other images than those of the steps

Labels = np.ndarray[Any, Any]  # int [images]
Batch = tuple[Images, Labels]


class ToCompare(NamedTuple):
    """Batches of one size to hold models against each other on; a label of NO_IMAGE stands for what fills up the last.

    `source` is where they are from; only with `labelled` ones do labels tell an accuracy.
    """

    source: str
    labelled: bool
    batch_size: int
    batches: Iterator[Batch]


def calibration_images(workload: Workload, next_batch: Callable[[], Batch]) -> Images:
    """--num_calibration_images of the input, as the run is fed with them by `next_batch`.

    Synthetic input has one batch for all steps; here are more of the same kind.
    """
    wanted = workload.params.num_calibration_images
    if workload.source.facts["synthetic"]:
        return _made_up(workload, wanted, _CALIBRATION)[0]
    batches = [next_batch()[0]]
    while len(batches) * len(batches[0]) < wanted:
        batches.append(next_batch()[0])
    images: Images = np.concatenate(batches)[:wanted]
    return images


def images_to_compare(workload: Workload) -> ToCompare:
    """The evaluation images, or at most --num_eval_batches batches of them; without files, 100 that are made up.

    Raises UserError where the files cannot be used.
    """
    params = workload.params
    size = params.eval_batch_size or params.batch_size
    if workload.source.facts["synthetic"]:
        return ToCompare(
            "synthetic images", False, size, _in_batches(*_made_up(workload, _SYNTHETIC_IMAGES, _COMPARISON), size)
        )
    found = open_evaluation(params, workload.network.image_size)
    batches = found.dataset(tower=0, num_towers=1).as_numpy_iterator()
    with_images = itertools.takewhile(lambda batch: bool((batch[1] != NO_IMAGE).any()), batches)
    return ToCompare(found.files, True, size, itertools.islice(with_images, params.num_eval_batches))


def _made_up(workload: Workload, count: int, offset: int) -> Batch:
    side = workload.network.image_size
    spec, seed = ImageSpec(count, side, side), workload.params.tf_random_seed + offset
    ((images, labels),) = synthetic.batches(spec, workload.source.num_classes, TowerGroup.of_all(["/cpu:0"]), seed)
    return images.numpy(), labels.numpy()


def _in_batches(images: Images, labels: Labels, size: int) -> Iterator[Batch]:
    missing = -len(images) % size
    images = np.concatenate([images, np.zeros((missing, *images.shape[1:]), images.dtype)])
    labels = np.concatenate([labels, np.full(missing, NO_IMAGE, labels.dtype)])
    for start in range(0, len(images), size):
        yield images[start : start + size], labels[start : start + size]
