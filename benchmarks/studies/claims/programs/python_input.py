"""CIFAR-10's batches, augmented and standardised: made by Python with NumPy and fed to the step, or made by tf.data.

The figure is images a second of a step that does nothing else. Without the model nothing hides what the input takes.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from benchmarks.input_step import InputStep
from benchmarks.inputs import cifar10_images, cifar10_records
from benchmarks.inputs.feed import Feed
from benchmarks.inputs.towers import ImageSpec, TowerGroup, TowerInput, cifar10_towers
from benchmarks.studies.claims.programs.told import tell

WAYS = ("python", "tf.data")
_WARM_UP = 10  # steps
_SEED = 0


class MadeByPython(Feed):
    """Batches that NumPy draws and prepares, one when it is asked for, as a user of feed_dict wrote it."""

    def __init__(self, pixels: np.ndarray, labels: np.ndarray, batch_size: int) -> None:
        self._pixels, self._labels, self._batch_size = pixels, labels, batch_size
        self._random = np.random.default_rng(_SEED)
        size = cifar10_images.SIZE
        self.specs = (tf.TensorSpec([batch_size, size, size, 3]), tf.TensorSpec([batch_size], tf.int32))
        self._arguments = None

    def arrays(self) -> Sequence[Any]:
        """Images, float32 [batch, 32, 32, 3], and their labels: the same work as that of the pipeline."""
        chosen = self._random.integers(0, len(self._labels), self._batch_size)
        margin, size = cifar10_images.PADDING, cifar10_images.SIZE
        padded = np.pad(self._pixels[chosen].astype(np.float32), ((0, 0), (margin, margin), (margin, margin), (0, 0)))
        images = np.empty((self._batch_size, size, size, 3), np.float32)
        offsets = self._random.integers(0, 2 * margin + 1, (self._batch_size, 2))
        mirrored = self._random.integers(0, 2, self._batch_size)
        for image, whole, (row, column), mirror in zip(images, padded, offsets, mirrored, strict=True):
            cropped = whole[row : row + size, column : column + size]
            image[:] = cropped[:, ::-1] if mirror else cropped
        images -= images.mean(axis=(1, 2, 3), keepdims=True)
        images /= np.maximum(images.std(axis=(1, 2, 3), keepdims=True), (3 * size**2) ** -0.5)
        return images, self._labels[chosen]


def stored(data_dir: Path) -> tuple[np.ndarray, np.ndarray]:
    """All training images in memory, uint8 [n, 32, 32, 3], and their labels, int32."""
    records = tf.data.TFRecordDataset(str(cifar10_records.find(data_dir, "train.tfrecords")))
    (pixels, labels) = cifar10_images.decode(next(iter(records.batch(100_000))))
    return pixels.numpy().transpose(0, 2, 3, 1), labels.numpy()


def input_of(way: str, data_dir: Path, batch_size: int) -> TowerInput:
    """The input of one tower on the CPU."""
    if way == "python":
        return MadeByPython(*stored(data_dir), batch_size)
    size = cifar10_images.SIZE
    spec = ImageSpec(batch_size, size, size)
    (only,) = cifar10_towers(data_dir, spec, TowerGroup.of_all(["/cpu:0"]), _SEED, distortions=True)
    return only


def seconds_of(step: Callable[[], object], steps: int, clock: Callable[[], float] = time.perf_counter) -> float:
    """What so many steps take together."""
    begin = clock()
    for _ in range(steps):
        step()
    return clock() - begin


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what `arguments` say, and tell it."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--way", choices=WAYS, required=True)
    parser.add_argument("--data_dir", type=Path, required=True, help="of benchmarks.inputs.cifar10")
    parser.add_argument("--batch_size", type=int, required=True)
    parser.add_argument("--steps", type=int, required=True)
    options = parser.parse_args(arguments)
    step = InputStep(["/cpu:0"], [input_of(options.way, options.data_dir, options.batch_size)])
    step.trace()
    seconds_of(step, _WARM_UP)
    used = time.process_time()
    seconds = seconds_of(step, options.steps)
    processors = (time.process_time() - used) / seconds
    return tell(
        options.steps * options.batch_size / seconds,
        microseconds=1e6 * seconds / options.steps,
        processors=processors,
    )


if __name__ == "__main__":
    sys.exit(main())
