"""The claims about input: what their own program measures, and what their reasons tell of records."""

import time

import numpy as np
import pytest

from benchmarks.inputs import cifar10_archive, cifar10_images, cifar10_sample
from benchmarks.inputs.cifar10_conversion import convert
from benchmarks.inputs.feed import compiled
from benchmarks.inputs.image_spec import ImageSpec
from benchmarks.studies.claims import feeding, recorded
from benchmarks.studies.claims.claim import Case, Measured, Missing
from benchmarks.studies.claims.programs import python_input
from tests.results.records import record
from tests.studies.claims.planted import two_cores, two_h100


def seen(processors, gpu=None):
    """A telemetry section with these means."""
    told = lambda name, mean: {"summary": {name: {"least": 0.0, "mean": mean, "most": 9.0}}}  # noqa: E731
    gpus = {} if gpu is None else {"GPU:0": told("utilisation", gpu)}
    return {"host": told("processors_of_process", processors), "gpus": gpus}


def runs(*figures, **telemetry):
    hardware = {"cpu": {"usable_cores": 2}}
    return [Measured(figure, {}, record(telemetry=seen(**telemetry), hardware=hardware)) for figure in figures]


@pytest.mark.parametrize(
    ("figures", "told"),
    [
        (
            (300, 310, 290),
            "the model is the bottleneck, not its input: with next to no model the images came 3.0 times",
        ),
        ((100, 101, 99), "the input is the bottleneck: with next to no model the images came no faster"),
        ((90, 400, 120), "Which of model and input is the bottleneck these pairs cannot tell"),
        ((300, 301), "Which of model and input is the bottleneck so few pairs cannot tell"),
        ((100, 100), "Which of model and input is the bottleneck so few pairs cannot tell"),
        ((300,), "Which of model and input is the bottleneck so few pairs cannot tell"),
    ],
)
def test_what_bounds_the_real_model_follows_from_the_pairs(figures, told):
    real = runs(*[100] * len(figures), processors=1.5)
    reasons = feeding._bound(runs(*figures, processors=1.0), real)
    assert told in reasons[0]
    assert reasons[1] == "Of 2 cores the runs kept busy 1.0 with 'the trivial model', 1.5 with 'the real one'."
    assert "--diagnose" in reasons[-1]


@pytest.mark.parametrize(
    ("share", "told"), [(0.5, "50% of the time, which by the rule of 80 % suggests"), (0.9, "not")]
)
def test_a_gpu_that_idles_suggests_the_input(share, told):
    real = runs(100, 100, 100, processors=1.0, gpu=share)
    reasons = feeding._bound(runs(100, 100, 100, processors=1.0, gpu=0.1), real)
    assert told in reasons[1]


@pytest.mark.parametrize(
    ("name", "fed", "hidden"),
    [("resnet20", 99, True), ("resnet20", 80, False), ("trivial", 99, False), ("input alone", 99, False)],
)
def test_only_a_step_that_computes_hides_what_feeding_costs(name, fed, hidden, tmp_path):
    (case,) = (case for case in feeding.INPUT_METHOD.cases(two_cores(tmp_path)) if case.name == name)
    told = " ".join(case.reasons(runs(100, processors=1.0), runs(fed, processors=1.5)))
    assert ("Beside so long a step" in told) == hidden
    assert "the runs kept busy 1.0 with 'tf.data', 1.5 with 'fed'." in told


def test_what_preprocessing_takes_of_processors_and_gpu_is_told(tmp_path):
    case = feeding.PREPROCESS_DEVICE.cases(two_h100(tmp_path))[0]
    told = case.reasons(runs(100, processors=1.9, gpu=0.5), runs(90, processors=0.5, gpu=0.8))
    assert told[:2] == [
        "Of 2 cores the runs kept busy 1.9 with 'on the CPU', 0.5 with 'on the GPU'.",
        "The GPUs computed in 50% with 'on the CPU', 80% with 'on the GPU' of the time.",
    ]


def test_records_that_tell_nothing_give_no_number():
    silent = [Measured(1.0, {}, record()), Measured(1.0, {})]
    assert recorded.processors(silent) is recorded.gpu_utilisation(silent) is recorded.fact(silent, "any") is None
    assert recorded.step_seconds(silent) == 64.0, "64 images a step, at 1 a second"
    assert recorded.step_seconds([Measured(1.0, {})]) is None


def test_preprocessing_elsewhere_needs_an_accelerator(tmp_path):
    assert all(isinstance(case, Missing) for case in feeding.PREPROCESS_DEVICE.cases(two_cores(tmp_path)))
    cases = feeding.PREPROCESS_DEVICE.cases(two_h100(tmp_path))
    assert all(isinstance(case, Case) and "--preprocess_device=tower" in case.other.flags for case in cases)


def test_python_makes_the_same_images(tmp_path):
    """Of one image there are 2 * 81 crops: the one that Python makes is among those that tf.data makes."""
    cifar10_sample.write(tmp_path / "sample.tar.gz", examples_per_batch=10)
    convert(cifar10_archive.read(tmp_path / "sample.tar.gz"), tmp_path)
    pixels, labels = python_input.stored(tmp_path)
    assert (pixels.shape, labels.shape) == ((40, 32, 32, 3), (40,))
    fed = python_input.MadeByPython(pixels[:1], labels[:1], batch_size=4)
    run = compiled(lambda: fed()[0], [fed])
    stored = np.repeat(pixels[:1].transpose(0, 3, 1, 2), 162, axis=0)
    rows, columns, mirrored = (each.ravel().astype(np.int64) for each in np.mgrid[0:9, 0:9, 0:2])
    crops, _ = cifar10_images.prepared(stored, labels, rows, columns, mirrored == 1, spec=ImageSpec(162, 32, 32))
    for image in run().numpy():
        assert np.abs(crops.numpy() - image).max(axis=(1, 2, 3)).min() < 1e-4


def test_a_step_that_waits_is_found():
    """At least what was slept is measured, on however busy a machine."""
    assert python_input.seconds_of(lambda: time.sleep(0.01), 5) >= 0.05
