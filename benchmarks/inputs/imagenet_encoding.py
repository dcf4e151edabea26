"""One image as it goes into a record of ImageNet: looked at, mended where that is honest, or refused with a reason."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

import tensorflow as tf

from benchmarks.inputs.imagenet_findings import LEFT_OUT

_PNG = b"\x89PNG\r\n\x1a\n"
_QUALITY = 100  # of images that are encoded anew: they lose as little as a JPEG can


class BadImageError(Exception):
    """An image that has to be left out; `kind` is one of LEFT_OUT."""

    def __init__(self, kind: str) -> None:
        super().__init__(LEFT_OUT[kind])
        self.kind = kind


@dataclass(frozen=True)
class Jpeg:
    """An image that decodes to the end; `finding` is one of the kinds KEPT or MENDED, or empty."""

    data: bytes
    height: int
    width: int
    channels: int = 3
    finding: str = ""


def checked(data: bytes) -> Jpeg:
    """`data`, the content of an image's file, as a JPEG. Raises BadImageError where it is none that can be used."""
    if not data:
        raise BadImageError("empty")
    try:
        if data.startswith(_PNG):
            if not _is_whole(data):
                raise BadImageError("damaged")
            return _encoded_anew(tf.io.decode_png(data, channels=3), "PNG")
        if not tf.io.is_jpeg(data):
            raise BadImageError("no JPEG")
        height, width, channels = tf.io.extract_jpeg_shape(data).numpy().tolist()
        if channels == 4:
            return _encoded_anew(tf.io.decode_jpeg(data, channels=3), "CMYK")
        tf.io.decode_jpeg(data, ratio=8)  # reads all of the data, and makes an eighth of the rows and columns
    except (tf.errors.InvalidArgumentError, tf.errors.ResourceExhaustedError) as error:
        raise BadImageError("damaged") from error
    return Jpeg(data, height, width, channels, "grayscale" if channels == 1 else "")


def example(jpeg: Jpeg, *, file: str, synset: str, label: int, text: str) -> bytes:
    """The serialised tf.train.Example of an image, with the features of the usual ImageNet files.

    `label` counts from 1. There are no bounding boxes: the features are there, and empty.
    """
    feature = {
        "image/encoded": _bytes(jpeg.data),
        "image/format": _bytes(b"JPEG"),
        "image/filename": _bytes(file.encode(errors="surrogateescape")),
        "image/height": _int64(jpeg.height),
        "image/width": _int64(jpeg.width),
        "image/channels": _int64(jpeg.channels),
        "image/colorspace": _bytes(b"RGB" if jpeg.channels == 3 else b"Grayscale"),
        "image/class/label": _int64(label),
        "image/class/synset": _bytes(synset.encode(errors="surrogateescape")),
        "image/class/text": _bytes(text.encode()),
        "image/object/bbox/label": tf.train.Feature(int64_list=tf.train.Int64List()),
        **{
            f"image/object/bbox/{side}": tf.train.Feature(float_list=tf.train.FloatList())
            for side in ("xmin", "ymin", "xmax", "ymax")
        },
    }
    whole = tf.train.Example(features=tf.train.Features(feature=feature))
    serialised: bytes = whole.SerializeToString(deterministic=True)
    return serialised


def _is_whole(png: bytes) -> bool:
    """Whether the chunks of `png` have their checksums, to the last: TensorFlow fills up what is missing."""
    position = len(_PNG)
    while position + 12 <= len(png):
        length, kind = struct.unpack_from(">I4s", png, position)
        end = position + 8 + length
        if png[end : end + 4] != struct.pack(">I", zlib.crc32(png[position + 4 : end])):
            return False
        if kind == b"IEND":
            return True
        position = end + 4
    return False


def _encoded_anew(pixels: tf.Tensor, finding: str) -> Jpeg:
    data = tf.io.encode_jpeg(pixels, format="rgb", quality=_QUALITY, chroma_downsampling=False).numpy()
    return Jpeg(data, pixels.shape[0], pixels.shape[1], finding=finding)


def _bytes(value: bytes) -> tf.train.Feature:
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))


def _int64(value: int) -> tf.train.Feature:
    return tf.train.Feature(int64_list=tf.train.Int64List(value=[value]))
