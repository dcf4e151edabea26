"""A network quantised: both its models, and what is known of them before anything is run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from benchmarks.quantization import model_file
from benchmarks.quantization.conversion import FLOAT, Conversion, Images, Inference, convert, inference_of
from benchmarks.quantization.model_file import ModelFile
from benchmarks.quantization.transforms import Graph, count, transforms
from benchmarks.step import StepOptions
from models.network import Network
from variable_mgr.store import Store


@dataclass(frozen=True)
class Quantized:
    """A network as TensorFlow computes it, `inference`, and converted: `plain` in float32, `narrow` as `mode` says."""

    mode: str
    inference: Inference
    plain: Conversion
    narrow: Conversion
    calibration_images: int = 0

    @cached_property
    def files(self) -> tuple[ModelFile, ModelFile]:
        """What is in the float model, and in the quantised one."""
        return model_file.read(self.plain.model), model_file.read(self.narrow.model)

    @property
    def traced(self) -> Graph:
        """What is in the graph that both were converted from."""
        concrete = self.inference.concrete
        return count(concrete.graph, concrete.inputs[0], concrete.outputs)

    def facts(self) -> dict[str, Any]:
        """The part of the record's section that the models themselves tell; sizes are in bytes."""
        plain, narrow = self.files
        return {
            "mode": self.mode,
            "calibration_images": self.calibration_images,
            "conversion_seconds": self.narrow.seconds,
            "float_bytes": len(self.plain.model),
            "quantized_bytes": len(self.narrow.model),
            "constant_bytes": {"float": plain.constant_bytes(), "quantized": narrow.constant_bytes()},
            "operators": {"traced": self.traced.kinds, "float": plain.kinds(), "quantized": narrow.kinds()},
            "operators_in_float": narrow.in_float(),
            "transforms": transforms(self.traced, plain, narrow),
        }


def quantize(
    network: Network,
    store: Store,
    options: StepOptions,
    mode: str,
    calibration: Callable[[], Images],
    on_image: Callable[[int], None] = lambda _: None,
) -> Quantized:
    """`network` with the variables of `store`, quantised as `mode` says.

    `calibration` gives images, for int8 alone, and `on_image` is told the number of each that is in its turn.
    """
    inference = inference_of(network, store, options)
    images = calibration() if mode == "int8" else None
    plain, narrow = convert(inference, FLOAT), convert(inference, mode, images, on_image)
    return Quantized(mode, inference, plain, narrow, 0 if images is None else len(images))
