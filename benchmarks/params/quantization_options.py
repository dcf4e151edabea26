"""Options of inference with narrow numbers."""

from dataclasses import dataclass
from typing import ClassVar

from benchmarks.params.conditions import WITH_INT8, WITH_QUANTIZE
from benchmarks.params.option import option


@dataclass(frozen=True, kw_only=True)
class QuantizationOptions:
    """How --forward_only computes, where that is not by TensorFlow in --precision."""

    TITLE: ClassVar[str] = "Quantised inference"

    quantize: str = option(
        "none",
        "With --forward_only: convert the model by post-training quantisation and run it by LiteRT on the CPU, with "
        "--num_intra_threads threads (or one for each processor). int8: weights and activations, whose ranges images "
        "of the input tell; int8_dynamic: weights, and activations as they come; fp16: weights alone; none: "
        "TensorFlow runs the model as it is. --train_dir names the training whose latest checkpoint has the weights.",
        choices=("none", "int8", "int8_dynamic", "fp16"),
    )
    num_calibration_images: int = option(
        100, "Images of the input from which --quantize=int8 takes the ranges.", lower_bound=1, acts=WITH_INT8
    )
    quantized_file: str | None = option(
        None, "File for the quantised model (.tflite).", acts=WITH_QUANTIZE, run_only=True
    )
