"""The input pipeline of ImageNet: batches of images from shards, prepared one by one on the CPU.

To train: a random window, mirrored or not, brought to the model's size, with distorted colours. To evaluate, and to
train without distortions: the middle of the image. Values are -1 to 1, as Inception's; with the preparation of the
official ResNet they are 0 to 255 less the mean of each channel.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from benchmarks.inputs import color_distortion, image_windows
from benchmarks.inputs.image_spec import ImageSpec
from benchmarks.inputs.imagenet_reading import Images
from benchmarks.inputs.imagenet_records import Record
from benchmarks.inputs.pipeline_options import DEFAULTS, SHUFFLE_BUFFERS, PipelineOptions
from benchmarks.inputs.pipelines import held_ready, kept, numbered
from benchmarks.inputs.skipped_images import SkippedImages

CHANNEL_MEANS = (123.68, 116.78, 103.94)  # of ImageNet's images: what the official ResNet subtracts
_BEYOND = ("bicubic", "round_robin")  # methods of resizing whose values go beyond those of the pixels


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
    images: Images,
    spec: ImageSpec,
    preparation: Preparation,
    skipped: SkippedImages,
    *,
    tower: int,
    num_towers: int,
    seed: int,
    options: PipelineOptions = DEFAULTS,
) -> tf.data.Dataset:
    """Endless batches of (images as `spec` says, int32 labels) for `tower` of `num_towers`, made on the CPU.

    Towers share the `images` among them: none is seen by two, nor twice by one before all of its share were. The same
    seed gives the same batches. Images that cannot be decoded are left out, and counted by `skipped`.
    """
    found = stages(images, spec, preparation, skipped, tower=tower, num_towers=num_towers, seed=seed, options=options)
    return held_ready(found["batch"], options)


def stages(
    images: Images,
    spec: ImageSpec,
    preparation: Preparation,
    skipped: SkippedImages,
    *,
    tower: int,
    num_towers: int,
    seed: int,
    options: PipelineOptions,
) -> dict[str, tf.data.Dataset]:
    """The pipeline of `dataset` up to the end of each of its stages, by the stage's name, in their order.

    An element is one image, but after "batch".
    """
    seeds, count = _seeds(seed, tower), skipped.counter()

    def decode(number: tf.Tensor, *element: Any) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        record = images.record(*element)
        label = record.label if preparation.background_class else record.label - 1
        pixels, decoded = pixels_or_nothing(
            record, preparation, seeds(number)[0], lambda: count(images.name(record), record.data)
        )
        return pixels, label, decoded

    def prepare(
        number: tf.Tensor, pixels: tf.Tensor, label: tf.Tensor, decoded: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        image = finished(pixels, preparation, spec.height, spec.width, number, seeds(number)[1:])
        return laid_out(image, spec), label, decoded

    def drawn(examples: tf.data.Dataset) -> tf.data.Dataset:
        return examples.shuffle(SHUFFLE_BUFFERS["imagenet"], seed=seed + tower).repeat()

    passed_over = options.passed_over * spec.batch_size
    records = kept(images.share(tower, num_towers, seed + tower, options), options)
    if options.decoded:
        read = drawn(numbered(records, decode).filter(is_decoded).cache())
        prepared = numbered(read, prepare, passed_over)
        found = {"take from memory": read}
    else:
        read = drawn(records)
        prepared = numbered(
            read, lambda number, *element: prepare(number, *decode(number, *element)), passed_over
        ).filter(is_decoded)
        found = {"read": read, "decode": numbered(read, decode)}
    prepared = prepared.map(lambda image, label, _: (image, label))
    return {**found, "prepare": prepared, "batch": prepared.batch(spec.batch_size, drop_remainder=True)}


def is_decoded(image: tf.Tensor, label: tf.Tensor, decoded: tf.Tensor) -> tf.Tensor:
    """Whether to keep an image: a filter of (image, label, decoded)."""
    del image, label
    return decoded


def laid_out(image: tf.Tensor, spec: ImageSpec) -> tf.Tensor:
    """`image` [height, width, 3] in the type and layout of `spec`."""
    image = tf.cast(image, tf.as_dtype(spec.dtype))
    return tf.transpose(image, [2, 0, 1]) if spec.data_format == "NCHW" else image


def _seeds(seed: int, tower: int) -> Callable[[tf.Tensor], list[tf.Tensor]]:
    """A function from an image's number to the three seeds of what is drawn for it."""

    def of(number: tf.Tensor) -> list[tf.Tensor]:
        own_seed = tf.random.experimental.stateless_fold_in(tf.constant([seed, tower], tf.int64), number)
        seeds: list[tf.Tensor] = tf.unstack(tf.random.experimental.stateless_split(own_seed, 3))
        return seeds

    return of


def pixels_or_nothing(
    record: Record, preparation: Preparation, seed: tf.Tensor, on_failure: Callable[[], tf.Operation]
) -> tuple[tf.Tensor, tf.Tensor]:
    """The used part of the image, uint8 [height, width, 3], and true; or, if it cannot be decoded, a pixel and false.

    Only a data set can go on after an operation has failed, so the image is decoded in one of a single element. Another
    follows it, which does what `on_failure` makes; it is begun only where the first has failed.
    """

    def cut_out(data: tf.Tensor, *boxes: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        shape = tf.io.extract_jpeg_shape(data)
        if preparation.distortions:
            window = image_windows.random_window(shape, boxes, seed)
        else:
            square = preparation.official or preparation.resize_method == "crop"
            window = image_windows.central_window(shape, square=square)
        return image_windows.cut_out(data, window, fused=preparation.fuse_decode_and_crop), True

    def left_out(_: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.control_dependencies([on_failure()]):
            return tf.zeros([1, 1, 3], tf.uint8), tf.constant(False)

    attempt = tf.data.Dataset.from_tensors((record.data, *record.boxes)).map(cut_out).ignore_errors()
    nothing = tf.data.Dataset.from_tensors(0).map(left_out)
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
        pixels = tf.cond(mirrored, lambda: tf.reverse(pixels, [1]), lambda: pixels)  # a slice of step -1 takes 2 ms
    image = image_windows.resized(pixels, height, width, method, number)
    if preparation.official:
        rows = tf.reshape(image, [height, -1]) - CHANNEL_MEANS * width  # whole rows: a tenth of the time of threes
        return tf.reshape(rows, [height, width, 3])
    if method in _BEYOND:
        image = tf.clip_by_value(image, 0.0, 255.0)
    if not preparation.distortions:
        return image * (2.0 / 255.0) - 1.0
    image, change = image / 255.0, color_distortion.draw(seeds[1])
    if preparation.distort_color_in_yiq:
        image = color_distortion.in_yiq(image, change)
    else:
        image = color_distortion.in_hsv(image, change, contrast_first=number % 2 == 1)
    return image * 2.0 - 1.0
