"""The input of each tower: a function that a step calls, while it is traced, for the next images and labels."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import tensorflow as tf

from benchmarks.inputs import cifar10_images, cifar10_records, synthetic
from benchmarks.inputs.image_spec import ImageSpec

__all__ = ["ImageSpec", "TowerInput", "cifar10_towers", "synthetic_towers"]

# Called under the tower's device while the step is traced; returns the (images, labels) that each step then gets anew.
TowerInput = Callable[[], tuple[tf.Tensor, tf.Tensor]]

_BATCHES_ON_DEVICE = 2  # one in use, one under way


def synthetic_towers(
    spec: ImageSpec,
    num_classes: int,
    devices: Sequence[str],
    seed: int,
    *,
    first_tower: int = 0,
    num_towers: int | None = None,
) -> list[TowerInput]:
    """Inputs that return the same resident batch at each step, one for each of `devices`.

    These are all towers, or the ones from number `first_tower` on of `num_towers`.
    """
    batches = synthetic.batches(spec, num_classes, devices, seed, first_tower=first_tower, num_towers=num_towers)
    return [_resident(batch) for batch in batches]


def cifar10_towers(
    data_dir: str | Path,
    spec: ImageSpec,
    devices: Sequence[str],
    seed: int,
    *,
    distortions: bool,
    prefetch: int | None = None,
    private_threads: int | None = None,
    first_tower: int = 0,
    num_towers: int | None = None,
) -> list[TowerInput]:
    """Inputs that read train.tfrecords in `data_dir`, one for each of `devices`, on the machine that has it.

    These are all towers, or the ones from number `first_tower` on of `num_towers`. The other options are those of
    cifar10_images.dataset.
    """
    path = cifar10_records.find(data_dir, "train.tfrecords")
    inputs = []
    for tower, device in enumerate(devices, first_tower):
        with _host_of(device):
            dataset = cifar10_images.dataset(
                path,
                spec,
                tower=tower,
                num_towers=num_towers or len(devices),
                seed=seed,
                distortions=distortions,
                prefetch=prefetch,
                private_threads=private_threads,
            )
            inputs.append(_reading(iter(_on_device(dataset, device))))
    return inputs


def _host_of(device: str) -> AbstractContextManager[object]:
    """Where to make the images for `device`: the CPU of its machine."""
    spec = tf.DeviceSpec.from_string(device)
    if spec.job is None:
        return contextlib.nullcontext()
    cpu: AbstractContextManager[object] = tf.device(spec.replace(device_type="CPU", device_index=0).to_string())
    return cpu


def _on_device(dataset: tf.data.Dataset, device: str) -> tf.data.Dataset:
    """`dataset` with its batches copied ahead to a GPU of this process; logical CPU devices share the host's memory."""
    spec = tf.DeviceSpec.from_string(device)
    if spec.device_type != "GPU" or spec.job is not None:
        return dataset
    return dataset.apply(tf.data.experimental.prefetch_to_device(device, _BATCHES_ON_DEVICE))


def _resident(batch: tuple[tf.Tensor, tf.Tensor]) -> TowerInput:
    return lambda: batch


def _reading(iterator: Iterator[tuple[tf.Tensor, tf.Tensor]]) -> TowerInput:
    return lambda: next(iterator)
