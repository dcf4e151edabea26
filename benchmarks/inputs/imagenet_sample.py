"""A small folder of generated JPEGs in the layout of ImageNet, for machines without it.

Sizes and bytes are those of ImageNet's images, about 500 x 375 pixels in 100 kB, so reading and decoding cost what they
cost there. An image's class shows in its hue and in the direction of its stripes, under noise: a falling loss says that
training works, and nothing about accuracy on photographs.
"""

from __future__ import annotations

import colorsys
from collections.abc import Callable
from pathlib import Path

import numpy as np

NUM_CLASSES = 10
IMAGES = {"train": 20, "validation": 4}  # a class
NUM_IMAGES = NUM_CLASSES * sum(IMAGES.values())

_WIDTH, _HEIGHT, _SCATTER = 500, 375, 0.12  # pixels, and the standard deviation of their logarithms
_PORTRAITS = 0.25  # the share of images that stand upright
_STRIPES = 6.0  # across the longer side
_BLOTCH, _BLOTCHES, _NOISE = 12, 35.0, 16.0  # side of a blotch; deviation of blotches and of pixels, of 255
_QUALITY = 90


def write(folder: Path, *, seed: int = 0, on_images: Callable[[int], None] = lambda _: None) -> None:
    """Write FOLDER/SPLIT/CLASS/IMAGE.JPEG, the same files for the same seed; `folder` must not exist."""
    import tensorflow as tf

    random = np.random.default_rng(seed)
    for split, count in IMAGES.items():
        for number in range(NUM_CLASSES):
            name = f"generated{number:02d}"
            of_class = folder / split / name
            of_class.mkdir(parents=True)
            for index in range(count):
                data = tf.io.encode_jpeg(image_of(number, random), quality=_QUALITY).numpy()
                (of_class / f"{name}_{index}.JPEG").write_bytes(data)
                on_images(1)


def image_of(number: int, random: np.random.Generator) -> np.ndarray:
    """An image of class `number`: uint8 [height, width, 3]. Hue and stripes turn by number/10."""
    height, width = _size(random)
    angle, phase = np.pi * number / NUM_CLASSES, random.uniform(0, 2 * np.pi)
    row, column = np.mgrid[0:height, 0:width].astype(np.float32) / max(height, width)
    stripes = np.sin(2 * np.pi * _STRIPES * (column * np.cos(angle) + row * np.sin(angle)) + phase)
    hue = np.array(colorsys.hsv_to_rgb(number / NUM_CLASSES, 0.6, 1.0), np.float32)
    coarse = random.standard_normal((-(-height // _BLOTCH), -(-width // _BLOTCH), 3), np.float32)
    blotches = np.kron(coarse, np.ones((_BLOTCH, _BLOTCH, 1), np.float32))[:height, :width]
    pixels = (128 + 48 * stripes[:, :, None]) * hue + _BLOTCHES * blotches
    pixels += _NOISE * random.standard_normal(pixels.shape, np.float32)
    image: np.ndarray = np.clip(np.rint(pixels), 0, 255).astype(np.uint8)
    return image


def _size(random: np.random.Generator) -> tuple[int, int]:
    """Height and width of an image."""
    scatter = np.exp(random.normal(0, _SCATTER, 2))
    height, width = (int(side) for side in np.rint(scatter * (_HEIGHT, _WIDTH)))
    return (width, height) if random.random() < _PORTRAITS else (height, width)
