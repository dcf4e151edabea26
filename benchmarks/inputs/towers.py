"""The input of each tower: a function that a step calls, while it is traced, for the next images and labels."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import tensorflow as tf

from benchmarks.inputs import cifar10_images, cifar10_records, imagenet_images, shards, synthetic
from benchmarks.inputs.image_spec import ImageSpec
from benchmarks.inputs.imagenet_images import Preparation
from benchmarks.inputs.record_errors import way_out
from benchmarks.inputs.skipped_images import SkippedImages
from benchmarks.inputs.tower_group import TowerGroup
from variable_mgr.topology import is_gpu

__all__ = [
    "ImageSpec",
    "TowerGroup",
    "TowerInput",
    "begun",
    "cifar10_towers",
    "copied_ahead",
    "imagenet_towers",
    "synthetic_towers",
]

# Called under the tower's device while the step is traced; returns the (images, labels) that each step then gets anew.
TowerInput = Callable[[], tuple[tf.Tensor, tf.Tensor]]

_BATCHES_ON_DEVICE = 2  # one in use, one under way


def synthetic_towers(spec: ImageSpec, num_classes: int, towers: TowerGroup, seed: int) -> list[TowerInput]:
    """Inputs that return the same resident batch at each step, one for each of `towers`."""
    return [_resident(batch) for batch in synthetic.batches(spec, num_classes, towers, seed)]


def cifar10_towers(
    data_dir: str | Path,
    spec: ImageSpec,
    towers: TowerGroup,
    seed: int,
    *,
    distortions: bool,
    prefetch: int | None = None,
    private_threads: int | None = None,
) -> list[TowerInput]:
    """Inputs that read train.tfrecords in `data_dir`, one for each of `towers`, on the machine that has its device.

    The other options are those of cifar10_images.dataset.
    """
    path = cifar10_records.find(data_dir, "train.tfrecords")
    return _reading_towers(
        towers,
        lambda tower: cifar10_images.dataset(
            path,
            spec,
            tower=tower,
            num_towers=towers.total,
            seed=seed,
            distortions=distortions,
            prefetch=prefetch,
            private_threads=private_threads,
        ),
    )


def imagenet_towers(
    data_dir: str | Path,
    spec: ImageSpec,
    towers: TowerGroup,
    seed: int,
    preparation: Preparation,
    skipped: SkippedImages,
    *,
    prefetch: int | None = None,
    private_threads: int | None = None,
) -> list[TowerInput]:
    """Inputs that read the training shards in `data_dir`, one for each of `towers`, on the machine that has its device.

    The other options are those of imagenet_images.dataset.
    """
    paths = shards.find(Path(data_dir), shards.TRAIN, way_out("imagenet", data_dir))
    return _reading_towers(
        towers,
        lambda tower: imagenet_images.dataset(
            paths,
            spec,
            preparation,
            skipped,
            tower=tower,
            num_towers=towers.total,
            seed=seed,
            prefetch=prefetch,
            private_threads=private_threads,
        ),
    )


def _reading_towers(towers: TowerGroup, dataset_of: Callable[[int], tf.data.Dataset]) -> list[TowerInput]:
    """Inputs from the data set that `dataset_of` makes for the number of a tower, on the CPU beside its device."""
    inputs = []
    for tower, device in towers:
        with _host_of(device):
            inputs.append(_reading(begun(_on_device(dataset_of(tower), device))))
    return inputs


def _host_of(device: str) -> AbstractContextManager[object]:
    """Where to make the images for `device`: the CPU of its machine."""
    spec = tf.DeviceSpec.from_string(device)
    if spec.job is None:
        return contextlib.nullcontext()
    cpu: AbstractContextManager[object] = tf.device(spec.replace(device_type="CPU", device_index=0).to_string())
    return cpu


def _on_device(dataset: tf.data.Dataset, device: str) -> tf.data.Dataset:
    """`dataset` with its batches copied ahead to a GPU; logical CPU devices share the host's memory."""
    return copied_ahead(dataset, device) if is_gpu(device) else dataset


def copied_ahead(dataset: tf.data.Dataset, device: str) -> tf.data.Dataset:
    """`dataset`, made on the CPU of the machine that has `device`, with its batches copied ahead to `device`.

    That may be one of another process: the CPU that TensorFlow copies from is the one beside `device`.
    """
    return dataset.apply(tf.data.experimental.prefetch_to_device(device, _BATCHES_ON_DEVICE))


def begun(dataset: tf.data.Dataset) -> Iterator[tuple[tf.Tensor, tf.Tensor]]:
    """The iterator of `dataset`, once it is ready in the process that has it.

    TensorFlow makes it there in the order of what it is asked for, but runs a step without waiting for that.
    """
    iterator: Iterator[tuple[tf.Tensor, tf.Tensor]] = iter(dataset)
    tf.fill([], 0).numpy()
    return iterator


def _resident(batch: tuple[tf.Tensor, tf.Tensor]) -> TowerInput:
    return lambda: batch


def _reading(iterator: Iterator[tuple[tf.Tensor, tf.Tensor]]) -> TowerInput:
    return lambda: next(iterator)
