"""All options of a run in one frozen value."""

from __future__ import annotations

import dataclasses
import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from benchmarks.params.cluster_options import ClusterOptions
from benchmarks.params.device_options import DeviceOptions
from benchmarks.params.evaluation_options import EvaluationOptions
from benchmarks.params.input_options import InputOptions
from benchmarks.params.length_options import LengthOptions
from benchmarks.params.model_options import ModelOptions
from benchmarks.params.optimizer_options import OptimizerOptions
from benchmarks.params.option import Option, options_of
from benchmarks.params.output_options import OutputOptions
from benchmarks.params.precision_options import PrecisionOptions
from benchmarks.params.quantization_options import QuantizationOptions
from benchmarks.params.variable_options import VariableOptions


@dataclass(frozen=True, kw_only=True)
class Params(
    ModelOptions,
    LengthOptions,
    InputOptions,
    DeviceOptions,
    VariableOptions,
    PrecisionOptions,
    OptimizerOptions,
    OutputOptions,
    EvaluationOptions,
    QuantizationOptions,
    ClusterOptions,
):
    """What was asked for, or, once resolved, what is run. Each base class is one group of options."""

    TITLE: ClassVar[str] = "All options"


class ResolvedParams(Params):
    """What is run: nothing is open any more but what TensorFlow decides by itself."""

    if TYPE_CHECKING:
        data_name: str
        num_batches: int
        num_epochs: float
        num_warmup_batches: int
        local_parameter_device: str
        bytes_per_pack: int
        gradient_transfer: str
        precision: str
        init_learning_rate: float


@functools.cache
def options() -> dict[str, Option]:
    """Every option by name, in the order of the groups."""
    return {option.name: option for group in Params.__bases__ for option in options_of(group)}


def configuration(params: Params) -> dict[str, Any]:
    """What makes two runs repeats of one another: all options but the run-only ones."""
    return {name: value for name, value in dataclasses.asdict(params).items() if not options()[name].run_only}
