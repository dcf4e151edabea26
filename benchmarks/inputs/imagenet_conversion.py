"""Turns a folder of images into the shards of ImageNet, and goes on where an earlier conversion was ended.

A shard is written under another name, and gets its own when it is complete; beforehand what was found in it is noted
in the folder of the unfinished conversion, which goes when all is done. As the plan settles the content of every shard,
one that is there and noted need not be made again.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from benchmarks.errors import UserError
from benchmarks.inputs.imagenet_findings import Findings, describe
from benchmarks.inputs.imagenet_plan import Plan, Shard
from benchmarks.inputs.manifest import MANIFEST, Manifest, read_manifest
from benchmarks.inputs.shards import TRAIN, UNFINISHED, VALIDATION, listed
from benchmarks.tensorflow_lines import import_tensorflow

_AT_ONCE = 64  # images in memory at a time


@dataclass(frozen=True)
class Written:
    """A complete shard: examples, bytes, and pairs of an image and the kind of what was found in it."""

    examples: int
    bytes: int
    findings: list[tuple[str, str]]


@dataclass(frozen=True)
class Conversion:
    """What stands in `folder` now; `resumed` is the number of its shards that were there before."""

    folder: Path
    manifest: Manifest
    resumed: int


def convert(
    plan: Plan,
    folder: Path,
    *,
    images: str,
    source: str,
    max_bad: int,
    threads: int | None = None,
    on_images: Callable[[int], None] = lambda _: None,
) -> Conversion:
    """Write the shards of `plan` and their manifest into `folder`, which must exist.

    The manifest says that they were made from `images`, and of which `source` these are. `on_images` is told how many
    more images are done. Raises UserError where `folder` has shards of another plan or cannot be written, and where
    more than `max_bad` images have to be mended or left out.
    """
    digest = plan.digest()
    try:
        if manifest := _manifest_of(folder, digest):
            return Conversion(folder, manifest, len(manifest.examples))
        with _alone_in(folder) as work, ThreadPoolExecutor(threads) as pool:
            writer = _Writer(plan, digest, folder, work, pool, Findings(max_bad), on_images)
            finished = _finished(digest, folder, work)
            written = {}
            for shard in plan.shards():
                if shard.name in finished:
                    written[shard.name] = writer.take_over(shard, finished[shard.name])
                else:
                    written[shard.name] = writer.write(shard)
            try:
                manifest = _manifest(images, source, digest, written, writer.findings)
            except UserError:  # empty shards would stand in the way of the next conversion; full ones took hours
                writer.remove(name for name, shard in written.items() if not shard.examples)
                raise
            manifest.write(work)
            (work / MANIFEST).replace(folder / MANIFEST)
            for note in work.glob("*.json"):
                note.unlink()
    except OSError as error:
        raise UserError(
            f"Cannot write into {folder}: {error.strerror or error}. Shards that are complete stay."
        ) from error
    return Conversion(folder, manifest, len(finished))


@dataclass(frozen=True)
class _Writer:
    """Writes the shards of `plan` into `folder`, by way of `work`, and keeps account of what it finds."""

    plan: Plan
    digest: str
    folder: Path
    work: Path
    pool: ThreadPoolExecutor
    findings: Findings
    on_images: Callable[[int], None]

    def take_over(self, shard: Shard, written: Written) -> Written:
        """A `shard` that an earlier conversion has `written`."""
        for image, kind in written.findings:
            self.findings.add(image, kind)
        self.on_images(len(shard.images))
        return written

    def write(self, shard: Shard) -> Written:
        """All of `shard`, or nothing under its name."""
        half = self.work / f"{shard.name}.half"
        written = self._write_records(shard, half)
        with half.open("rb") as complete:
            os.fsync(complete.fileno())
        note = self.work / f"{shard.name}.json"
        unfinished_note = self.work / f"{shard.name}.note.half"
        unfinished_note.write_text(json.dumps(vars(written) | {"plan": self.digest}), encoding="utf-8")
        unfinished_note.replace(note)
        half.replace(self.folder / shard.name)
        return written

    def remove(self, names: Iterable[str]) -> None:
        """Undo shards that were written, with their notes."""
        for name in names:
            (self.folder / name).unlink(missing_ok=True)
            (self.work / f"{name}.json").unlink(missing_ok=True)

    def _write_records(self, shard: Shard, path: Path) -> Written:
        import_tensorflow(devices=False)  # takes seconds: what is wrong with folders is told of before
        import tensorflow as tf

        from benchmarks.inputs.imagenet_encoding import Jpeg, example

        examples, found = 0, []
        try:
            with tf.io.TFRecordWriter(str(path)) as records:
                for image, outcome in self._checked(shard):
                    if kind := outcome.finding if isinstance(outcome, Jpeg) else str(outcome):
                        found.append((image, kind))
                        self.findings.add(image, kind)
                    if isinstance(outcome, Jpeg):
                        synset, _, file = image.rpartition("/")
                        label, text = self.plan.classes.labels[synset], self.plan.classes.texts[synset]
                        records.write(example(outcome, file=file, synset=synset, label=label, text=text))
                        examples += 1
                    self.on_images(1)
        except tf.errors.OpError as error:
            raise OSError(error.message) from error
        return Written(examples, path.stat().st_size, found)

    def _checked(self, shard: Shard) -> Iterator[tuple[str, object]]:
        """Each image's path, and it as a Jpeg or the kind of what is wrong; in order, a few images ahead."""
        from benchmarks.inputs.imagenet_encoding import BadImageError, checked

        def check(image: str) -> object:
            try:
                data = (shard.folder / image).read_bytes()
            except OSError:
                return "unreadable"
            try:
                return checked(data)
            except BadImageError as bad:
                return bad.kind

        for first in range(0, len(shard.images), _AT_ONCE):
            images = shard.images[first : first + _AT_ONCE]
            yield from zip(images, self.pool.map(check, images), strict=True)


@contextlib.contextmanager
def _alone_in(folder: Path) -> Iterator[Path]:
    """The folder of the unfinished conversion into `folder`, held for this process and rid of half-written files."""
    work = folder / UNFINISHED
    work.mkdir(exist_ok=True)
    with (work / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(f"Another process converts into {folder}. Let it end, or end it.") from None
        try:
            for half in work.glob("*.half"):
                half.unlink()
            yield work
        finally:
            if not any(work.glob("*.*")):  # nothing is under way
                shutil.rmtree(work, ignore_errors=True)


def _manifest_of(folder: Path, digest: str) -> Manifest | None:
    """The manifest of `folder`, if a conversion of this plan has come to its end there and its shards are still there.

    Raises UserError if the folder has another data set.
    """
    manifest = read_manifest(folder)
    if manifest and manifest.name != "imagenet":
        raise UserError(f"--data_dir={folder} holds {manifest.name}. Give another folder.")
    if not manifest or manifest.plan != digest:
        return None
    sizes = {file: path.stat().st_size for file in manifest.file_bytes if (path := folder / file).is_file()}
    return manifest if sizes == manifest.file_bytes else None


def _finished(digest: str, folder: Path, work: Path) -> dict[str, Written]:
    """The shards of this plan that are there. Raises UserError if there are others."""
    finished = {}
    for note in work.glob("*.json"):
        noted = json.loads(note.read_text(encoding="utf-8"))
        shard = folder / note.stem
        if noted.pop("plan", None) == digest and shard.is_file() and shard.stat().st_size == noted["bytes"]:
            finished[shard.name] = Written(**noted)
    others = sorted({path.name for each in (TRAIN, VALIDATION) for path in folder.glob(each)} - finished.keys())
    if others:
        raise UserError(
            f"--data_dir={folder} holds shards that come from other images, another seed or another size of shards, or "
            f"were changed: {listed(others)}. Remove them, or give another folder."
        )
    return finished


def _manifest(images: str, source: str, digest: str, written: dict[str, Written], findings: Findings) -> Manifest:
    for split in ("train", "validation"):
        shards = [shard for name, shard in written.items() if name.startswith(split)]
        if shards and not sum(shard.examples for shard in shards):
            raise UserError(f"None of the images of {split} can be used:\n{describe(findings.by_kind)}")
    return Manifest(
        "imagenet",
        source,
        images,
        {name: shard.examples for name, shard in written.items()},
        file_bytes={name: shard.bytes for name, shard in written.items()},
        findings=findings.by_kind,
        plan=digest,
    )
