"""Whole runs that pause their training to evaluate."""

import math
import re

import pytest

from tests.inputs import jpegs
from tests.main.conftest import SHORT, run

EVALUATING = [*SHORT, "--model=resnet20", "--data_name=cifar10", "--variable_update=replicated", "--display_every=5"]
ACCURACY = r"Accuracy @ 1 = (\d\.\d{4}) Accuracy @ 5 = (\d\.\d{4}) \[(\d+) examples\]\n"


@pytest.fixture(scope="module")
def evaluated(sample_data, tmp_path_factory):
    flags = [f"--data_dir={sample_data}", "--eval_during_training_every_n_steps=5", "--eval_batch_size=30"]
    flags.append("--stop_at_top_1_accuracy=1")
    return run(*EVALUATING, *flags, results_dir=tmp_path_factory.mktemp("runs"))


def test_the_console_tells_each_evaluation_as_it_always_did(evaluated):
    assert evaluated.code == 0, evaluated.err
    out = evaluated.out
    assert "\nMode:        training + evaluation\n" in out
    assert re.findall(r"^Running (.*)$", out, re.MULTILINE) == [
        "warm up",
        "evaluation at global_step 5",
        "evaluation at global_step 10",
        "final evaluation at global_step 12",
    ]
    assert out.count("\nResuming training\n") == 2
    found = re.findall(ACCURACY, out)
    assert [images for *_, images in found] == ["400"] * 3
    assert re.search(r"\n5\t\d+\.\d examples/sec\nAccuracy", out)
    assert out.endswith("]\nDone with training\n")
    assert "total images/sec" not in out


def test_evaluations_are_recorded_and_in_no_step(evaluated):
    (record,) = evaluated.records
    evaluation, measurement = record["evaluation"], record["measurement"]
    assert (evaluation["files"], evaluation["examples"]) == ("validation.tfrecords", 400)
    assert (evaluation["target_top_1"], evaluation["time_to_accuracy"]) == (1.0, None)
    best = max(each["top_1"] for each in evaluation["evaluations"])
    assert f"NOTE: --stop_at_top_1_accuracy=1.0 was not reached: at best {best:.4f}." in evaluated.err
    assert [each["step"] for each in evaluation["evaluations"]] == [5, 10, 12]
    assert len(measurement["step_seconds"]) == 12
    last = evaluation["evaluations"][-1]
    trained = math.fsum(measurement["warmup_step_seconds"]) + measurement["window_seconds"]
    assert last["training_seconds"] == pytest.approx(trained)
    evaluating = sum(each["seconds"] for each in evaluation["evaluations"])
    assert last["wall_seconds"] >= trained + evaluating, "no evaluation is in the window"
    assert last["epoch"] == pytest.approx(12 * 16 / 1600)
    printed = re.findall(ACCURACY, evaluated.out)
    assert [f"{each['top_1']:.4f}" for each in evaluation["evaluations"]] == [top_1 for top_1, *_ in printed]


def test_training_ends_at_the_accuracy_asked_for(sample_data, tmp_path):
    flags = [f"--data_dir={sample_data}", "--stop_at_top_1_accuracy=0.01", "--num_batches=500"]
    ran = run(*EVALUATING, *flags, "--eval_during_training_at_specified_steps=6,400", results_dir=tmp_path)
    assert ran.code == 0, ran.err
    assert ran.out.endswith("\nStopping, as eval accuracy at least 0.01 was reached\nDone with training\n")
    (record,) = ran.records
    assert len(record["measurement"]["step_seconds"]) == 6
    evaluation = record["evaluation"]
    (only,) = evaluation["evaluations"]
    assert evaluation["time_to_accuracy"] == {name: only[name] for name in ("training_seconds", "wall_seconds")}
    assert only["top_1"] >= 0.01


def test_no_evaluation_images_is_an_error_before_anything_runs(tmp_path):
    (tmp_path / "train-00000-of-00001").touch()
    flags = [f"--data_dir={tmp_path}", "--data_name=imagenet", "--eval_during_training_every_n_epochs=1"]
    ran = run(*SHORT, *flags, results_dir=tmp_path / "runs")
    assert (ran.code, ran.records) == (2, [])
    (line,) = [line for line in ran.err.splitlines() if "error" in line]
    assert "no file matches validation-*-of-*" in line


def test_black_and_white_are_told_apart_by_collective_operations_too(tmp_path):
    """A whole run, in which nothing ran before: after eleven others in one process they took a minute, not seconds.

    tests/engine/test_evaluation.py has the other strategies.
    """
    data = jpegs.black_and_white(tmp_path / "data")
    flags = ["--variable_update=collective_all_reduce", "--model=lenet", "--data_name=imagenet", f"--data_dir={data}"]
    flags += ["--nodistortions", "--optimizer=momentum", "--init_learning_rate=0.01", "--batch_size=4"]
    flags += ["--num_batches=40", "--eval_during_training_every_n_steps=40"]
    ran = run(*SHORT, *flags, results_dir=tmp_path / "runs")
    assert ran.code == 0, ran.err
    assert "\nAccuracy @ 1 = 1.0000 Accuracy @ 5 = 1.0000 [13 examples]\n" in ran.out
