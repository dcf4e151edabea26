"""One side of `benchmarks.studies.input_speed`, in a process of its own: how fast it makes batches, or converts.

Its last line is JSON: images_per_second, and first_seconds, from the beginning to the first batch.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import pickle
import shutil
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmarks.inputs import cifar10_archive, cifar10_conversion, shards
from benchmarks.inputs.datasets import DATASETS
from benchmarks.inputs.image_spec import ImageSpec
from benchmarks.inputs.pipeline_options import FILES_AT_ONCE, PipelineOptions

if TYPE_CHECKING:
    import tensorflow as tf

WARM_UP_SECONDS = 3.0  # in which the buffer of the shuffle fills and TensorFlow finds its settings
ONE_TOWER: dict[str, Any] = {"tower": 0, "num_towers": 1, "seed": 0}
# Windows at random without distorted colours: those are no part of the comparison.
AT_RANDOM: dict[str, Any] = {"distortions": True, "input_preprocessor": "official_models_imagenet"}


class Told(NamedTuple):
    """What a side found."""

    images_per_second: float
    first_seconds: float


def cifar10(options: argparse.Namespace) -> tf.data.Dataset:
    """The pipeline of a run on CIFAR-10, with augmentation."""
    from benchmarks.inputs import cifar10_images

    file = options.data_dir / DATASETS["cifar10"].files[0]
    return cifar10_images.dataset(
        file, ImageSpec(options.batch_size, 32, 32), **ONE_TOWER, distortions=True, options=_pipeline_options(options)
    )


def imagenet(options: argparse.Namespace, **preparation: Any) -> tf.data.Dataset:
    """The pipeline of a run on ImageNet, which prepares images as `preparation` says."""
    from benchmarks.inputs import imagenet_images
    from benchmarks.inputs.imagenet_images import Preparation
    from benchmarks.inputs.imagenet_reading import Shards
    from benchmarks.inputs.skipped_images import SkippedImages

    return imagenet_images.dataset(
        Shards.in_folder(options.data_dir),
        ImageSpec(options.batch_size, 224, 224),
        Preparation(**preparation),
        SkippedImages(0),
        **ONE_TOWER,
        options=_pipeline_options(options),
    )


def _pipeline_options(options: argparse.Namespace) -> PipelineOptions:
    return PipelineOptions(
        prefetch=options.prefetch, private_threads=options.private_threads, files_at_once=options.files_at_once
    )


def plain_cifar10(options: argparse.Namespace) -> tf.data.Dataset:
    """The same as tf.data's guides would write it: a map of single images, and every setting as it comes."""
    import tensorflow as tf

    features = {"image": tf.io.FixedLenFeature([], tf.string), "label": tf.io.FixedLenFeature([], tf.int64)}

    def prepare(record: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        example = tf.io.parse_single_example(record, features)
        pixels = tf.reshape(tf.io.decode_raw(example["image"], tf.uint8), [3, 32, 32])
        image = tf.cast(tf.transpose(pixels, [1, 2, 0]), tf.float32)
        image = tf.image.random_crop(tf.image.resize_with_crop_or_pad(image, 40, 40), [32, 32, 3])
        image = tf.image.random_flip_left_right(image)
        return tf.image.per_image_standardization(image), tf.cast(example["label"], tf.int32)

    records = tf.data.TFRecordDataset(str(options.data_dir / DATASETS["cifar10"].files[0]))
    return records.shuffle(50_000).repeat().map(prepare).batch(options.batch_size).prefetch(tf.data.AUTOTUNE)


def bare_imagenet(options: argparse.Namespace, *, at_random: bool) -> tf.data.Dataset:
    """The same windows of the same images: decoded, cut and resized, and nothing else."""
    import tensorflow as tf

    from benchmarks.inputs import image_windows
    from benchmarks.inputs.imagenet_records import parse

    def prepare(number: tf.Tensor, serialised: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        record = parse(serialised)
        shape = tf.io.extract_jpeg_shape(record.data)
        if at_random:
            window = image_windows.random_window(shape, record.boxes, tf.stack([number, 0]))
        else:
            window = image_windows.central_window(shape, square=False)
        how = {"channels": 3, "fancy_upscaling": False, "dct_method": "INTEGER_FAST"}
        pixels = tf.io.decode_and_crop_jpeg(record.data, window, **how)
        return tf.image.resize(pixels, [224, 224]), record.label

    paths = [str(path) for path in shards.find(options.data_dir, shards.TRAIN, "")]
    numbered = tf.data.TFRecordDataset(paths).repeat().enumerate()
    images = numbered.map(prepare, num_parallel_calls=tf.data.AUTOTUNE)
    return images.batch(options.batch_size, drop_remainder=True).prefetch(tf.data.AUTOTUNE)


def measured(dataset: tf.data.Dataset, options: argparse.Namespace) -> Told:
    """The speed of `dataset` once it runs."""
    begin = time.perf_counter()
    batches = iter(dataset)
    next(batches)
    first = time.perf_counter() - begin
    _batches_within(batches, WARM_UP_SECONDS)
    count, seconds = _batches_within(batches, options.seconds)
    return Told(count * options.batch_size / seconds, first)


def _batches_within(batches: Iterator[Any], seconds: float) -> tuple[int, float]:
    """How many are made, one at least, and in what time."""
    begin, count, spent = time.perf_counter(), 0, 0.0
    while spent < seconds:
        next(batches)
        count, spent = count + 1, time.perf_counter() - begin
    return count, spent


def converted(options: argparse.Namespace, convert: Callable[[Path, Path], int]) -> Told:
    """The speed of `convert` from the archive to a folder, over as many whole conversions as the time holds."""
    import tensorflow  # noqa: F401  its import is no part of a conversion

    images, first, begin = 0, 0.0, time.perf_counter()
    while not images or time.perf_counter() - begin < options.seconds:
        folder = Path(tempfile.mkdtemp(dir=options.output_dir))
        images += convert(options.data_dir, folder)
        first = first or time.perf_counter() - begin
        shutil.rmtree(folder)
    return Told(images / (time.perf_counter() - begin), first)


def _our_conversion(archive: Path, folder: Path) -> int:
    return sum(cifar10_conversion.convert(cifar10_archive.read(archive), folder).manifest.examples.values())


def _plain_conversion(archive: Path, folder: Path) -> int:
    """The loop that a user would write, over an archive that is trusted."""
    import tensorflow as tf

    count = 0
    with tarfile.open(archive) as tar:
        batches = {Path(member.name).name: member for member in tar.getmembers()}
        for file, names in cifar10_conversion.FILES.items():
            with tf.io.TFRecordWriter(str(folder / file)) as writer:
                for name in names:
                    content = tar.extractfile(batches[name])
                    assert content is not None, "a batch is a file"
                    batch = pickle.load(content, encoding="bytes")
                    for image, label in zip(batch[b"data"], batch[b"labels"], strict=True):
                        feature = {
                            "image": tf.train.Feature(bytes_list=tf.train.BytesList(value=[image.tobytes()])),
                            "label": tf.train.Feature(int64_list=tf.train.Int64List(value=[label])),
                        }
                        example = tf.train.Example(features=tf.train.Features(feature=feature))
                        writer.write(example.SerializeToString())
                        count += 1
    return count


_PIPELINES: dict[str, Callable[[argparse.Namespace], tf.data.Dataset]] = {
    "cifar10": cifar10,
    "plain_cifar10": plain_cifar10,
    "imagenet": imagenet,
    "imagenet_middle": functools.partial(imagenet, distortions=False),
    "bare_middle": functools.partial(bare_imagenet, at_random=False),
    "imagenet_random": functools.partial(imagenet, **AT_RANDOM),
    "bare_random": functools.partial(bare_imagenet, at_random=True),
}
_CONVERSIONS = {"convert": _our_conversion, "plain_convert": _plain_conversion}
SIDES = (*_PIPELINES, *_CONVERSIONS)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure the side that `arguments` name, and tell it; returns the exit code."""
    options = _parser().parse_args(arguments)
    if options.processors:  # before TensorFlow counts them
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.processors])
    if options.side in _PIPELINES:
        told = measured(_PIPELINES[options.side](options), options)
    else:
        told = converted(options, _CONVERSIONS[options.side])
    sys.stdout.write(json.dumps(told._asdict()) + "\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.studies.input_side", description=__doc__)
    add = parser.add_argument
    add("side", choices=SIDES)
    add("--data_dir", type=Path, required=True, help="the set's folder; to convert, the archive")
    add("--output_dir", type=Path, help="where to convert to")
    add("--batch_size", type=int, default=128)
    add("--seconds", type=float, default=10.0)
    add("--processors", type=int, help="how many to use; Linux only")
    add("--prefetch", type=int)
    add("--private_threads", type=int)
    add("--files_at_once", type=int, default=FILES_AT_ONCE)
    return parser


if __name__ == "__main__":
    sys.exit(main())
