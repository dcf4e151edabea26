"""A small archive in the layout of CIFAR-10 from generated images, for machines without a network.

An image's class shows in its hue and in the direction of its stripes, under noise: a network learns it within a few
dozen steps, so a falling loss says that training works. It says nothing about accuracy on photographs.
"""

from __future__ import annotations

import colorsys
import gzip
import io
import pickle
import tarfile
from pathlib import Path

import numpy as np

from benchmarks.inputs.cifar10_archive import FOLDER, META, NUM_CLASSES, SAMPLE_MARK, TEST_BATCH, TRAIN_BATCHES

_EXAMPLES_PER_BATCH = 400  # 40 a class; 1600 to train on
_STRIPE_CYCLES = 4.0  # across the 32 pixels
_NOISE = 30.0  # standard deviation, of 255
_PICKLE_PROTOCOL = 2  # that of the published batches


def write(path: Path, *, seed: int = 0, examples_per_batch: int = _EXAMPLES_PER_BATCH) -> None:
    """Write the archive to `path`: five training batches and the test batch of `examples_per_batch` images each.

    The same seed gives the same images. Every batch says in its `batch_label` that it is a sample.
    """
    random = np.random.default_rng(seed)
    names = (*TRAIN_BATCHES, TEST_BATCH)
    with (
        path.open("wb") as file,
        gzip.GzipFile("", "wb", compresslevel=1, fileobj=file, mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w") as tar,
    ):
        for name in names:
            _add(tar, name, _batch(random, examples_per_batch, f", seed {seed}: {name}"))
        _add(tar, META, _meta(examples_per_batch))


def images_of(labels: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """An image for each label: uint8 [n, 3072], channels outermost.

    Class k has the hue k/10 and stripes turned by 18 k degrees, at a random phase.
    """
    hues = np.array([colorsys.hsv_to_rgb(k / NUM_CLASSES, 0.6, 1.0) for k in range(NUM_CLASSES)], np.float32)
    angle = (np.pi * labels / NUM_CLASSES).astype(np.float32)[:, None, None]
    phase = random.uniform(0, 2 * np.pi, (len(labels), 1, 1)).astype(np.float32)
    row, column = np.mgrid[0:32, 0:32].astype(np.float32) / 32
    stripes = np.sin(2 * np.pi * _STRIPE_CYCLES * (column * np.cos(angle) + row * np.sin(angle)) + phase)
    brightness = 128 + 64 * stripes[:, None]
    pixels = brightness * hues[labels][:, :, None, None]
    pixels += _NOISE * random.standard_normal(pixels.shape, np.float32)
    images: np.ndarray = np.clip(np.rint(pixels), 0, 255).astype(np.uint8).reshape(len(labels), -1)
    return images


def _batch(random: np.random.Generator, examples: int, title: str) -> dict[bytes, object]:
    labels = random.permutation(np.arange(examples) % NUM_CLASSES)
    return {
        b"batch_label": SAMPLE_MARK + b" of generated images" + title.encode(),
        b"labels": labels.tolist(),
        b"data": images_of(labels, random),
        b"filenames": [b"generated_%05d.png" % index for index in range(examples)],
    }


def _meta(examples: int) -> dict[bytes, object]:
    return {
        b"num_cases_per_batch": examples,
        b"label_names": [b"stripes_%d" % label for label in range(NUM_CLASSES)],
        b"num_vis": 3072,
    }


def _add(tar: tarfile.TarFile, name: str, content: dict[bytes, object]) -> None:
    data = pickle.dumps(content, _PICKLE_PROTOCOL)
    member = tarfile.TarInfo(f"{FOLDER}/{name}")
    member.size = len(data)
    tar.addfile(member, io.BytesIO(data))
