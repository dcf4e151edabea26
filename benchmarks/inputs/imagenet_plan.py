"""Which image goes into which shard: settled before the first is written, so that a conversion can be resumed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.inputs.imagenet_folder import Classes, Split
from benchmarks.inputs.shards import shard_name


@dataclass(frozen=True)
class Shard:
    """A file to be, and its images in order, as paths relative to `folder`."""

    name: str
    split: str
    folder: Path
    images: Sequence[str]


@dataclass(frozen=True)
class Plan:
    """The images of all splits, drawn in an order of `seed`, and cut into shards of about `shard_bytes`."""

    classes: Classes
    splits: Sequence[Split]
    seed: int
    shard_bytes: float

    @property
    def num_images(self) -> int:
        """The images of all splits."""
        return sum(len(split.images) for split in self.splits)

    def shards(self) -> Iterator[Shard]:
        """All shards, those of a split with the same number of images or one more."""
        for number, split in enumerate(self.splits):
            order = np.random.default_rng([self.seed, number]).permutation(len(split.images))
            count = min(max(1, round(sum(split.sizes) / self.shard_bytes)), len(order))
            for shard, indices in enumerate(np.array_split(order, count)):
                images = [split.images[index] for index in indices]
                yield Shard(shard_name(split.name, shard, count), split.name, split.folder, images)

    def digest(self) -> str:
        """What tells this plan from others: classes, names and sizes of the images, seed and bytes of a shard."""
        found = hashlib.sha256(json.dumps([self.seed, self.shard_bytes, [*self.classes.texts.items()]]).encode())
        for split in self.splits:
            found.update(f"\0{split.name}\0".encode())
            for image, size in zip(split.images, split.sizes, strict=True):
                found.update(f"{image}\0{size}\0".encode(errors="surrogateescape"))
        return found.hexdigest()
