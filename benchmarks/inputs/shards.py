"""The shards of a data set, by name: train-00000-of-01024 and so on. Imports no TensorFlow."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from benchmarks.errors import UserError

TRAIN = "train-*-of-*"
VALIDATION = "validation-*-of-*"
UNFINISHED = ".conversion"  # the folder, beside the shards, of a conversion that has not come to its end

_NUMBERED = re.compile(r".+-(?P<number>\d+)-of-(?P<count>\d+)")
_NAMED = 8  # files or numbers that a message lists; the rest is counted


def shard_name(split: str, number: int, count: int) -> str:
    """The name of shard `number`, from 0 on, of `count`."""
    return f"{split}-{number:05d}-of-{count:05d}"


def find(folder: Path, pattern: str, way_out: str) -> list[Path]:
    """All shards in `folder` whose names match `pattern`, in order.

    Raises UserError that ends in `way_out` if there are none, if some are missing, or if they are of several sets.
    """
    if not folder.is_dir():
        raise UserError(f"--data_dir={folder}: {'not a folder' if folder.exists() else 'no such folder'}. {way_out}")
    numbered = [(path, match) for path in folder.glob(pattern) if (match := _NUMBERED.fullmatch(path.name))]
    if not numbered:
        raise UserError(
            f"--data_dir={folder}: no file matches {pattern}. The folder holds {content(folder)}. {way_out}"
        )
    counts = sorted({match["count"] for _, match in numbered})
    if len(counts) > 1:
        raise UserError(
            f"--data_dir={folder} holds shards of several sets: those that match {pattern} say that there are "
            f"{' and '.join(counts)} of them. Leave one set in the folder. {way_out}"
        )
    shards = {int(match["number"]): path for path, match in numbered}
    missing = [f"{number:05d}" for number in range(int(counts[0])) if number not in shards]
    if missing:
        unfinished = " A conversion into it has not come to its end." if (folder / UNFINISHED).is_dir() else ""
        raise UserError(
            f"--data_dir={folder} lacks {len(missing)} of the {int(counts[0])} shards {pattern}: {listed(missing)}."
            f"{unfinished} {way_out}"
        )
    return [shards[number] for number in sorted(shards)]


def listed(names: Sequence[str]) -> str:
    """`names` with commas, the first of them where there are many."""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def content(folder: Path) -> str:
    """The names of what `folder` holds, in words."""
    names = sorted(path.name for path in folder.iterdir())
    return listed(names) if names else "nothing"
