"""Where the images of ImageNet are read from, one by one: from the records of shards, or from a file each."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tensorflow as tf

from benchmarks.inputs import imagenet_folder, shards
from benchmarks.inputs.imagenet_records import Record, parse
from benchmarks.inputs.pipeline_options import PipelineOptions
from benchmarks.inputs.record_errors import way_out


class Images(ABC):
    """Images of which every tower reads a share."""

    @abstractmethod
    def share(self, tower: int, num_towers: int, seed: int, options: PipelineOptions) -> tf.data.Dataset:
        """One epoch of the images of `tower`, as they are stored, in an order that is drawn anew every epoch."""

    @abstractmethod
    def record(self, *element: Any) -> Record:
        """What an element of `share` holds. What is no image with a label ends the step with an error."""

    @abstractmethod
    def name(self, record: Record) -> tf.Tensor:
        """Where `record` was read, in words: a scalar string."""


@dataclass(frozen=True)
class Shards(Images):
    """The records of the TFRecord files `paths`."""

    paths: Sequence[Path]

    @classmethod
    def in_folder(cls, folder: str | Path) -> Shards:
        """The shards to train on in `folder`. Raises UserError where they are not complete."""
        return cls(shards.find(Path(folder), shards.TRAIN, way_out("imagenet", folder)))

    def share(self, tower: int, num_towers: int, seed: int, options: PipelineOptions) -> tf.data.Dataset:
        """Serialised records, with the numbers of their files and those within them; drawn is the order of the files.

        Each tower has as many files as the others for itself. Those that are left over are read by all as one stream,
        of which each takes its share of the records: so a file more or less makes no tower's images come more often.
        """
        own = len(self.paths) - len(self.paths) % num_towers
        streams = [(file, file + 1, 1, 0) for file in range(tower, own, num_towers)]
        if own < len(self.paths):
            streams.append((own, len(self.paths), num_towers, tower))
        paths = tf.constant([str(path) for path in self.paths])

        def of_file(file: tf.Tensor) -> tf.data.Dataset:
            numbers = tf.data.Dataset.from_tensors(file).repeat()
            return tf.data.Dataset.zip((numbers, tf.data.TFRecordDataset(paths[file]).enumerate()))

        def records(first: tf.Tensor, end: tf.Tensor, parts: tf.Tensor, part: tf.Tensor) -> tf.data.Dataset:
            of_stream = tf.data.Dataset.range(first, end).flat_map(of_file).shard(parts, part)
            return of_stream if options.records_ahead is None else of_stream.prefetch(options.records_ahead)

        # Columns, so that shard() is given arguments: TensorFlow crashes if it is given outputs of an operation.
        columns = tuple(tf.constant(column, tf.int64) for column in zip(*streams, strict=True))
        drawn = tf.data.Dataset.from_tensor_slices(columns).shuffle(len(streams), seed=seed)
        return drawn.interleave(
            records,
            cycle_length=options.files_at_once,
            num_parallel_calls=tf.data.AUTOTUNE,
            deterministic=not options.sloppy,
        )

    def record(self, *element: Any) -> Record:
        """The record that a scalar string holds."""
        file, (index, serialised) = element
        return parse(serialised)._replace(origin=(file, index))

    def name(self, record: Record) -> tf.Tensor:
        """File, and number of the record in it, from 0 on."""
        file, index = record.origin
        return tf.strings.join(
            [tf.constant([path.name for path in self.paths])[file], ", record ", tf.as_string(index)]
        )


@dataclass(frozen=True)
class Files(Images):
    """Images in a file each, at `paths`, with their `labels` from 1 on."""

    paths: Sequence[str]
    labels: Sequence[int]

    @classmethod
    def in_folder(cls, folder: str | Path) -> Files:
        """FOLDER/train/CLASS/IMAGE or FOLDER/CLASS/IMAGE. Raises UserError where there are none."""
        classes, splits = imagenet_folder.read(Path(folder), flag="--data_dir")
        (train,) = (split for split in splits if split.name == "train")
        labels = [classes.labels[image.split("/", 1)[0]] for image in train.images]
        return cls([str(train.folder / image) for image in train.images], labels)

    def share(self, tower: int, num_towers: int, seed: int, options: PipelineOptions) -> tf.data.Dataset:
        """The path of each file, what stands in it, and its label; the order is drawn over all files."""
        files = tf.data.Dataset.from_tensor_slices((list(self.paths), tf.constant(self.labels, tf.int32)))
        return (
            files.shard(num_towers, tower)
            .shuffle(len(self.paths), seed=seed)
            .map(
                lambda path, label: (path, tf.io.read_file(path), label),
                num_parallel_calls=tf.data.AUTOTUNE,
                deterministic=not options.sloppy,
            )
        )

    def record(self, *element: Any) -> Record:
        """Image and label; a file tells of no boxes."""
        path, data, label = element
        return Record(data, label, (tf.zeros([0]),) * 4, (path,))

    def name(self, record: Record) -> tf.Tensor:
        """The path of the file."""
        return record.origin[0]
