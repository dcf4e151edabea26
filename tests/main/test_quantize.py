"""Whole runs of quantised inference, and an image that both models label."""

import io
import subprocess
import sys

import numpy as np
import pytest

from benchmarks import label_image
from benchmarks.build import build_step
from benchmarks.checkpoints import CheckpointFacts, Checkpoints
from benchmarks.errors import UserError
from benchmarks.quantization.quantized_step import build_quantized_step
from benchmarks.resuming import run_facts
from benchmarks.training_state import TrainingState, shapes
from results.__main__ import main as results
from results.quantization import REST
from tests.diagnosis.workloads import BATCH, workload
from tests.inputs import jpegs
from tests.main.conftest import PROJECT, SHORT, run

SMALL = [*SHORT, "--num_gpus=1", "--model=resnet20", "--data_name=cifar10"]


@pytest.fixture(scope="module")
def trained(sample_data, tmp_path_factory):
    """A folder with a checkpoint of ResNet-20 after five steps."""
    folder = tmp_path_factory.mktemp("trained")
    found = workload("--model=resnet20", "--optimizer=momentum", sample=sample_data)
    step = build_step(found)
    step.trace()
    for _ in range(5):
        step()
    groups, checkpoints = TrainingState(step).groups(), Checkpoints(folder)
    checkpoints.begin(groups, 1)
    held = {name: shapes(variables) for name, variables in groups.items()}
    facts = CheckpointFacts(run=run_facts(found), steps=5, steps_in_all=5, complete=True, images=5 * BATCH, **held)
    checkpoints.write(facts)
    return folder


def test_a_quantised_run_measures_size_speed_and_agreement(sample_data, trained, tmp_path):
    data = [f"--data_dir={sample_data}", f"--train_dir={trained}", "--eval_batch_size=64", "--num_intra_threads=1"]
    model = tmp_path / "model.tflite"
    flags = ["--forward_only", "--quantize=int8", "--num_calibration_images=20", f"--quantized_file={model}"]
    ran = run(*SMALL, *data, *flags, results_dir=tmp_path / "runs")
    assert ran.code == 0, ran.err
    assert "\nMode:        forward only, int8\n" in ran.out
    (record,) = ran.records
    found = record["quantization"]
    assert model.stat().st_size == found["quantized_bytes"] < 0.30 * found["float_bytes"]
    assert found["checkpoint"] == str(trained / "model.ckpt-5")
    assert (found["checkpoint_step"], found["calibration_images"], found["threads"]) == (5, 20, 1)
    assert found["operators_in_float"] == {}
    assert found["agreement"]["images"] == 400
    assert set(found["agreement"]["accuracy"]) == {"float", "quantized"}
    for way in ("tensorflow", "float", "quantized"):
        latency = found["latency"][way]
        assert latency["calls"] == 100
        assert 0 < latency["p50_seconds"] <= latency["p90_seconds"] <= latency["p99_seconds"]
    assert len(record["measurement"]["step_seconds"]) == 12
    assert "flops_per_second" not in record["cost"]
    assert record["environment"]["packages"]["ai-edge-litert"] in found["runtime"]
    for told in ("int8 by LiteRT", "no operator computes in float", REST, " of 400 evaluation images ("):
        assert told in ran.err
    assert "fold batch norms" not in ran.err
    stdout = io.StringIO()
    assert results(["show", str(next((tmp_path / "runs").iterdir()))], stdout, io.StringIO()) == 0
    shown = stdout.getvalue()
    assert "quantised   int8 by LiteRT" in shown
    assert "fold batch norms: 19 -> 0" in shown
    assert "forward only, int8" in shown


def label(*arguments):
    command = [sys.executable, "-m", "benchmarks.label_image", *map(str, arguments)]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture
def image(tmp_path):
    (tmp_path / "image.png").write_bytes(jpegs.encoded(jpegs.pixels_of(3), kind="PNG"))
    return tmp_path / "image.png"


def test_an_image_is_labelled_by_both_models_side_by_side(trained, image, tmp_path):
    (tmp_path / "labels").write_text("".join(f"kind {number}\n" for number in range(10)))
    flags = ["--model=resnet20", "--data_name=cifar10", f"--train_dir={trained}"]
    ran = label(f"--image={image}", f"--labels={tmp_path / 'labels'}", *flags)
    assert ran.returncode == 0, ran.stderr
    heading, names, _, sizes, milliseconds, calls, *answers = ran.stdout.splitlines()
    assert heading == f"resnet20 for cifar10, 32 x 32 pixels, standardised, weights of {trained}/model.ckpt-5"
    assert "TensorFlow float32" in names
    assert "LiteRT int8" in names
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in (sizes, milliseconds, calls, *answers)]
    assert [row[0] for row in cells] == [
        "bytes as .tflite",
        "milliseconds, median",
        "of calls",
        "1.",
        "2.",
        "3.",
        "4.",
        "5.",
    ]
    assert cells[2][1:] == ["50", "50"]
    plain, narrow = (int(cell.replace(",", "")) for cell in cells[0][1:])
    assert narrow < 0.30 * plain
    for column in (1, 2):
        likely = [float(row[column].split()[0]) for row in cells[3:]]
        assert likely == sorted(likely, reverse=True)
        assert 0 < sum(likely) <= 1.001
        assert all(row[column].split()[1] == "kind" for row in cells[3:])
    assert "the ranges of int8 are those of this one image" in ran.stderr


def test_a_checkpoint_of_another_model_is_refused(sample_data, trained):
    flags = ["--forward_only", "--quantize=int8", f"--train_dir={trained}"]
    with pytest.raises(UserError, match=r"model\.ckpt-5 is of --model=resnet20 on cifar10, and this run is --model=al"):
        build_quantized_step(workload("--model=alexnet", *flags, sample=sample_data))


@pytest.mark.parametrize(
    ("flags", "problem"),
    [
        (["--quantize=none"], "--quantize=none leaves one model to show."),
        (["--labels={folder}/labels"], "has 3 lines, and a model for cifar10 has 10 classes: give a line for each"),
        (["--labels={folder}/none"], "cannot be read: No such file or directory."),
        (["--labels={folder}/image.png"], "cannot be read: it is not text."),
        (["--image={folder}/none"], "/none cannot be read: No such file or directory. Give the file of an RGB image."),
        (["--model=resnet5"], "--model=resnet5: "),
        (["--device=gpu"], "--quantize=int8 with --device=gpu"),
        (["--train_dir={folder}/none"], "error: --train_dir=/"),
    ],
)
def test_what_cannot_be_used_is_told_at_once(image, capsys, flags, problem):
    (image.parent / "labels").write_text("a\nb\nc\n")
    given = [flag.format(folder=image.parent) for flag in flags]
    assert label_image.main([f"--image={image}", "--model=trivial", "--data_name=cifar10", *given]) == 2
    (error,) = capsys.readouterr().err.splitlines()
    assert error.startswith("python -m benchmarks.label_image: error: ")
    assert problem in error


def test_a_model_has_to_be_named(image, capsys):
    assert label_image.main([f"--image={image}"]) == 2
    (error,) = capsys.readouterr().err.splitlines()
    assert error.startswith("python -m benchmarks.label_image: error: --model is missing")
    assert "--model=resnet50" in error


def test_untrained_weights_are_told_loudly(image):
    ran = label(f"--image={image}", "--model=trivial", "--data_name=cifar10")
    assert ran.stdout.splitlines()[1] == label_image.UNTRAINED, ran.stderr


def test_probabilities_are_of_all_classes():
    likely = label_image.probabilities(np.array([1000.0, 1000.0, 0.0]))
    np.testing.assert_allclose(likely, [0.5, 0.5, 0.0])
