"""The images to evaluate on: each exactly once, none augmented, shared among the towers."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import tensorflow as tf

from benchmarks.inputs import cifar10_images, cifar10_records, imagenet_images, imagenet_records, shards
from benchmarks.inputs.image_spec import ImageSpec
from benchmarks.inputs.imagenet_images import Preparation
from benchmarks.inputs.imagenet_reading import Shards
from benchmarks.inputs.pipeline_options import DEFAULTS
from benchmarks.inputs.pipelines import held_ready, numbered
from benchmarks.inputs.record_errors import way_out
from benchmarks.inputs.sources import image_spec, preparation_of
from benchmarks.params import ResolvedParams

CIFAR10_FILE = "validation.tfrecords"
NO_IMAGE = -1  # the label of what fills up a batch


@dataclass(frozen=True)
class EvaluationImages:
    """What an evaluation reads.

    `files` is where the images are, `examples` how many there are, None where only reading them would tell. `dataset`
    makes a tower's batches from the keywords `tower` and `num_towers`: (images, int32 labels), all of one size. The
    last is filled up with images of label NO_IMAGE, and followed by batches of nothing else, for ever.
    """

    files: str
    examples: int | None
    dataset: Callable[..., tf.data.Dataset]


def open_evaluation(params: ResolvedParams, image_size: int) -> EvaluationImages:
    """The evaluation images in the data directory of `params`. Raises UserError where they cannot be used."""
    assert params.data_dir is not None, "a rule says that evaluations need images"
    folder, spec = Path(params.data_dir), image_spec(params, image_size)
    spec = dataclasses.replace(spec, batch_size=params.eval_batch_size or spec.batch_size)
    if params.data_name == "cifar10":
        examples = cifar10_records.verify(folder, CIFAR10_FILE).examples
        return EvaluationImages(CIFAR10_FILE, examples, partial(_cifar10, folder / CIFAR10_FILE, spec))
    preparation = dataclasses.replace(preparation_of(params), distortions=False)
    images = Shards(shards.find(folder, shards.VALIDATION, way_out("imagenet", folder)))
    verified = imagenet_records.verify(folder, shards.VALIDATION)
    return EvaluationImages(shards.VALIDATION, verified.examples, partial(_imagenet, images, spec, preparation))


def _cifar10(path: Path, spec: ImageSpec, *, tower: int, num_towers: int) -> tf.data.Dataset:
    def prepare(records: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        pixels, labels = cifar10_images.decode(records)
        images = cifar10_images.standardised(tf.cast(pixels, tf.float32))
        return cifar10_images.laid_out(images, spec), labels

    batches = tf.data.TFRecordDataset(str(path)).shard(num_towers, tower).batch(spec.batch_size)
    return _filled_up(batches.map(prepare, num_parallel_calls=tf.data.AUTOTUNE), spec)


def _imagenet(
    images: Shards, spec: ImageSpec, preparation: Preparation, *, tower: int, num_towers: int
) -> tf.data.Dataset:
    """Images that cannot be decoded are left out; whoever counts the others knows how many."""
    unused = tf.zeros([2], tf.int64)  # the seed of what is drawn for training

    def prepare(number: tf.Tensor, *element: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        record = images.record(*element)
        pixels, decoded = imagenet_images.pixels_or_nothing(record, preparation, unused, tf.no_op)
        image = imagenet_images.finished(pixels, preparation, spec.height, spec.width, number, [unused, unused])
        label = record.label if preparation.background_class else record.label - 1
        return imagenet_images.laid_out(image, spec), label, decoded

    records = images.share(tower, num_towers, 0, DEFAULTS)
    prepared = numbered(records, prepare).filter(imagenet_images.is_decoded)
    batches = prepared.map(lambda *parts: parts[:2]).batch(spec.batch_size)
    return _filled_up(batches, spec)


def _filled_up(batches: tf.data.Dataset, spec: ImageSpec) -> tf.data.Dataset:
    """`batches`, all of the size that `spec` says, then empty ones: towers with fewer have as many as others."""

    def fill_up(images: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        missing = spec.batch_size - tf.shape(labels)[0]
        images = tf.pad(images, [[0, missing], *([[0, 0]] * 3)])
        labels = tf.pad(labels, [[0, missing]], constant_values=NO_IMAGE)
        return tf.ensure_shape(images, spec.shape), tf.ensure_shape(labels, [spec.batch_size])

    nothing = tf.zeros(spec.shape, tf.as_dtype(spec.dtype)), tf.fill([spec.batch_size], NO_IMAGE)
    empty = tf.data.Dataset.from_tensors(nothing).repeat()
    return held_ready(batches.map(fill_up).concatenate(empty), DEFAULTS)
