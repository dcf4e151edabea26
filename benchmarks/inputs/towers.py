"""The input of each tower: a function that a step calls, while it is traced, for the next images and labels."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

import tensorflow as tf

from benchmarks.inputs import cifar10_images, cifar10_records, imagenet_images, synthetic
from benchmarks.inputs.feed import Feed
from benchmarks.inputs.image_spec import ImageSpec
from benchmarks.inputs.imagenet_images import Preparation
from benchmarks.inputs.imagenet_reading import Images
from benchmarks.inputs.pipeline_options import DEFAULTS, PipelineOptions
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
    options: PipelineOptions = DEFAULTS,
) -> list[TowerInput]:
    """Inputs that read train.tfrecords in `data_dir`, one for each of `towers`, on the machine that has its device."""
    path = cifar10_records.find(data_dir, "train.tfrecords")
    dataset = partial(cifar10_images.dataset, path, spec, num_towers=towers.total, seed=seed, distortions=distortions)
    return reading_towers(towers, dataset, options)


def imagenet_towers(
    images: Images,
    spec: ImageSpec,
    towers: TowerGroup,
    seed: int,
    preparation: Preparation,
    skipped: SkippedImages,
    *,
    options: PipelineOptions = DEFAULTS,
) -> list[TowerInput]:
    """Inputs that read `images` to train on, one for each of `towers`, on the machine that has its device."""
    dataset = partial(imagenet_images.dataset, images, spec, preparation, skipped, num_towers=towers.total, seed=seed)
    return reading_towers(towers, dataset, options)


def reading_towers(
    towers: TowerGroup, dataset: Callable[..., tf.data.Dataset], options: PipelineOptions
) -> list[TowerInput]:
    """Inputs from `dataset` of a tower's number and of options, on the CPU beside the tower's device."""
    inputs = []
    for tower, device in towers:
        with _host_of(device):
            inputs.append(_reading(begun(on_device(partial(dataset, tower=tower), device, options))))
    return inputs


def fed_towers(
    towers: TowerGroup, dataset: Callable[..., tf.data.Dataset], options: PipelineOptions
) -> list[TowerInput]:
    """Inputs from `dataset`, as above, that Python hands to the step as NumPy arrays."""
    return [Feed(dataset(tower=tower, options=options)) for tower, _ in towers]


def prepared_by_step(
    inputs: Sequence[Callable[[], tuple[tf.Tensor, ...]]], prepare: Callable[..., tuple[tf.Tensor, tf.Tensor]]
) -> list[TowerInput]:
    """Inputs of which the step itself, on each tower's device, prepares what `inputs` give it."""

    def one(unprepared: Callable[[], tuple[tf.Tensor, ...]]) -> TowerInput:
        return lambda: prepare(*unprepared())

    return [one(each) for each in inputs]


def _host_of(device: str) -> AbstractContextManager[object]:
    """Where to make the images for `device`: the CPU of its machine."""
    spec = tf.DeviceSpec.from_string(device)
    if spec.job is None:
        return contextlib.nullcontext()
    cpu: AbstractContextManager[object] = tf.device(spec.replace(device_type="CPU", device_index=0).to_string())
    return cpu


def on_device(dataset: Callable[..., tf.data.Dataset], device: str, options: PipelineOptions) -> tf.data.Dataset:
    """`dataset` of options, with its batches copied ahead to a GPU; logical CPU devices share the host's memory."""
    if not is_gpu(device):
        return dataset(options=options)
    on_host = dataset(options=options.on_host_of_gpu())
    return on_host if options.prefetch == 0 else copied_ahead(on_host, device, options.prefetch or _BATCHES_ON_DEVICE)


def copied_ahead(dataset: tf.data.Dataset, device: str, batches: int = _BATCHES_ON_DEVICE) -> tf.data.Dataset:
    """`dataset`, made on the CPU of the machine that has `device`, with `batches` copied ahead to `device`.

    That may be one of another process: the CPU that TensorFlow copies from is the one beside `device`.
    """
    return dataset.apply(tf.data.experimental.prefetch_to_device(device, batches))


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
