"""The claims about how images come to the model, and how to see whether it waits for them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from benchmarks.studies.claims import evidence, recorded
from benchmarks.studies.claims.claim import Case, Claim, Measured, Missing, Promise, Way
from benchmarks.studies.claims.effect import LEAST_PAIRS, NEGLIGIBLE, effect
from benchmarks.studies.claims.evidence import Side
from benchmarks.studies.claims.machine import Machine
from benchmarks.studies.claims.runs import way
from benchmarks.studies.claims.samples import reading

_BUSY_GPU = 0.8  # the guide's rule of thumb: a GPU that computes less of the time suggests the input
_BYTES_OF_IMAGE = 32 * 32 * 3 * 4  # of CIFAR-10, as float32


def _fed(machine: Machine) -> Sequence[Case | Missing]:
    """Images that Python makes too; then the same pipeline, without a model, with the least there is and a real one."""
    shapes = [
        ("input alone", "resnet20", 128, 400, ("--input_only",), 16.0),
        ("trivial", "trivial", 128, 400, (), 12.0),
        ("resnet20", "resnet20", 128 if machine.gpus else 32, 200 if machine.gpus else 60, (), 25.0),
    ]
    return [_made(machine)] + [
        Case(
            name,
            reading(way("tf.data", machine, model, batch, steps, *flags), machine, "cifar10"),
            reading(way("fed", machine, model, batch, steps, "--input_method=feed", *flags), machine, "cifar10"),
            seconds=seconds,
            reasons=partial(_cost_of_feeding, batch=batch, long_step=name == "resnet20"),
        )
        for name, model, batch, steps, flags, seconds in shapes
    ]


def _made(machine: Machine) -> Case:
    """What feed_dict was to most: a loop in Python that also makes the images."""
    sample = reading(Way(""), machine, "cifar10")
    (data,) = (flag for flag in sample.flags if flag.startswith("--data_dir="))
    words = ("-m", "benchmarks.studies.claims.programs.python_input", data, "--batch_size=128", "--steps=300")
    return Case(
        "images made by Python",
        Way("tf.data", program=(*words, "--way=tf.data"), prepared_by=sample.prepared_by),
        Way("NumPy, fed", program=(*words, "--way=python"), prepared_by=sample.prepared_by),
        seconds=9.0,
        reasons=_cost_of_making,
    )


def _cost_of_making(advised: Sequence[Measured], other: Sequence[Measured]) -> list[str]:
    """What a batch takes either way, and the processors that share it."""
    ours, python = recorded.fact(advised, "microseconds"), recorded.fact(other, "microseconds")
    busy, busy_in_python = recorded.fact(advised, "processors"), recorded.fact(other, "processors")
    if ours is None or python is None or busy is None or busy_in_python is None:
        return []
    return [
        f"A batch of 128 augmented images took {ours / 1e3:.1f} ms with tf.data, which kept {busy:.1f} processors "
        f"busy, and {python / 1e3:.1f} ms with NumPy, which kept {busy_in_python:.1f} busy.",
        "Python makes no batch while a step runs; it has all images in memory here, which favours it.",
    ]


def _cost_of_feeding(
    advised: Sequence[Measured], other: Sequence[Measured], *, batch: int, long_step: bool
) -> list[str]:
    """What a step takes longer when fed, and how that compares with the step, which is `long_step` or hardly one."""
    ours, fed = recorded.step_seconds(advised), recorded.step_seconds(other)
    if ours is None or fed is None:
        return []
    megabytes = batch * _BYTES_OF_IMAGE / 1e6
    told = [
        f"A step took {1e3 * ours:.2f} ms with tf.data, {1e3 * fed:.2f} ms when fed: a batch of "
        f"{megabytes:.1f} MB becomes NumPy arrays and a tensor again, and the step waits for that."
    ]
    told += evidence.processors(Side("tf.data", advised), Side("fed", other))
    if long_step and fed - ours < NEGLIGIBLE * ours:
        told.append(
            "Beside so long a step little is seen of what feeding costs: 'input alone' and 'trivial' have a short one."
        )
    told.append(
        "Both have the same pipeline of C++ threads; where Python makes the images too, see the case of that name."
    )
    return told


INPUT_METHOD = Claim(
    "input_method",
    "Feeding the step from Python, as by feed_dict, is slow; tf.data makes the batches in threads of C++ with far less "
    "overhead.",
    "TensorFlow performance guide (2017), on feed_dict and the Dataset API",
    _fed,
)


def _simplest(machine: Machine) -> Sequence[Case | Missing]:
    """The trivial model against real ones, each on the input of the real one."""
    on_gpu = bool(machine.gpus)
    shapes = [
        ("resnet20", "cifar10", 128 if on_gpu else 32, 60, 1000, 20.0),
        ("resnet50" if on_gpu else "mobilenet_v2", "imagenet", 64 if on_gpu else 8, 12, 60, 40.0),
    ]
    return [
        Case(
            f"{model} on {data}",
            reading(way("trivial", machine, "trivial", batch, trivial_steps), machine, data),
            reading(way(model, machine, model, batch, steps), machine, data),
            Promise(either=True),
            seconds=seconds,
            reasons=_bound,
        )
        for model, data, batch, steps, trivial_steps, seconds in shapes
    ]


def _bound(trivial: Sequence[Measured], real: Sequence[Measured]) -> list[str]:
    """Which of the two the real model's speed is, and what else suggests it."""
    gain = effect([one.figure / other.figure for one, other in zip(trivial, real, strict=True)])
    if len(real) < LEAST_PAIRS or gain.low is None or gain.high is None:
        told = ["Which of model and input is the bottleneck so few pairs cannot tell."]
    elif gain.low > 1 + NEGLIGIBLE:
        told = [
            f"So the model is the bottleneck, not its input: with next to no model the images came {gain.value:.1f} "
            "times as fast."
        ]
    elif gain.high < 1 + NEGLIGIBLE:
        told = ["So the input is the bottleneck: with next to no model the images came no faster."]
    else:
        told = ["Which of model and input is the bottleneck these pairs cannot tell."]
    gpu = recorded.gpu_utilisation(real)
    if gpu is not None:
        word = "suggests the input" if gpu < _BUSY_GPU else "does not suggest the input"
        told.append(f"The real model's GPUs computed {gpu:.0%} of the time, which by the rule of 80 % {word}.")
    elif shared := list(evidence.processors(Side("the trivial model", trivial), Side("the real one", real))):
        told += [
            *shared,
            "Model and input share them here, so the input of the real model gets less of them than that of the "
            "trivial one.",
        ]
    told.append(
        "--diagnose of a run tells more: what input, transfer, exchange, launches and computing each add to its step."
    )
    return told


INPUT_BOUND = Claim(
    "input_bound",
    "Reduce the model to its simplest form: if images/sec do not rise, the input pipeline is the bottleneck.",
    "TensorFlow performance guide (2017), on input pipeline bottlenecks",
    _simplest,
)


def _prepared(machine: Machine) -> Sequence[Case | Missing]:
    """With a step that has time to spare, and with a real one."""
    shapes = [("trivial", 256, 400), ("resnet20", 256, 200)]
    if not machine.gpus:
        return [Missing(f"{model}, augmented", "a GPU that TensorFlow sees") for model, _, _ in shapes]
    return [
        Case(
            f"{model}, augmented",
            reading(way("on the CPU", machine, model, batch, steps), machine, "cifar10"),
            reading(way("on the GPU", machine, model, batch, steps, "--preprocess_device=tower"), machine, "cifar10"),
            seconds=20.0,
            reasons=_cost_of_preparing,
        )
        for model, batch, steps in shapes
    ]


def _cost_of_preparing(on_cpu: Sequence[Measured], on_gpu: Sequence[Measured]) -> list[str]:
    """What either place costs: processors, the GPU's time, and bytes on the way."""
    sides = Side("on the CPU", on_cpu), Side("on the GPU", on_gpu)
    return [
        *evidence.processors(*sides),
        *evidence.gpus(*sides),
        "Preprocessing on the CPU runs beside earlier steps and costs the GPU nothing while the processors keep up; "
        "but what it sends has four bytes a value where a stored image has one.",
    ]


PREPROCESS_DEVICE = Claim(
    "preprocess_device",
    "Put preprocessing on the CPU, so that the GPU only trains.",
    "TensorFlow performance guide (2017), on preprocessing on the CPU",
    _prepared,
)
