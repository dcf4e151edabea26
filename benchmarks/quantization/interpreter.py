"""A LiteRT model that is ready to run."""

from __future__ import annotations

from importlib import metadata
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from benchmarks.quantization.conversion import Images


class LiteModel:
    """The .tflite file `model` for batches of `batch_size` images, run by so many `threads`.

    Its kernels are XNNPACK's, where that has them, as is LiteRT's default. Images and logits are float32: what is
    computed in other numbers is brought there and back within the model.
    """

    def __init__(self, model: bytes, batch_size: int, threads: int) -> None:
        self.batch_size = batch_size
        self._interpreter = Interpreter(model_content=model, num_threads=threads)
        (taken,), (made,) = self._interpreter.get_input_details(), self._interpreter.get_output_details()
        self._images, self._logits = taken["index"], made["index"]
        self._interpreter.resize_tensor_input(self._images, [batch_size, *taken["shape"][1:]])
        self._interpreter.allocate_tensors()

    def __call__(self, images: Images) -> np.ndarray[Any, Any]:
        """The logits, [batch, classes], of a batch of just that size."""
        self._interpreter.set_tensor(self._images, images)
        self._interpreter.invoke()
        logits: np.ndarray[Any, Any] = self._interpreter.get_tensor(self._logits)
        return logits


def runtime() -> str:
    """The interpreter's name and version."""
    return f"LiteRT {metadata.version('ai-edge-litert')}"
