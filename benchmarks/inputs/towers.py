"""The input of each tower: a function that a step calls, while it is traced, for the next images and labels."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import tensorflow as tf

from benchmarks.inputs import cifar10_images, cifar10_records, synthetic
from benchmarks.inputs.image_spec import ImageSpec

__all__ = ["ImageSpec", "TowerInput", "cifar10_towers", "synthetic_towers"]

# Called under the tower's device while the step is traced; returns the (images, labels) that each step then gets anew.
TowerInput = Callable[[], tuple[tf.Tensor, tf.Tensor]]

_BATCHES_ON_DEVICE = 2  # one in use, one under way


def synthetic_towers(spec: ImageSpec, num_classes: int, devices: Sequence[str], seed: int) -> list[TowerInput]:
    """Inputs that return the same resident batch at each step, one for each of `devices`."""
    return [_resident(batch) for batch in synthetic.batches(spec, num_classes, devices, seed)]


def cifar10_towers(
    data_dir: str | Path,
    spec: ImageSpec,
    devices: Sequence[str],
    seed: int,
    *,
    distortions: bool,
    prefetch: int | None = None,
    private_threads: int | None = None,
) -> list[TowerInput]:
    """Inputs that read train.tfrecords in `data_dir`, one for each of `devices`.

    The options are those of cifar10_images.dataset.
    """
    path = cifar10_records.find(data_dir, "train.tfrecords")
    datasets = [
        cifar10_images.dataset(
            path,
            spec,
            tower=tower,
            num_towers=len(devices),
            seed=seed,
            distortions=distortions,
            prefetch=prefetch,
            private_threads=private_threads,
        )
        for tower in range(len(devices))
    ]
    return [_reading(iter(_on_device(each, device))) for each, device in zip(datasets, devices, strict=True)]


def _on_device(dataset: tf.data.Dataset, device: str) -> tf.data.Dataset:
    """`dataset` with its batches copied ahead to a GPU; logical CPU devices share the host's memory."""
    if tf.DeviceSpec.from_string(device).device_type != "GPU":
        return dataset
    return dataset.apply(tf.data.experimental.prefetch_to_device(device, _BATCHES_ON_DEVICE))


def _resident(batch: tuple[tf.Tensor, tf.Tensor]) -> TowerInput:
    return lambda: batch


def _reading(iterator: Iterator[tuple[tf.Tensor, tf.Tensor]]) -> TowerInput:
    return lambda: next(iterator)
