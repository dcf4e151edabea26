"""The input pipeline of CIFAR-10: batches of training images from TFRecord files, prepared a whole batch at a time.

Augmentation is that of the ResNet paper (He et al. 2015, section 4.2): four pixels of zeros on each side, a random
32x32 crop of the image or its mirror image. Then each image gets mean 0 and variance 1.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import tensorflow as tf

from benchmarks.inputs.image_spec import ImageSpec
from benchmarks.inputs.pipeline_options import DEFAULTS, SHUFFLE_BUFFERS, PipelineOptions
from benchmarks.inputs.pipelines import held_ready, kept, numbered

FEATURES = {
    "image": tf.io.FixedLenFeature([], tf.string),
    "label": tf.io.FixedLenFeature([], tf.int64),
}
SIZE = 32
PADDING = 4
_OFFSETS = 2 * PADDING + 1


def dataset(
    path: Path,
    spec: ImageSpec,
    *,
    tower: int,
    num_towers: int,
    seed: int,
    distortions: bool,
    options: PipelineOptions = DEFAULTS,
) -> tf.data.Dataset:
    """Endless batches of (images as `spec` says, int32 labels) for `tower` of `num_towers`, made on the CPU.

    Towers share the records among them: none is seen twice in an epoch. The same seed gives the same batches.
    """
    found = stages(path, spec, tower=tower, num_towers=num_towers, seed=seed, distortions=distortions, options=options)
    return held_ready(found["prepare"], options)


def stages(
    path: Path,
    spec: ImageSpec,
    *,
    tower: int,
    num_towers: int,
    seed: int,
    distortions: bool,
    options: PipelineOptions,
) -> dict[str, tf.data.Dataset]:
    """The pipeline of `dataset` up to the end of each of its stages, by the stage's name, in their order.

    Every element is a batch.
    """
    assert (spec.height, spec.width) == (SIZE, SIZE), f"CIFAR-10 has images of 32x32, not {spec.height}x{spec.width}"

    drawn = partial(draw, spec.batch_size, seed=seed, tower=tower) if distortions else lambda **_: ()

    def prepare(step: tf.Tensor, pixels: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return prepared(pixels, labels, *drawn(step=step), spec=spec)

    def decode_and_prepare(step: tf.Tensor, records: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return prepare(step, *decode(records))

    def in_batches(examples: tf.data.Dataset) -> tf.data.Dataset:
        shuffled = examples.shuffle(SHUFFLE_BUFFERS["cifar10"], seed=seed + tower).repeat()
        return shuffled.batch(spec.batch_size, drop_remainder=True)

    # The number of a batch seeds its augmentation.
    records = kept(tf.data.TFRecordDataset(str(path)).shard(num_towers, tower), options)
    if options.decoded:
        images = in_batches(records.batch(spec.batch_size).map(decode).unbatch().cache())
        return {"take from memory and batch": images, "prepare": numbered(images, prepare, options.passed_over)}
    batches = in_batches(records)
    return {
        "read and batch": batches,
        "decode": batches.map(decode, num_parallel_calls=tf.data.AUTOTUNE),
        "prepare": numbered(batches, decode_and_prepare, options.passed_over),
    }


def unprepared(
    path: Path,
    spec: ImageSpec,
    *,
    tower: int,
    num_towers: int,
    seed: int,
    distortions: bool,
    options: PipelineOptions = DEFAULTS,
) -> tf.data.Dataset:
    """The batches of `dataset` as `prepared` takes them: the pixels as they are stored, and what was drawn for them.

    Numbers are drawn here, on the CPU, so that the images are the same wherever they are prepared; as int64, with which
    a GPU calculates by itself, where int32 is left to the host.
    """
    found = stages(path, spec, tower=tower, num_towers=num_towers, seed=seed, distortions=distortions, options=options)
    decoded = found["take from memory and batch" if options.decoded else "decode"]

    def with_choice(step: tf.Tensor, pixels: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, ...]:
        if not distortions:
            return pixels, labels
        rows, columns, mirrored = draw(spec.batch_size, seed=seed, tower=tower, step=step)
        return pixels, labels, tf.cast(rows, tf.int64), tf.cast(columns, tf.int64), mirrored

    return held_ready(numbered(decoded, with_choice, options.passed_over), options)


def prepared(pixels: tf.Tensor, labels: tf.Tensor, *choice: tf.Tensor, spec: ImageSpec) -> tuple[tf.Tensor, tf.Tensor]:
    """Images as `spec` says of `pixels`, uint8 [batch, 3, 32, 32], augmented by a `choice` of `draw`; and `labels`."""
    images = tf.cast(pixels, tf.float32)
    if choice:
        images = crop_and_flip(images, *choice)
    return laid_out(standardised(images), spec), labels


def decode(records: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Images, uint8 [batch, 3, 32, 32], and int32 labels [batch] of serialised examples."""
    examples = tf.io.parse_example(records, FEATURES)
    pixels = tf.io.decode_raw(examples["image"], tf.uint8)
    return tf.reshape(pixels, [records.shape[0] or -1, 3, SIZE, SIZE]), tf.cast(examples["label"], tf.int32)


def draw(batch_size: int, *, seed: int, tower: int, step: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """The random part of augmentation: the crops' rows and columns, 0 to 8, and which are mirrored; each [batch]."""
    tower_seed = tf.random.experimental.stateless_fold_in(tf.constant([seed, tower], tf.int64), tf.cast(step, tf.int64))
    choice = tf.random.stateless_uniform([batch_size], tower_seed, 0, 2 * _OFFSETS**2, tf.int32)
    return choice // 2 % _OFFSETS, choice // (2 * _OFFSETS), choice % 2 == 1


def crop_and_flip(images: tf.Tensor, rows: tf.Tensor, columns: tf.Tensor, mirrored: tf.Tensor) -> tf.Tensor:
    """Crops of the padded `images` [batch, 3, 32, 32] that begin at `rows` and `columns`, mirrored where told.

    A crop selects rows and columns, so it is a product with a matrix of zeros and ones on either side: exact for pixel
    values, and half the time of gathering or of tf.image's transformations. What lies in the padding is selected by no
    one, and so is zero.
    """
    pixel = tf.range(SIZE, dtype=rows.dtype)
    row = rows[:, None] - PADDING + pixel
    column = columns[:, None] - PADDING + tf.where(mirrored[:, None], SIZE - 1 - pixel, pixel)
    select_rows = tf.one_hot(row, SIZE)[:, None]  # [batch, 1, row out, row in]
    select_columns = tf.one_hot(column, SIZE, axis=1)[:, None]  # [batch, 1, column in, column out]
    return tf.matmul(tf.matmul(select_rows, images), select_columns)


def standardised(images: tf.Tensor) -> tf.Tensor:
    """Each of `images` [batch, ...] with mean 0 and variance 1, in float32; an even image stays finite.

    The definition is that of tf.image.per_image_standardization: the deviation counts as at least 1/sqrt(values).
    """
    axes = list(range(1, images.shape.rank))
    centred = images - tf.reduce_mean(images, axes, keepdims=True)
    variance = tf.reduce_mean(tf.square(centred), axes, keepdims=True)
    return centred * tf.math.rsqrt(tf.maximum(variance, 1.0 / images.shape[1:].num_elements()))


def laid_out(images: tf.Tensor, spec: ImageSpec) -> tf.Tensor:
    """`images` [batch, 3, 32, 32] in the type and layout of `spec`."""
    images = tf.cast(images, tf.as_dtype(spec.dtype))
    return images if spec.data_format == "NCHW" else tf.transpose(images, [0, 2, 3, 1])
