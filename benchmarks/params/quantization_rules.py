"""What --quantize needs, and what it excludes."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path

from benchmarks.params.checkpoint_rules import STATE_FILE
from benchmarks.params.cluster_rules import ROLES, several_processes
from benchmarks.params.conditions import quantizes
from benchmarks.params.output_files import file_problem
from benchmarks.params.params import Params
from benchmarks.params.resolve import precision
from benchmarks.params.rules import excluded, rule

LITERT = "ai_edge_litert"
_BY_LITERT = "LiteRT computes the step, and TensorFlow sees nothing of it"
_NOT_TRIED = "the trials are of TensorFlow's settings, which LiteRT does not heed"
_EXCLUDED = {
    "xla": "LiteRT computes the step, and XLA compiles nothing of it",
    "xla_compile": "LiteRT computes the step, and XLA compiles nothing of it",
    "find_batch_size": _NOT_TRIED,
    "tune_cpu": _NOT_TRIED,
    "measure_peak": "the peak would be that of TensorFlow's kernels",
    "onednn_verbose": "LiteRT computes the step, and oneDNN nothing of it",
    "summary_verbosity": "nothing is trained that could be summarised",
    **dict.fromkeys(("trace_file", "tfprof_file", "graph_file", "log_device_placement"), _BY_LITERT),
}


def without_litert(find: Callable[[str], object | None] = importlib.util.find_spec) -> str | None:
    """What to say where the interpreter is not installed; None where it is."""
    if find(LITERT) is not None:
        return None
    return (
        "--quantize needs the package ai-edge-litert, which is not installed (there are wheels for Python 3.10 to "
        "3.13 on Linux): pip install ai-edge-litert, or leave --quantize out."
    )


@rule("quantize", "forward_only")
def inference_to_quantize(params: Params) -> str | None:
    """What is quantised is inference."""
    if not quantizes(params) or params.forward_only:
        return None
    return f"--quantize={params.quantize} is of inference: add --forward_only, or leave it out."


@rule("quantize")
def interpreter_there_is(params: Params) -> str | None:
    """LiteRT is installed."""
    return without_litert() if quantizes(params) else None


@rule("quantize", "device", "num_gpus", "data_format", "precision", "use_fp16", *_EXCLUDED)
def one_tower_on_the_cpu(params: Params) -> list[str]:
    """LiteRT's interpreter has the processors of one machine, and begins with a float32 model in NHWC."""
    if not quantizes(params):
        return []
    asked, found = f"--quantize={params.quantize}", []
    if params.device == "gpu":
        found.append(f"{asked} with --device=gpu: LiteRT computes on the CPU here. Give --device=cpu.")
    if params.num_gpus > 1:
        found.append(
            f"{asked} with --num_gpus={params.num_gpus}: one interpreter has all threads. Leave --num_gpus out."
        )
    if params.data_format == "NCHW":
        found.append(f"{asked} with --data_format=NCHW: LiteRT's models are NHWC. Leave --data_format out.")
    if precision(params) != "fp32":
        found.append(
            f"{asked} with --precision={precision(params)}: what is converted is the float32 model. Leave one of them "
            "out."
        )
    return found + [each.replace("--quantize ", f"{asked} ", 1) for each in excluded(params, "quantize", _EXCLUDED)]


@rule("quantize", "variable_update", *ROLES)
def quantized_alone(params: Params) -> str | None:
    """One process has the interpreter."""
    if not (quantizes(params) and several_processes(params)):
        return None
    return (
        f"--quantize={params.quantize} with several processes: one process has the interpreter. Leave one of them out."
    )


@rule("quantize", "input_method", "data_dir")
def images_to_agree_on(params: Params) -> str | None:
    """The models are held against each other on evaluation images."""
    if not quantizes(params) or params.input_method != "small_files" or not params.data_dir:
        return None
    return (
        f"--quantize={params.quantize} with --input_method=small_files: evaluation images are read from TFRecord "
        "shards. Take --input_method=dataset."
    )


@rule("quantize", "train_dir")
def weights_to_quantize(params: Params) -> str | None:
    """There is a checkpoint, where one is asked for."""
    if not (quantizes(params) and params.train_dir):
        return None
    if (Path(params.train_dir).expanduser() / STATE_FILE).is_file():
        return None
    return no_weights(params)


def no_weights(params: Params) -> str:
    """What is said of a folder without a checkpoint to quantise."""
    return (
        f"--train_dir={params.train_dir}: Checkpoint not found. Give the folder of a training that has saved one, "
        "or leave it out for untrained weights."
    )


@rule("quantize", "quantized_file", "repeats")
def quantized_file_once(params: Params) -> list[str]:
    """The file can be written, and by one run."""
    if not (quantizes(params) and params.quantized_file):
        return []
    found = [file_problem("quantized_file", params.quantized_file)]
    if params.repeats > 1:
        found.append(
            f"--quantized_file={params.quantized_file} with --repeats={params.repeats}: every run would write the "
            "same. Leave one of them out."
        )
    return [problem for problem in found if problem]
