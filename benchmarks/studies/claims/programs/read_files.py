"""Read every image of `make_files` once through tf.data, from small or large files, with a cold or a warm cache.

The figure is images a second, from the first that is asked for to the last. Images are read, not decoded.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.studies.claims.programs import page_cache
from benchmarks.studies.claims.programs.make_files import CLASSES, shards
from benchmarks.studies.claims.programs.told import tell

if TYPE_CHECKING:
    import tensorflow as tf

_BATCH = 128
_LOOKED_AT = 500  # small files: a look at each of thousands takes longer than to read them


class Read(NamedTuple):
    """What was read, in what time of the clock and of the processors."""

    images: int
    image_bytes: int
    seconds: float
    processor_seconds: float


def small_files(folder: Path) -> tuple[list[Path], tf.data.Dataset]:
    """A file an image, in an order drawn at random, as training reads them: the files, and batches of them."""
    import tensorflow as tf

    paths = sorted(path for path in (folder / "small").rglob("*") if path.is_file())
    labels = tf.constant([int(path.name) % CLASSES for path in paths], tf.int64)
    files = tf.data.Dataset.from_tensor_slices(([str(path) for path in paths], labels))
    images = files.shuffle(len(paths), seed=0).map(
        lambda path, label: (tf.io.read_file(path), label), num_parallel_calls=tf.data.AUTOTUNE
    )
    return paths, images.batch(_BATCH).prefetch(tf.data.AUTOTUNE)


def large_files(folder: Path) -> tuple[list[Path], tf.data.Dataset]:
    """The same images as records, parsed a batch at a time."""
    import tensorflow as tf

    features = {"image": tf.io.FixedLenFeature([], tf.string), "label": tf.io.FixedLenFeature([], tf.int64)}

    def parsed(records: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        examples = tf.io.parse_example(records, features)
        return examples["image"], examples["label"]

    paths = shards(folder)
    records = tf.data.TFRecordDataset([str(path) for path in paths]).batch(_BATCH)
    return paths, records.map(parsed, num_parallel_calls=tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)


WAYS: dict[str, Callable[[Path], tuple[list[Path], tf.data.Dataset]]] = {"small": small_files, "large": large_files}


def read(dataset: tf.data.Dataset, clock: Callable[[], float] = time.perf_counter) -> Read:
    """Read all of `dataset`, batches of images as strings with their labels."""
    import tensorflow as tf

    images = total = 0
    begin, used = clock(), time.process_time()
    for batch, _ in dataset:
        images += int(batch.shape[0])
        total += int(tf.reduce_sum(tf.strings.length(batch)))
    return Read(images, total, clock() - begin, time.process_time() - used)


def main(arguments: Sequence[str] | None = None) -> int:
    """Read as `arguments` say, and tell how fast."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--folder", type=Path, required=True, help="of make_files")
    parser.add_argument("--way", choices=WAYS, required=True)
    parser.add_argument("--cache", choices=("cold", "warm"), required=True)
    options = parser.parse_args(arguments)
    paths, dataset = WAYS[options.way](options.folder)
    read(dataset.take(1))  # TensorFlow's first operations take their time
    if options.cache == "cold":
        page_cache.drop(paths)
    else:
        for path in paths:
            path.read_bytes()
    looked_at = paths[:: -(-len(paths) // _LOOKED_AT)]
    resident = page_cache.resident_share(looked_at)
    found = read(dataset)
    return tell(
        found.images / found.seconds,
        files=len(paths),
        resident_share=resident,
        megabytes_per_second=found.image_bytes / found.seconds / 1e6,
        microseconds=1e6 * found.seconds / found.images,
        processor_microseconds=1e6 * found.processor_seconds / found.images,
    )


if __name__ == "__main__":
    sys.exit(main())
