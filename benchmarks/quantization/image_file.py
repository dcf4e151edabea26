"""A file with an image, as a network wants it."""

from __future__ import annotations

import io
import struct
import warnings
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from benchmarks.errors import UserError
from benchmarks.inputs import cifar10_images, image_windows, imagenet_images
from benchmarks.inputs.imagenet_images import Preparation
from benchmarks.quantization.conversion import Images

UPRIGHT = 1  # the EXIF orientation of pixels that are stored as they are to be seen
# What Pillow raises for EXIF data that are none.
_NO_EXIF = (SyntaxError, ValueError, TypeError, KeyError, struct.error, OSError)
_COLOURS = {1: "grey", 2: "grey with transparency", 4: "RGB with transparency, or CMYK"}


class Picture(NamedTuple):
    """`pixels` of an image, uint8 [height, width, 3], upright, and the EXIF `orientation` that its file has them in.

    None: its EXIF data cannot be read. Viewers show such an image as it is stored, and it is taken so here.
    """

    pixels: tf.Tensor
    orientation: int | None


def decoded(given: str, data: bytes) -> Picture:
    """What is in a file's `data`; of an animation its first picture.

    Raises UserError, which names it as it was `given`, where it is no image, or not RGB: how to make it so is the
    user's to say.
    """
    try:
        pixels = tf.io.decode_image(data, channels=0, expand_animations=False)
        # TensorFlow makes RGB of a JPEG's CMYK, and not always the right one.
        channels = int(tf.io.extract_jpeg_shape(data)[2] if tf.io.is_jpeg(data) else pixels.shape[-1])
    except (tf.errors.InvalidArgumentError, tf.errors.UnimplementedError) as error:
        kinds = "GIF, BMP or WebP" if hasattr(tf.io, "decode_webp") else "GIF or BMP"
        raise UserError(f"{given} is no image that can be decoded. Give a whole JPEG, PNG, {kinds} file.") from error
    colours, orientation = _beside_the_pixels(given, data)
    if channels != 3:
        found = f"{_COLOURS.get(channels, 'no RGB image')} ({channels} channel(s))"
        if (colours, channels) == ("P", 1):  # a BMP, of whose colours TensorFlow decodes the numbers
            found = "of colours in a palette, which TensorFlow does not look up"
        raise UserError(
            f"{given} is {found}, and the models were made for RGB. Convert it, as ImageMagick does: convert FILE "
            "-alpha remove -type TrueColor PNG24:rgb.png."
        )
    if orientation is not None and orientation != UPRIGHT:
        pixels = _turned(pixels, orientation)
    return Picture(pixels, orientation)


def _beside_the_pixels(given: str, data: bytes) -> tuple[str, int | None]:
    """What TensorFlow does not tell of an image: Pillow's name for its colours, and the orientation of Picture."""
    try:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            with Image.open(io.BytesIO(data)) as image:
                colours, orientation = image.mode, _orientation(image)
    except (OSError, Image.DecompressionBombError) as error:
        # Of what Pillow does not know it tells no more than the address of the bytes.
        reason = "Pillow does not know it" if isinstance(error, UnidentifiedImageError) else str(error).rstrip(".")
        raise UserError(f"{given}: whether it is upright cannot be read: {reason}. Convert it to PNG.") from error
    # That the data end too early is a warning of Pillow's, which has then read a part of them.
    damaged = any(issubclass(each.category, UserWarning) for each in told)
    return colours, None if damaged else orientation


def _orientation(image: Image.Image) -> int | None:
    """The orientation by EXIF, 1 to 8; None where that cannot be read."""
    try:
        Image.Exif().load(image.info.get("exif", b""))  # which tells what is wrong: of a JPEG, getexif does not
        found = image.getexif().get(ExifTags.Base.Orientation, UPRIGHT)
    except _NO_EXIF:
        return None
    return found if found in range(UPRIGHT, 9) else UPRIGHT


def _turned(pixels: tf.Tensor, orientation: int) -> tf.Tensor:
    image = Image.fromarray(pixels.numpy())
    image.getexif()[ExifTags.Base.Orientation] = orientation
    return tf.constant(np.asarray(ImageOps.exif_transpose(image)))


def prepared(pixels: tf.Tensor, data_name: str, side: int, preparation: Preparation) -> Images:
    """`pixels` as an evaluation on the data set prepares its images: float32 [1, side, side, 3].

    Of ImageNet it is the middle; CIFAR-10's images are whole, and so is this one, brought to their size.
    """
    if data_name == "cifar10":
        image = tf.image.resize(pixels, [side, side], "area")
        standardised: Images = cifar10_images.standardised(tf.cast(image, tf.float32)[None]).numpy()
        return standardised
    square = preparation.official or preparation.resize_method == "crop"
    row, column, height, width = image_windows.central_window(tf.shape(pixels), square=square).numpy()
    middle = pixels[row : row + height, column : column + width]
    unused = tf.zeros([2], tf.int64)  # seeds of what is drawn for training
    finished = imagenet_images.finished(middle, preparation, side, side, tf.constant(0, tf.int64), [unused, unused])
    image_of_one: Images = finished.numpy()[None].astype(np.float32)
    return image_of_one
