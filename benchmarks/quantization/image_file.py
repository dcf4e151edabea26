"""A file with an image, as a network wants it."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from benchmarks.errors import UserError
from benchmarks.inputs import cifar10_images, image_windows, imagenet_images
from benchmarks.inputs.imagenet_images import Preparation
from benchmarks.quantization.conversion import Images

_COLOURS = {1: "grey", 2: "grey with transparency", 4: "RGB with transparency, or CMYK"}


def decoded(given: str, data: bytes) -> tf.Tensor:
    """The pixels of a file's `data`, uint8 [height, width, 3]; of an animation those of its first picture.

    Raises UserError, which names it as it was `given`, where it is no image, or not RGB: how to make it so is the
    user's to say.
    """
    try:
        pixels = tf.io.decode_image(data, channels=0, expand_animations=False)
        # TensorFlow makes RGB of a JPEG's CMYK, and not always the right one.
        channels = int(tf.io.extract_jpeg_shape(data)[2] if tf.io.is_jpeg(data) else pixels.shape[-1])
    except (tf.errors.InvalidArgumentError, tf.errors.UnimplementedError) as error:
        raise UserError(
            f"{given} is no image that can be decoded. Give a JPEG, PNG, GIF or BMP file that is whole."
        ) from error
    if channels != 3:
        raise UserError(
            f"{given} is {_COLOURS.get(channels, 'no RGB image')} ({channels} channel(s)), and the models were made "
            "for RGB. Convert it, as ImageMagick does: convert FILE -alpha remove -type TrueColor PNG24:rgb.png."
        )
    return pixels


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
