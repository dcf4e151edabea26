"""The input pipeline of ImageNet: batches of images from shards, prepared one by one on the CPU.

To train: a random window, mirrored or not, brought to the model's size, with distorted colours. To evaluate, and to
train without distortions: the middle of the image. Values are -1 to 1, as Inception's; with the preparation of the
official ResNet they are 0 to 255 less the mean of each channel.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import tensorflow as tf

from benchmarks.inputs import color_distortion, image_windows, imagenet_records
from benchmarks.inputs.image_spec import ImageSpec
from benchmarks.inputs.imagenet_records import Record
from benchmarks.inputs.skipped_images import SkippedImages

CHANNEL_MEANS = (123.68, 116.78, 103.94)  # of ImageNet's images: what the official ResNet subtracts
_FILES_AT_ONCE = 8  # that are read in turn: neighbours in a batch come from several files
# Records that the next one is drawn from, about 0.1 GB; images were put into shards at random, so more is not needed.
_SHUFFLE_BUFFER = 1024


@dataclass(frozen=True)
class Preparation:
    """What is done to an image; the words are those of the options of the same names.

    `distortions` are those of training; with `background_class` labels stay 1 to 1000, else they become 0 to 999.
    """

    distortions: bool = True
    input_preprocessor: str = "default"
    resize_method: str = "bilinear"
    fuse_decode_and_crop: bool = True
    distort_color_in_yiq: bool = True
    background_class: bool = False

    @property
    def official(self) -> bool:
        """Whether images are prepared as the official ResNet's."""
        return self.input_preprocessor == "official_models_imagenet"


def dataset(
    shards: Sequence[Path],
    spec: ImageSpec,
    preparation: Preparation,
    skipped: SkippedImages,
    *,
    tower: int,
    num_towers: int,
    seed: int,
    prefetch: int | None = None,
    private_threads: int | None = None,
) -> tf.data.Dataset:
    """Endless batches of (images as `spec` says, int32 labels) for `tower` of `num_towers`, made on the CPU.

    Towers share the records among them: none is seen by two, nor twice by one before all of its share were. The same
    seed gives the same batches. Images that cannot be decoded are left out, and counted by `skipped`. `prefetch` is the
    number of batches held ready (None: as TensorFlow finds good); `private_threads` gives the pipeline threads of its
    own.
    """
    prepare = _preparer(spec, preparation, seed, tower)
    records = _share(shards, tower, num_towers, seed + tower).shuffle(_SHUFFLE_BUFFER, seed=seed + tower).repeat()
    # The record's number seeds its augmentation, so parallel calls give the same images in any order of execution.
    images = records.enumerate().map(prepare, num_parallel_calls=tf.data.AUTOTUNE)
    images = images.filter(skipped.keep_and_count()).map(lambda image, label, _: (image, label))
    batches = images.batch(spec.batch_size, drop_remainder=True)
    if prefetch != 0:
        batches = batches.prefetch(tf.data.AUTOTUNE if prefetch is None else prefetch)
    options = tf.data.Options()
    if private_threads:
        options.threading.private_threadpool_size = private_threads
    return batches.with_options(options)


def _share(shards: Sequence[Path], tower: int, num_towers: int, seed: int) -> tf.data.Dataset:
    """The records of `tower`, in an order of the files that is drawn anew every epoch.

    Each tower has as many files as the others for itself. Those that are left over are read by all as one stream, of
    which each takes its share of the records: so a file more or less makes no tower's images come more often.
    """
    own = len(shards) - len(shards) % num_towers
    streams = [(file, file + 1, 1, 0) for file in range(tower, own, num_towers)]
    if own < len(shards):
        streams.append((own, len(shards), num_towers, tower))
    paths = tf.constant([str(path) for path in shards])

    def records(first: tf.Tensor, end: tf.Tensor, parts: tf.Tensor, part: tf.Tensor) -> tf.data.Dataset:
        return tf.data.TFRecordDataset(paths[first:end]).shard(parts, part)

    # Columns, so that shard() is given arguments: TensorFlow crashes if it is given outputs of an operation.
    columns = tuple(tf.constant(column, tf.int64) for column in zip(*streams, strict=True))
    drawn = tf.data.Dataset.from_tensor_slices(columns).shuffle(len(streams), seed=seed)
    return drawn.interleave(records, cycle_length=_FILES_AT_ONCE)


def _preparer(
    spec: ImageSpec, preparation: Preparation, seed: int, tower: int
) -> Callable[[tf.Tensor, tf.Tensor], tuple[tf.Tensor, tf.Tensor, tf.Tensor]]:
    """A function from a record's number and bytes to image, label, and whether the image could be decoded."""

    def prepare(number: tf.Tensor, serialised: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        record = imagenet_records.parse(serialised)
        own_seed = tf.random.experimental.stateless_fold_in(tf.constant([seed, tower], tf.int64), number)
        seeds = tf.unstack(tf.random.experimental.stateless_split(own_seed, 3))
        pixels, decoded = pixels_or_nothing(record, preparation, seeds[0])
        image = finished(pixels, preparation, spec.height, spec.width, number, seeds[1:])
        image = tf.cast(image, tf.as_dtype(spec.dtype))
        if spec.data_format == "NCHW":
            image = tf.transpose(image, [2, 0, 1])
        return image, record.label if preparation.background_class else record.label - 1, decoded

    return prepare


def pixels_or_nothing(record: Record, preparation: Preparation, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """The used part of the image, uint8 [height, width, 3], and true; or, if it cannot be decoded, a pixel and false.

    Only a data set can go on after an operation has failed, so the image is decoded in one of a single element.
    """

    def cut_out(data: tf.Tensor, *boxes: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        shape = tf.io.extract_jpeg_shape(data)
        if preparation.distortions:
            window = image_windows.random_window(shape, boxes, seed)
        else:
            square = preparation.official or preparation.resize_method == "crop"
            window = image_windows.central_window(shape, square=square)
        return image_windows.cut_out(data, window, fused=preparation.fuse_decode_and_crop), True

    attempt = tf.data.Dataset.from_tensors((record.data, *record.boxes)).map(cut_out).ignore_errors()
    nothing = tf.data.Dataset.from_tensors((tf.zeros([1, 1, 3], tf.uint8), False))
    pixels, decoded = attempt.concatenate(nothing).take(1).get_single_element()
    return pixels, decoded


def finished(
    pixels: tf.Tensor,
    preparation: Preparation,
    height: int,
    width: int,
    number: tf.Tensor,
    seeds: Sequence[tf.Tensor],
) -> tf.Tensor:
    """The image of `pixels` as a model gets it: float32 [height, width, 3].

    `number` chooses what is done in turn, and the two `seeds` (int64 [2]) draw mirroring and colours.
    """
    method = "bilinear" if preparation.official or preparation.resize_method == "crop" else preparation.resize_method
    if preparation.distortions:
        mirrored = tf.random.stateless_uniform([], seeds[0]) < 0.5
        pixels = tf.cond(mirrored, lambda: pixels[:, ::-1], lambda: pixels)
    image = image_windows.resized(pixels, height, width, method, number)
    if preparation.official:
        return image - CHANNEL_MEANS
    image = tf.clip_by_value(image / 255.0, 0.0, 1.0)  # bicubic goes beyond
    if preparation.distortions:
        change = color_distortion.draw(seeds[1])
        if preparation.distort_color_in_yiq:
            image = color_distortion.in_yiq(image, change)
        else:
            image = color_distortion.in_hsv(image, change, contrast_first=number % 2 == 1)
    return image * 2.0 - 1.0
