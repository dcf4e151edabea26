"""The records of ImageNet: how to read one, and what is checked before a run needs them."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import tensorflow as tf

from benchmarks.errors import UserError
from benchmarks.inputs import record_errors, shards
from benchmarks.inputs.datasets import DATASETS
from benchmarks.inputs.manifest import MANIFEST, Manifest, read_manifest

LABELS = DATASETS["imagenet"].num_classes  # from 1 on
_READ_IN_FULL = 512 * 1024**2  # bytes that are read within seconds, even from a slow disk
_BATCH = 32  # records checked at a time
_BOX = [f"image/object/bbox/{side}" for side in ("ymin", "xmin", "ymax", "xmax")]
_FEATURES = {
    "image/encoded": tf.io.FixedLenFeature([], tf.string),
    "image/class/label": tf.io.FixedLenFeature([], tf.int64),
    **{side: tf.io.FixedLenSequenceFeature([], tf.float32, allow_missing=True) for side in _BOX},
}
# For checks: a feature that is missing shows as a value that cannot be right, so that the record can be named.
_CHECKED = {
    "image/encoded": tf.io.FixedLenFeature([], tf.string, default_value=""),
    "image/class/label": tf.io.FixedLenFeature([], tf.int64, default_value=-1),
}


class Record(NamedTuple):
    """A record's image as it is stored, its label (int32, 1 to 1000), and its boxes as sides of float32 [boxes] each.

    The sides are those of `_BOX`, in parts of the image's height and width. A record can have no boxes. `origin` tells
    where it was read, in the terms of who did.
    """

    data: tf.Tensor
    label: tf.Tensor
    boxes: tuple[tf.Tensor, ...]
    origin: tuple[tf.Tensor, ...] = ()


def parse(serialised: tf.Tensor) -> Record:
    """The record that a scalar string holds. What is no such record ends the step with an error."""
    example = tf.io.parse_single_example(serialised, _FEATURES)
    label = example["image/class/label"]
    in_range = tf.debugging.Assert((label >= 1) & (label <= LABELS), [record_errors.LABEL_OUT_OF_RANGE, label])
    with tf.control_dependencies([in_range]):
        label = tf.cast(label, tf.int32)
    return Record(example["image/encoded"], label, tuple(example[side] for side in _BOX))


@dataclass(frozen=True)
class Verified:
    """What is known of the shards of a folder without a look at every byte of a large set.

    `examples` is their number, None where neither the set is small enough to count them nor a manifest tells. `source`
    is a manifest's, or "unknown".
    """

    examples: int | None
    source: str
    sample: bool
    shards: int


def verify(data_dir: str | Path, pattern: str = shards.TRAIN) -> Verified:
    """Check the shards in `data_dir` that match `pattern`, within seconds.

    All must be there, with the sizes that a manifest tells; of each the first record is read, and of sets up to 512 MB
    every record. Raises UserError that names the file, the record and the reason.
    """
    folder = Path(data_dir)
    paths = shards.find(folder, pattern, record_errors.way_out("imagenet", folder))
    manifest = read_manifest(folder)
    _check_sizes(paths, manifest)
    in_full = sum(path.stat().st_size for path in paths) <= _READ_IN_FULL
    counts = {path.name: _read(path, in_full, manifest) for path in paths}
    if manifest:
        counts = {name: manifest.examples.get(name, count) for name, count in counts.items()}
    examples = sum(counts.values()) if in_full or manifest else None
    if not examples and examples is not None:
        raise _unusable(paths[0], "neither it nor another shard holds a record")
    source = manifest.source if manifest else "unknown"
    return Verified(examples, source, bool(manifest and manifest.is_sample), len(paths))


def _check_sizes(paths: Iterable[Path], manifest: Manifest | None) -> None:
    for path in paths:
        size = path.stat().st_size
        expected = manifest.file_bytes.get(path.name, size) if manifest else size
        if size != expected:
            raise _unusable(path, f"it has {size} bytes where {MANIFEST} says {expected}")
        if not size and not (manifest and path.name in manifest.file_bytes):
            raise _unusable(path, "it is empty")


def _read(path: Path, in_full: bool, manifest: Manifest | None) -> int:
    """The number of records of `path`, which are checked: all, or only the first."""
    count = 0
    records = tf.data.TFRecordDataset(str(path))
    try:
        for batch in (records if in_full else records.take(1)).batch(_BATCH):
            _check(batch, path, first=count)
            count += len(batch)
    except tf.errors.DataLossError as error:
        damage = record_errors.damage(error)
        raise _unusable(path, f"it is truncated or corrupt at record {count} or after it: {damage}") from error
    except tf.errors.OpError as error:
        raise _unusable(path, record_errors.reason(error)) from error
    expected = manifest.examples.get(path.name, count) if manifest and in_full else count
    if count != expected:
        raise _unusable(path, f"it holds {count} records where {MANIFEST} says {expected}")
    return count


def _check(records: tf.Tensor, path: Path, first: int) -> None:
    """Raise UserError if one of `records`, the first of which has the number `first`, is not an image with a label."""
    try:
        examples = tf.io.parse_example(records, _CHECKED)
    except tf.errors.InvalidArgumentError as error:
        last = first + len(records) - 1
        raise _unusable(
            path,
            f"one of the records {first} to {last} is not a tf.train.Example of image/encoded (bytes) and "
            f"image/class/label (int64): {record_errors.reason(error)}",
        ) from error
    sizes, labels = tf.strings.length(examples["image/encoded"]).numpy(), examples["image/class/label"].numpy()
    for index, size, label in zip(itertools.count(), sizes, labels, strict=False):
        if not size or label == -1:
            missing = "image/encoded" if not size else "image/class/label"
            found = record_errors.feature_names(records[index])
            raise _unusable(path, f"record {first + index} has no {missing}, or an empty one; {found}")
        if not 1 <= label <= LABELS:
            raise _unusable(path, f"record {first + index} has label {label}, where labels are 1 to {LABELS}")


def _unusable(path: Path, reason: str) -> UserError:
    return UserError(f"Cannot use {path}: {reason}. {record_errors.way_out('imagenet', path.parent)}")
