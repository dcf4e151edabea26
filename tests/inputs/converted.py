"""Converts folders of images as the command does, and looks at what it left."""

import json

import tensorflow as tf

from benchmarks.inputs import imagenet


def convert(data, *arguments):
    return imagenet.main([f"--data_dir={data}", *map(str, arguments)])


def shards(data):
    return {path.name: path.read_bytes() for path in sorted(data.glob("*-of-*"))}


def examples(data, split="train"):
    """Features of the records by name, read by TensorFlow's own parser."""
    paths = [str(path) for path in sorted(data.glob(f"{split}-*"))]
    found = []
    for serialised in tf.data.TFRecordDataset(paths):
        features = tf.train.Example.FromString(serialised.numpy()).features.feature
        found.append({name: getattr(value, value.WhichOneof("kind")).value for name, value in features.items()})
    return found


def manifest(data):
    return json.loads((data / "dataset.json").read_text())
