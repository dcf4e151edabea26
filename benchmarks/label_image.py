"""`python -m benchmarks.label_image --image=FILE --model=resnet50`: one image, by the float model and the quantised."""

from __future__ import annotations

import argparse
import dataclasses
import statistics
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmarks.errors import UserError
from benchmarks.inputs.datasets import DATASETS
from benchmarks.params import CommandLine, Params, notices, parse
from benchmarks.params.data_set import data_name
from benchmarks.preparation import prepare
from benchmarks.studies import report
from benchmarks.tensorflow_lines import import_tensorflow
from results.quantization import refused

if TYPE_CHECKING:
    from benchmarks.quantization.agreement import Model
    from benchmarks.quantization.conversion import Images
    from benchmarks.quantization.quantize import Quantized
    from benchmarks.quantization.quantized_step import QuantizedStep
    from benchmarks.workload import Workload

DESCRIPTION = """\
Say what is on an image, by a model as TensorFlow computes it and by the same model quantised for LiteRT, side by side:
the five classes that come first with their probabilities, the bytes of its .tflite file, and the median milliseconds
of as many calls as are told.

Size and range of the pixels are those that the model is evaluated with. A photo whose EXIF data say how to turn it is
turned so. All other flags are those of run_benchmark.py: --model (which has to be given), --data_name, --train_dir
(whose latest checkpoint has the weights; without it they are untrained), --quantize (int8 here, where it is not given),
--data_dir (for images to take the ranges of int8 from), --num_intra_threads.
"""
HEEDED = (
    "model", "data_name", "data_dir", "train_dir", "quantize", "num_calibration_images", "quantized_file", "device",
    "forward_only", "num_intra_threads", "num_inter_threads", "tf_random_seed", "tcb_class_counts", "distortions",
    "input_preprocessor", "resize_method", "mkl", "debug",
)  # fmt: skip
UNTRAINED = "UNTRAINED WEIGHTS, as no --train_dir is given: the classes below mean nothing; bytes and times do."
_DEFAULTS = ("--forward_only", "--quantize=int8", "--device=cpu")


class LabelledBy(NamedTuple):
    """What the flags name, its step with both models in it, and the `image` for them, [1, height, width, 3]."""

    workload: Workload
    step: QuantizedStep
    image: Images


class Answer(NamedTuple):
    """What one model says: the classes that come first with their probabilities, and the seconds of each call."""

    classes: list[int]
    probabilities: list[float]
    seconds: list[float]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    parser = _parser()
    options, flags = parser.parse_known_args(arguments)
    return report.conclude(parser, lambda: label(options, parse([*_DEFAULTS, *flags])))


def label(options: argparse.Namespace, command: CommandLine) -> None:
    """Label the image of `options` by the model of `command`. Raises UserError where something cannot be used."""
    if command.answer is not None:
        report.say(command.answer)
        return
    if "model" not in command.given:
        raise UserError(
            "--model is missing, the network that the image is given to: --model=resnet50, --model=inception3, or "
            "--model=resnet20 with --data_name=cifar10, say. See --list_models."
        )
    if command.params.quantize == "none":
        raise UserError("--quantize=none leaves one model to show. Give int8, int8_dynamic or fp16, or leave it out.")
    labels = read_labels(options.labels, command.params) if options.labels else None
    data = read_image(options.image)
    prepare(command.params, notices(command.params, command.given, HEEDED), report.note)
    found = settled(f"--image={options.image}", data, dataclasses.replace(command.params, batch_size=1))
    answers = ask(found)
    report.say(heading(found))
    if not found.step.weights.checkpoint:
        report.say(UNTRAINED)
    report.say(table(found.step.quantized, answers, labels))


def read_labels(file: str, params: Params) -> list[str]:
    """The name of each class, a line each. Raises UserError where there are not as many as classes."""
    dataset = DATASETS[str(data_name(params))]
    classes = dataset.tcb_num_classes if params.tcb_class_counts else dataset.num_classes
    try:
        lines = Path(file).expanduser().read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise UserError(f"--labels={file} cannot be read: {reason}. Give a text file with a class a line.") from error
    if len(lines) != classes:
        raise UserError(
            f"--labels={file} has {len(lines)} lines, and a model for {dataset.name} has {classes} classes: give a "
            "line for each, in their order."
        )
    return lines


def read_image(file: str) -> bytes:
    """The content of `file`. Raises UserError where it cannot be read."""
    try:
        return Path(file).expanduser().read_bytes()
    except OSError as error:
        raise UserError(f"--image={file} cannot be read: {error.strerror}. Give the file of an RGB image.") from error


def settled(given: str, data: bytes, params: Params) -> LabelledBy:
    """What labels the image in `data`, which errors name as it was `given`.

    Raises UserError where something cannot be used.
    """
    import_tensorflow()  # which must find its environment variables set
    from benchmarks import workload as workloads
    from benchmarks.inputs.sources import preparation_of
    from benchmarks.quantization.image_file import UPRIGHT, decoded, prepared
    from benchmarks.quantization.quantized_step import build_quantized_step

    pixels, orientation = decoded(given, data)
    if orientation is None:
        report.note(f"NOTE: {given} is taken as upright, as its EXIF data cannot be read.")
    elif orientation != UPRIGHT:
        report.note(
            f"NOTE: {given} is turned as its EXIF orientation says ({orientation}); evaluations do not turn images."
        )
    workload = workloads.settle(params)
    preparation = dataclasses.replace(preparation_of(workload.params), distortions=False)
    image = prepared(pixels, workload.params.data_name, workload.network.image_size, preparation)
    step = build_quantized_step(workload, None if params.data_dir else image)
    if params.quantize == "int8" and not params.data_dir:
        report.note("NOTE: the ranges of int8 are those of this one image; with --data_dir, of the data set's.")
    step.trace()
    return LabelledBy(workload, step, image)


def ask(found: LabelledBy) -> dict[str, Answer]:
    """The answers of the float model, by TensorFlow, and of the quantised one, by LiteRT."""
    import numpy as np

    from benchmarks.quantization.agreement import top_five
    from benchmarks.quantization.interpreter import LiteModel
    from benchmarks.quantization.latency import latencies

    models, image = found.step.quantized, found.image
    narrow = LiteModel(models.narrow.model, 1, found.step.threads)
    if narrow.refusal:
        report.note(f"NOTE: {refused(narrow.refusal)}")
    ways: dict[str, Model] = {"float": models.inference, "quantized": narrow}
    seconds = latencies({name: partial(way, image) for name, way in ways.items()}, rounds=2)
    answers = {}
    for name, way in ways.items():
        logits = way(image)[0].astype(np.float64)
        first = top_five(logits[None])[0]
        likely = probabilities(logits)[first]
        answers[name] = Answer(first.tolist(), likely.tolist(), seconds[name])
    return answers


def probabilities(logits: Any) -> Any:
    """Those of all classes, [classes], as their `logits` have them."""
    import numpy as np

    powers = np.exp(logits - logits.max())
    return powers / powers.sum()


def heading(found: LabelledBy) -> str:
    """What is asked, and how the image comes to it."""
    params, side, weights = found.workload.params, found.workload.network.image_size, found.step.weights
    values = "standardised" if params.data_name == "cifar10" else "from -1 to 1 ((value - 127.5) / 127.5)"
    if params.input_preprocessor == "official_models_imagenet" and params.data_name != "cifar10":
        values = "from 0 to 255 less the means of the channels"
    of = f"weights of {weights.checkpoint}" if weights.checkpoint else "untrained weights"
    return f"{params.model} for {params.data_name}, {side} x {side} pixels, {values}, {of}"


def table(models: Quantized, answers: dict[str, Answer], labels: Sequence[str] | None) -> str:
    """The answers side by side."""
    both = [answers["float"], answers["quantized"]]
    sizes = [len(each.model) for each in (models.plain, models.narrow)]
    rows = [
        ["bytes as .tflite", *(f"{size:,}" for size in sizes)],
        ["milliseconds, median", *(f"{1e3 * statistics.median(answer.seconds):.3f}" for answer in both)],
        ["of calls", *(str(len(answer.seconds)) for answer in both)],
    ]
    for place in range(len(both[0].classes)):
        cells = [f"{answer.probabilities[place]:.4f} {_named(answer.classes[place], labels)}" for answer in both]
        rows.append([f"{place + 1}.", *cells])
    return report.table(["", "TensorFlow float32", f"LiteRT {models.mode}"], rows)


def _named(number: int, labels: Sequence[str] | None) -> str:
    return f"{labels[number]} ({number})" if labels else f"class {number}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.label_image",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    kinds = "JPEG, PNG, GIF, BMP, or WebP where TensorFlow has it, as 2.21 does"
    parser.add_argument("--image", required=True, metavar="FILE", help=f"an RGB image: {kinds}")
    parser.add_argument("--labels", metavar="FILE", help="names of the classes, a line each, in their order")
    return parser


if __name__ == "__main__":
    sys.exit(main())
