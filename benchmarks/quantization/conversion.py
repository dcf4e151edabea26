"""A network as LiteRT models: with its float32 numbers, and with narrow ones.

The converter freezes the variables, and does what TensorFlow's graph transform tool did for inference: it strips what
the output does not need, folds constants and batch norms, and quantises weights and nodes.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import tensorflow as tf

from benchmarks.forward_step import inference
from benchmarks.step import StepOptions
from models.network import Network
from variable_mgr.store import Store

FLOAT = "none"
Images = np.ndarray[Any, Any]  # float32 [images, height, width, 3]


@dataclass(frozen=True)
class Inference:
    """The float32 logits of any number of images on the CPU.

    `function` is TensorFlow's, `concrete` one that computes the same and is to be converted, `module` what holds the
    variables.
    """

    function: Any
    concrete: Any
    module: tf.Module

    def __call__(self, images: Images) -> np.ndarray[Any, Any]:
        """The logits, [images, classes], as TensorFlow computes them."""
        logits: np.ndarray[Any, Any] = self.function(images).numpy()
        return logits


@dataclass(frozen=True)
class Conversion:
    """A model as a .tflite file has it, and the seconds that the converter took, calibration included."""

    model: bytes
    seconds: float


def inference_of(network: Network, store: Store, options: StepOptions) -> Inference:
    """What `network` computes with the variables of `store`, traced for batches of any size in NHWC."""
    module, spec = tf.Module(), tf.TensorSpec((None, network.image_size, network.image_size, 3), tf.float32)
    module.held = list(store.variables.values())  # the converter looks for them here

    def function(options: StepOptions) -> Any:
        compute = inference(network, options, "/cpu:0")
        return tf.function(lambda images: compute(store.read(), images), input_signature=[spec], autograph=False)

    to_convert = function(dataclasses.replace(options, quantizable=True))
    return Inference(function(options), to_convert.get_concrete_function(), module)


def convert(
    model: Inference,
    quantize: str,
    calibration: Images | None = None,
    on_image: Callable[[int], None] = lambda _: None,
) -> Conversion:
    """`model` converted as --quantize says, or with its float32 numbers (FLOAT).

    For int8 the ranges of activations are those that `calibration` images meet; `on_image` is told the number of each,
    from 1, before it does. An operation that has no int8 form stays in float32.
    """
    begin = time.perf_counter()
    converter = tf.lite.TFLiteConverter.from_concrete_functions([model.concrete], model.module)
    if quantize != FLOAT:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if quantize == "fp16":
        converter.target_spec.supported_types = [tf.float16]
    if quantize == "int8":
        assert calibration is not None, "ranges come from images"
        converter.representative_dataset = partial(_one_by_one, calibration, on_image)
    return Conversion(converter.convert(), time.perf_counter() - begin)


def _one_by_one(images: Images, on_image: Callable[[int], None]) -> Iterator[list[Images]]:
    for number, image in enumerate(images, 1):
        on_image(number)
        yield [image[None]]
