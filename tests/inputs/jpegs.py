"""Makes JPEGs for tests by Pillow, which shares no code with what is tested, and folders and shards of them."""

import io

import numpy as np
import tensorflow as tf
from PIL import Image


def encoded(pixels, mode="RGB", kind="JPEG", **options):
    """The bytes of an image file of `pixels`, uint8 [height, width, 3]."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(buffer, kind, **({"quality": 95} if kind == "JPEG" else {}) | options)
    return buffer.getvalue()


def pixels_of(number, height=24, width=32):
    """An image that is smooth, as photographs are, and differs for each number."""
    row, column = np.mgrid[0:height, 0:width]
    channels = [
        (40 * number + 3 * row) % 512,
        (90 * number + 4 * column) % 512,
        (17 * number + 2 * row + column) % 512,
    ]
    return np.abs(np.stack(channels, axis=-1) - 256).clip(0, 255).astype(np.uint8)


def even(number, height=24, width=32):
    """An image of one colour, which tells it from all numbers below 4096 after resizing, and within JPEG's errors."""
    levels = [8 + 16 * (number // 16**digit % 16) for digit in range(3)]
    return np.broadcast_to(np.array(levels, np.uint8), (height, width, 3)).copy()


def number_of(image):
    """The number of an even image, float32 [height, width, 3] in [-1, 1]."""
    levels = (image.mean(axis=(0, 1)) + 1) * 127.5
    return sum(int(np.rint((level - 8) / 16)) * 16**digit for digit, level in enumerate(levels))


def folder(path, classes=3, images=4, split="train"):
    """PATH/SPLIT/CLASS/IMAGE.JPEG, all different; returns PATH."""
    for label in range(classes):
        of_class = path / split / f"n{label:02d}"
        of_class.mkdir(parents=True, exist_ok=True)
        for index in range(images):
            number = label * images + index
            (of_class / f"image{index:03d}.JPEG").write_bytes(encoded(pixels_of(number, 24 + number % 5)))
    return path


def record(data, label=1, boxes=(), **others):
    """A serialised example; None leaves a feature out. `boxes` are of ymin, xmin, ymax, xmax."""
    feature = dict(others)
    if data is not None:
        feature["image/encoded"] = tf.train.Feature(bytes_list=tf.train.BytesList(value=[data]))
    if label is not None:
        feature["image/class/label"] = tf.train.Feature(int64_list=tf.train.Int64List(value=[label]))
    for side, values in zip(("ymin", "xmin", "ymax", "xmax"), zip(*boxes, strict=True), strict=False):
        feature[f"image/object/bbox/{side}"] = tf.train.Feature(float_list=tf.train.FloatList(value=values))
    return tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString()


def write_shards(path, *shards, split="train"):
    """Write a shard of each of the lists of records; returns their paths."""
    paths = [path / f"{split}-{number:05d}-of-{len(shards):05d}" for number in range(len(shards))]
    for shard, records in zip(paths, shards, strict=True):
        with tf.io.TFRecordWriter(str(shard)) as writer:
            for each in records:
                writer.write(each)
    return paths


def black_and_white(path):
    """Shards of black images of the first class and white ones of the second: 22 to train on, 13 to evaluate on."""
    path.mkdir(exist_ok=True)
    images = [encoded(np.full((16, 16, 3), value, np.uint8)) for value in (0, 255)]
    for split, count in (("train", 22), ("validation", 13)):
        classes = [number // 2 % 2 for number in range(count)]  # both for each of two towers
        write_shards(path, [record(images[each], label=1 + each) for each in classes], split=split)
    return path
