"""A LiteRT model that is ready to run."""

from __future__ import annotations

from importlib import metadata
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from benchmarks.quantization.conversion import Images


class LiteModel:
    """The .tflite file `model` for batches of `batch_size` images, run by so many `threads`.

    Its kernels are XNNPACK's, where that has them, as is LiteRT's default. It refuses some models whole, such as those
    with an activation that is always 0, whose range is none: then `refusal` says why, and LiteRT's own kernels run it.
    Images and logits are float32: what is computed in other numbers is brought there and back within the model.
    """

    def __init__(self, model: bytes, batch_size: int, threads: int) -> None:
        self.batch_size = batch_size
        self.refusal = ""
        try:
            self._ready(Interpreter(model_content=model, num_threads=threads))
        except RuntimeError as error:
            if "XNNPACK" not in str(error):
                raise
            self.refusal = str(error)
            own_kernels = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
            self._ready(
                Interpreter(model_content=model, num_threads=threads, experimental_op_resolver_type=own_kernels)
            )

    def _ready(self, interpreter: Any) -> None:
        self._interpreter = interpreter
        (taken,), (made,) = interpreter.get_input_details(), interpreter.get_output_details()
        self._images, self._logits = taken["index"], made["index"]
        interpreter.resize_tensor_input(self._images, [self.batch_size, *taken["shape"][1:]])
        interpreter.allocate_tensors()

    def __call__(self, images: Images) -> np.ndarray[Any, Any]:
        """The logits, [batch, classes], of a batch of just that size."""
        self._interpreter.set_tensor(self._images, images)
        self._interpreter.invoke()
        logits: np.ndarray[Any, Any] = self._interpreter.get_tensor(self._logits)
        return logits


def runtime() -> str:
    """The interpreter's name and version."""
    return f"LiteRT {metadata.version('ai-edge-litert')}"
