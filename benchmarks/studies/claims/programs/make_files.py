"""Make the same images twice, of random bytes: a file each, and as records of TFRecord files of about 100 MB."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

CLASSES = 10
SHARD_BYTES = 100e6
_IMAGES_OF_FOLDER = 1000


def small_file(folder: Path, number: int) -> Path:
    """Where image `number` stands by itself."""
    return folder / "small" / f"{number // _IMAGES_OF_FOLDER:03d}" / f"{number:07d}"


def shards(folder: Path) -> list[Path]:
    """The large files, in their order."""
    return sorted((folder / "large").glob("*.tfrecords"))


def make(folder: Path, images: int, image_bytes: int, shard_bytes: float = SHARD_BYTES) -> None:
    """Write `images` of `image_bytes` each into `folder`; image n has the class n % CLASSES.

    The folder is there once all of them are. Nothing stays of an attempt that fails, as on a full disk, and nothing of
    one that was killed is in the way of the next.
    """
    begun = folder.with_name(f"{folder.name}.begun")
    shutil.rmtree(begun, ignore_errors=True)
    try:
        _make(begun, images, image_bytes, shard_bytes)
        begun.rename(folder)
    except BaseException:
        shutil.rmtree(begun, ignore_errors=True)
        raise


def _make(folder: Path, images: int, image_bytes: int, shard_bytes: float) -> None:
    import tensorflow as tf

    random = np.random.default_rng(0)
    (folder / "large").mkdir(parents=True)
    of_shard = max(1, round(shard_bytes / image_bytes))
    for first in range(0, images, of_shard):
        with tf.io.TFRecordWriter(str(folder / "large" / f"{first // of_shard:03d}.tfrecords")) as shard:
            for number in range(first, min(first + of_shard, images)):
                data = random.bytes(image_bytes)
                path = small_file(folder, number)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
                shard.write(_example(data, number % CLASSES))


def _example(data: bytes, label: int) -> bytes:
    import tensorflow as tf

    image = tf.train.Feature(bytes_list=tf.train.BytesList(value=[data]))
    of_class = tf.train.Feature(int64_list=tf.train.Int64List(value=[label]))
    features = tf.train.Features(feature={"image": image, "label": of_class})
    return bytes(tf.train.Example(features=features).SerializeToString())


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the files that `arguments` ask for."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--folder", type=Path, required=True, help="must not exist")
    parser.add_argument("--images", type=int, required=True)
    parser.add_argument("--image_bytes", type=int, required=True)
    options = parser.parse_args(arguments)
    make(options.folder, options.images, options.image_bytes)
    return 0


if __name__ == "__main__":
    sys.exit(main())
