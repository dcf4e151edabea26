"""A folder of images, one folder a class, as the converter finds it: classes, labels, and the images of each split."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.errors import UserError
from benchmarks.inputs.datasets import DATASETS
from benchmarks.inputs.shards import listed

SAMPLE_IMAGES = "sample-images"  # the folder of images that were generated
NUM_CLASSES = DATASETS["imagenet"].num_classes
_SPLITS = {"train": ("train",), "validation": ("validation", "val")}


@dataclass(frozen=True)
class Classes:
    """Names of the classes (synsets) in the order of their labels, which count from 1, and what people call them."""

    labels: Mapping[str, int]
    texts: Mapping[str, str]


@dataclass(frozen=True)
class Split:
    """The images of one split, sorted: paths relative to `folder`, each in the folder of its class, and their bytes."""

    name: str
    folder: Path
    images: list[str]
    sizes: list[int]


def read(folder: Path, labels_file: Path | None = None, *, flag: str = "--images") -> tuple[Classes, list[Split]]:
    """The classes and splits in `folder`.

    They are FOLDER/train/CLASS/IMAGE and FOLDER/validation/CLASS/IMAGE, or else FOLDER/CLASS/IMAGE, all to train on.
    Labels follow `labels_file` (a class a line, what people call it after a space or tab), or else the sorted names of
    the classes to train on. Every file in the folder of a class counts as an image, but those that begin with a dot.
    Raises UserError where this cannot be found; `flag` is the one that named the folder.
    """
    if not folder.is_dir():
        raise UserError(f"{flag}={folder}: {'not a folder' if folder.exists() else 'no such folder'}.")
    try:
        folders = _splits(folder, flag)
        found = {name: _folders_in(path) for name, path in folders.items()}
        classes = _from_file(labels_file) if labels_file else _classes(dict.fromkeys(found["train"], ""))
        for name, path in folders.items():
            _check_classes(path, found[name], classes, labels_file)
        splits = [_split(name, path, found[name]) for name, path in folders.items()]
    except OSError as error:
        raise UserError(f"{flag}={folder}: cannot read {error.filename}: {error.strerror}.") from error
    for split in splits:
        if not split.images:
            raise UserError(f"{flag}={folder}: no images in {split.folder}/CLASS/. Expected a folder for each class.")
    return classes, splits


def _splits(folder: Path, flag: str) -> dict[str, Path]:
    if not (folder / "train").is_dir():
        return {"train": folder}
    named = {split: [folder / name for name in names if (folder / name).is_dir()] for split, names in _SPLITS.items()}
    for paths in named.values():
        if len(paths) > 1:
            raise UserError(f"{flag}={folder} has both {paths[0].name} and {paths[1].name}. Leave one of them.")
    return {split: paths[0] for split, paths in named.items() if paths}


def _folders_in(folder: Path) -> list[str]:
    with os.scandir(folder) as entries:
        return sorted(entry.name for entry in entries if entry.is_dir() and not entry.name.startswith("."))


def _split(name: str, folder: Path, classes: list[str]) -> Split:
    images, sizes = [], []
    for each in classes:
        with os.scandir(folder / each) as entries:
            files = sorted(
                (entry.name, entry.stat().st_size)
                for entry in entries
                if entry.is_file() and not entry.name.startswith(".")
            )
        images += [f"{each}/{file}" for file, _ in files]
        sizes += [size for _, size in files]
    return Split(name, folder, images, sizes)


def _classes(texts: Mapping[str, str]) -> Classes:
    """Labels from 1 on in the order of `texts`."""
    return Classes({name: label for label, name in enumerate(texts, 1)}, texts)


def _from_file(path: Path) -> Classes:
    try:
        lines = [line.split(maxsplit=1) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise UserError(f"--labels_file={path}: {reason}. Give a text file with one class a line.") from error
    names = [line[0] for line in lines]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise UserError(f"--labels_file={path} names {listed(twice)} more than once.")
    return _classes({line[0]: line[1].strip() if len(line) > 1 else "" for line in lines})


def _check_classes(folder: Path, found: list[str], classes: Classes, labels_file: Path | None) -> None:
    if len(classes.labels) > NUM_CLASSES:
        raise UserError(
            f"{labels_file or folder} has {len(classes.labels)} classes, but ImageNet has {NUM_CLASSES}: labels are 1 "
            f"to {NUM_CLASSES}."
        )
    if unknown := [name for name in found if name not in classes.labels]:
        known = f"--labels_file={labels_file}" if labels_file else "the classes to train on"
        raise UserError(f"{folder} has folders that are not among {known}: {listed(unknown)}.")
