"""Checks the TFRecord files of CIFAR-10 before a run needs them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import tensorflow as tf

from benchmarks.errors import UserError
from benchmarks.inputs.cifar10_archive import IMAGE_BYTES, NUM_CLASSES
from benchmarks.inputs.datasets import DATASETS
from benchmarks.inputs.manifest import MANIFEST, read_manifest
from benchmarks.inputs.record_errors import damage, feature_names, way_out
from benchmarks.inputs.record_errors import reason as reason_of
from benchmarks.inputs.shards import content

_BATCH = 1000  # records checked at a time
# A feature that is missing shows as a value that cannot be right, so that the record can be named.
_FEATURES = {
    "image": tf.io.FixedLenFeature([], tf.string, default_value=""),
    "label": tf.io.FixedLenFeature([], tf.int64, default_value=-1),
}


@dataclass(frozen=True)
class Verified:
    """The number of examples in a file that has been read to its end, and what its folder says of their origin.

    `source` is a manifest's, or "unknown" where the folder has none.
    """

    examples: int
    source: str
    sample: bool


def verify(data_dir: str | Path, file: str = "train.tfrecords") -> Verified:
    """Read all of `file` in `data_dir`, and check its records.

    Raises UserError that names the file, the record and the reason.
    """
    path = find(data_dir, file)
    count = 0
    try:
        for records in tf.data.TFRecordDataset(str(path)).batch(_BATCH):
            _check(records, path, first=count)
            count += len(records)
    except tf.errors.DataLossError as error:
        raise _unusable(path, f"it is truncated or corrupt after record {count}: {damage(error)}") from error
    except tf.errors.OpError as error:
        raise _unusable(path, reason_of(error)) from error
    if not count:
        raise _unusable(path, "it holds no records")
    manifest = read_manifest(path.parent)
    if manifest and manifest.examples.get(file, count) != count:
        raise _unusable(path, f"it holds {count} records where {MANIFEST} says {manifest.examples[file]}")
    if manifest is None:
        return Verified(count, "unknown", sample=False)
    return Verified(count, manifest.source, manifest.is_sample)


def find(data_dir: str | Path, file: str) -> Path:
    """The path of `file` in `data_dir`. Raises UserError that says what was looked for if it is not there."""
    folder = Path(data_dir)
    looked_for = DATASETS["cifar10"].files
    if not folder.is_dir():
        reason = "not a folder" if folder.exists() else "no such folder"
        raise UserError(f"--data_dir={folder}: {reason}. {way_out('cifar10', folder)}")
    if not (folder / file).is_file():
        missing = [each for each in looked_for if not (folder / each).is_file()]
        raise UserError(
            f"--data_dir={folder}: no {file} in it. Looked for {', '.join(looked_for)}; missing: {', '.join(missing)}. "
            f"The folder holds {content(folder)}. {way_out('cifar10', folder)}"
        )
    return folder / file


def _check(records: tf.Tensor, path: Path, first: int) -> None:
    """Raise UserError if one of `records`, the first of which has the number `first`, is not an image with a label."""
    try:
        examples = tf.io.parse_example(records, _FEATURES)
    except tf.errors.InvalidArgumentError as error:
        last = first + len(records) - 1
        raise _unusable(
            path,
            f"one of the records {first} to {last} is not a tf.train.Example of image (bytes) and label (int64): "
            + reason_of(error),
        ) from error
    sizes, labels = tf.strings.length(examples["image"]).numpy(), examples["label"].numpy()
    wrong_sizes = (sizes != IMAGE_BYTES).nonzero()[0]
    if len(wrong_sizes):
        index = wrong_sizes[0]
        found = f"has an image of {sizes[index]} bytes" if sizes[index] else "has no image"
        names = f"; {feature_names(records[index])}" if not sizes[index] else ""
        raise _unusable(path, f"record {first + index} {found}, where {IMAGE_BYTES} were expected{names}")
    wrong_labels = ((labels < 0) | (labels >= NUM_CLASSES)).nonzero()[0]
    if len(wrong_labels):
        index = wrong_labels[0]
        found = f"has label {labels[index]}" if labels[index] != -1 else "has no label, or -1"
        names = f"; {feature_names(records[index])}" if labels[index] == -1 else ""
        raise _unusable(path, f"record {first + index} {found}, where labels are 0 to {NUM_CLASSES - 1}{names}")


def _unusable(path: Path, reason: str) -> UserError:
    return UserError(f"Cannot use {path}: {reason}. {way_out('cifar10', path.parent)}")
