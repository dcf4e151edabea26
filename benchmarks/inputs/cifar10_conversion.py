"""Turns a CIFAR-10 archive into TFRecord files: all of them, or none."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.errors import UserError
from benchmarks.inputs.cifar10_archive import IMAGE_BYTES, NUM_CLASSES, TEST_BATCH, TRAIN_BATCHES, Archive, Batch
from benchmarks.inputs.datasets import DATASETS
from benchmarks.inputs.manifest import MANIFEST, Manifest, read_manifest
from benchmarks.tensorflow_lines import import_tensorflow

# Which batches each file is made of: the fifth is kept for validation.
FILES = dict(zip(DATASETS["cifar10"].files, (TRAIN_BATCHES[:4], TRAIN_BATCHES[4:], (TEST_BATCH,)), strict=True))


@dataclass(frozen=True)
class Conversion:
    """What was written into `folder`; `replaced` names the files that were there before, `previous` their manifest."""

    folder: Path
    manifest: Manifest
    replaced: tuple[str, ...]
    previous: Manifest | None


def convert(archive: Archive, folder: Path) -> Conversion:
    """Write the TFRecord files and the manifest of `archive` into `folder`, which must exist.

    The files are written beside their places and moved there together at the end; if anything fails, or is interrupted,
    `folder` is as before.
    """
    try:
        with staging(folder) as stage:
            examples = {
                file: _write_records(stage / file, [archive.batches[name] for name in names])
                for file, names in FILES.items()
            }
            manifest = Manifest("cifar10", archive.source, archive.path.name, examples, archive.md5, archive.sha256)
            manifest.write(stage)
            names = (*FILES, MANIFEST)
            replaced = tuple(name for name in names if (folder / name).exists())
            previous = _previous_manifest(folder)
            replace_together(stage, folder, names)
    except OSError as error:
        raise UserError(f"Cannot write into {folder}: {error.strerror or error}. Nothing was changed.") from error
    return Conversion(folder, manifest, replaced, previous)


@contextlib.contextmanager
def staging(folder: Path) -> Iterator[Path]:
    """A folder beside the files to be, on the same file system; gone at the end."""
    stage = Path(tempfile.mkdtemp(prefix=".unfinished-", dir=folder))
    try:
        yield stage
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def replace_together(stage: Path, folder: Path, names: Sequence[str]) -> None:
    """Move the files `names` from `stage` to `folder`; on failure or interruption, put back what was there."""
    aside = stage / "previous"
    aside.mkdir()
    try:
        for name in names:
            if (folder / name).exists():
                (folder / name).replace(aside / name)
            (stage / name).replace(folder / name)
    except BaseException:
        for name in names:
            if not (stage / name).exists():
                (folder / name).unlink(missing_ok=True)
            if (aside / name).exists():
                (aside / name).replace(folder / name)
        raise


def _write_records(path: Path, batches: Sequence[Batch]) -> int:
    """Write a record an image to `path`; returns their number."""
    import_tensorflow(devices=False)  # takes seconds: a wrong archive is told of before
    import tensorflow as tf

    try:
        with tf.io.TFRecordWriter(str(path)) as writer:
            around = [_around_image(label) for label in range(NUM_CLASSES)]
            for batch in batches:
                for image, label in zip(batch.images, batch.labels.tolist(), strict=True):
                    before, after = around[label]
                    writer.write(before + image.tobytes() + after)
    except tf.errors.OpError as error:
        raise OSError(error.message) from error
    return sum(len(batch.labels) for batch in batches)


def _around_image(label: int) -> tuple[bytes, bytes]:
    """What stands before and after the image's bytes in each tf.train.Example of `label`: made once, not for each."""
    import tensorflow as tf

    image = b"\xff" * IMAGE_BYTES  # a byte that stands nowhere else in the record
    feature = {
        "image": tf.train.Feature(bytes_list=tf.train.BytesList(value=[image])),
        "label": tf.train.Feature(int64_list=tf.train.Int64List(value=[label])),
    }
    example = tf.train.Example(features=tf.train.Features(feature=feature))
    before, _, after = example.SerializeToString(deterministic=True).partition(image)
    return before, after


def _previous_manifest(folder: Path) -> Manifest | None:
    """That of the files about to be replaced; one that cannot be understood is replaced too."""
    with contextlib.suppress(UserError):
        return read_manifest(folder)
    return None
