"""The original CIFAR-10 archive: a gzipped tar of pickled batches, read and checked without unpacking it to disk."""

from __future__ import annotations

import gzip
import hashlib
import tarfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from benchmarks.errors import UserError
from benchmarks.inputs import batch_pickle
from benchmarks.inputs.datasets import DATASETS

FOLDER = "cifar-10-batches-py"
TRAIN_BATCHES = ("data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5")
TEST_BATCH = "test_batch"
META = "batches.meta"
IMAGE_BYTES = 3 * 32 * 32  # channel, row, column
NUM_CLASSES = DATASETS["cifar10"].num_classes

PUBLISHED_MD5 = "c58f30108f718f92721af3b95e74349a"  # https://www.cs.toronto.edu/~kriz/cifar.html
SAMPLE_MARK = b"sample"  # the batch labels of a sample archive begin with it

_MEMBER_LIMIT = 64 * 2**20  # bytes; a published batch has 31 MB
_TOTAL_LIMIT = 512 * 2**20  # bytes; the published archive has 186 MB unpacked
_EXPECTED = (*TRAIN_BATCHES, TEST_BATCH, META)


@dataclass(frozen=True)
class Batch:
    """Images, uint8 [n, 3072] with the channels outermost, and their labels, int64 [n]."""

    images: np.ndarray
    labels: np.ndarray


@dataclass(frozen=True)
class Archive:
    """The batches of one archive by name, and where they came from.

    `source` is "published archive", "sample" or "other archive".
    """

    path: Path
    md5: str
    sha256: str
    source: str
    batches: Mapping[str, Batch]


def read(path: Path) -> Archive:
    """Read and check every batch of the archive at `path`. Raises UserError if it is not what it should be."""
    pickles = _read_members(path)
    missing = [name for name in _EXPECTED if name not in pickles]
    if missing:
        raise UserError(
            f"{path} is not the CIFAR-10 archive: it has no {FOLDER}/{missing[0]}"
            + (
                f", nor {len(missing) - 1} more of the {len(_EXPECTED)} files looked for. "
                if len(missing) > 1
                else ". "
            )
            + "Give cifar-10-python.tar.gz as published, or leave --archive out to download it."
        )
    batch_pickle.load(
        pickles.pop(META), META
    )  # the class names: not needed, but a damaged one tells of a wrong archive
    contents = {name: batch_pickle.load(pickles.pop(name), name) for name in list(pickles)}  # held once, not twice
    md5, sha256 = checksums(path)
    if any(_is_sample(content) for content in contents.values()):
        source = "sample"
    else:
        source = "published archive" if md5 == PUBLISHED_MD5 else "other archive"
    return Archive(path, md5, sha256, source, {name: _batch(name, content) for name, content in contents.items()})


def checksums(path: Path) -> tuple[str, str]:
    """The MD5 and SHA-256 of the file at `path`, in hexadecimal."""
    md5, sha256 = hashlib.md5(usedforsecurity=False), hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(2**20):
            md5.update(block)
            sha256.update(block)
    return md5.hexdigest(), sha256.hexdigest()


def _read_members(path: Path) -> dict[str, bytes]:
    """The expected files of the archive by their names, in one pass; all are checked, none is written to disk."""
    found: dict[str, bytes] = {}
    try:
        with gzip.open(path) as unzipped:
            stream = _Bounded(unzipped)
            with tarfile.open(fileobj=stream, mode="r|") as tar:  # type: ignore[call-overload]  # read() is all it needs
                for member in tar:
                    _refuse_unsafe(path, member)
                    name = _expected_name(member)
                    if name in found:
                        raise UserError(f"{path} has two files of the name {member.name}; give it as published.")
                    if name and (content := tar.extractfile(member)):
                        found[name] = content.read()
            while stream.read(2**20):  # the checksum comes at the end
                pass
    except FileNotFoundError as error:
        raise UserError(f"--archive={path}: there is no such file. Leave --archive out to download it.") from error
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        raise UserError(
            f"Cannot read the archive {path}: {_reason(error)}. Give cifar-10-python.tar.gz as published, or leave "
            "--archive out to download it."
        ) from error
    return found


def _expected_name(member: tarfile.TarInfo) -> str | None:
    """The name that the rest of this file knows `member` by, or None if the data set does not need it."""
    parts = PurePosixPath(member.name).parts
    return parts[1] if len(parts) == 2 and parts[0] == FOLDER and parts[1] in _EXPECTED else None


def _refuse_unsafe(path: Path, member: tarfile.TarInfo) -> None:
    """Refuse what could write elsewhere, or fill memory: no honest archive of this data set has any of it."""
    name = PurePosixPath(member.name)
    if name.is_absolute() or ".." in name.parts or "\\" in member.name:
        problem = "which lies outside of the archive's own folder"
    elif not (member.isfile() or member.isdir()):
        problem = "which is a link or a device, not a file"
    elif member.size > _MEMBER_LIMIT:
        problem = f"of {member.size:,} bytes, where a batch has at most {_MEMBER_LIMIT:,}"
    else:
        return
    raise UserError(f"Refused the archive {path}: it has a member {member.name!r} {problem}. Nothing was written.")


def _batch(name: str, content: Mapping[bytes, Any]) -> Batch:
    images, labels = content.get(b"data"), content.get(b"labels")
    if not isinstance(images, np.ndarray) or images.dtype != np.uint8 or images.shape[1:] != (IMAGE_BYTES,):
        found = f"{images.dtype} {list(images.shape)}" if isinstance(images, np.ndarray) else f"{type(images).__name__}"
        raise UserError(
            f"{name} in the archive has wrong images: b'data' should be uint8 [n, {IMAGE_BYTES}], is {found}."
        )
    if not isinstance(labels, list) or not all(type(label) is int for label in labels):
        raise UserError(f"{name} in the archive has wrong labels: b'labels' should be a list of integers.")
    if not labels or len(labels) != len(images):
        raise UserError(
            f"{name} in the archive has {len(images)} images and {len(labels)} labels: it should have a label each."
        )
    for index, label in enumerate(labels):
        if not 0 <= label < NUM_CLASSES:
            raise UserError(
                f"{name} in the archive has label {label} for image {index}: "
                f"labels of CIFAR-10 are 0 to {NUM_CLASSES - 1}."
            )
    return Batch(np.ascontiguousarray(images), np.array(labels, np.int64))


def _is_sample(content: Mapping[bytes, Any]) -> bool:
    label = content.get(b"batch_label")
    return isinstance(label, bytes) and label.startswith(SAMPLE_MARK)


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error).rstrip(".") or type(error).__name__


class _Bounded:
    """A stream that fails after _TOTAL_LIMIT bytes: a small gzip file can unpack to more than memory holds."""

    def __init__(self, stream: gzip.GzipFile) -> None:
        self._stream = stream
        self._left = _TOTAL_LIMIT

    def read(self, size: int) -> bytes:
        data = self._stream.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise tarfile.ReadError(f"it unpacks to more than {_TOTAL_LIMIT:,} bytes")
        return data
