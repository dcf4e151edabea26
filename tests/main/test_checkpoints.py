"""Whole runs that are saved, killed, gone on with and evaluated."""

import re
import signal

import pytest

from tests.main.conftest import SHORT, TERMINATE, finish, run, signal_at, start
from tests.main.test_evaluation import ACCURACY

RUN = [*SHORT, "--model=trivial", "--data_name=cifar10", "--variable_update=replicated", "--optimizer=momentum"]
LENGTH = ["--num_warmup_batches=4", "--num_batches=100", "--eval_during_training_at_specified_steps=50"]
TRAINING = [*RUN, *LENGTH, "--deterministic", "--display_every=1"]


@pytest.fixture(scope="module")
def straight(sample_data, tmp_path_factory):
    return run(*TRAINING, f"--data_dir={sample_data}", results_dir=tmp_path_factory.mktemp("straight"))


@pytest.fixture(scope="module")
def train_dir(tmp_path_factory):
    return tmp_path_factory.mktemp("trained") / "new"


@pytest.fixture(scope="module")
def killed(sample_data, train_dir, tmp_path_factory):
    """A training that is killed soon after the sixth measured step; the flags of it."""
    flags = [*TRAINING, f"--data_dir={sample_data}", f"--train_dir={train_dir}", "--save_model_steps=5"]
    results_dir = tmp_path_factory.mktemp("killed")
    process = start(*flags, results_dir=results_dir)
    assert any(line.startswith("6\t") for line in process.stdout)
    process.send_signal(signal.SIGKILL)
    assert finish(process, results_dir).records == []
    return flags


@pytest.fixture(scope="module")
def terminated(killed, tmp_path_factory):
    """What goes on with it, and is told to end after a step."""
    return signal_at("5\t", TERMINATE, *killed, results_dir=tmp_path_factory.mktemp("terminated"))


@pytest.fixture(scope="module")
def resumed(killed, terminated, tmp_path_factory):
    """What goes on with that, to the end."""
    assert terminated.code == 143, terminated.err
    return run(*killed, results_dir=tmp_path_factory.mktemp("resumed"))


def losses(record):
    return [*record["measurement"]["warmup_losses"], *record["measurement"]["losses"]]


def test_a_training_that_was_killed_and_told_to_end_ends_as_one_that_never_stopped(
    straight, terminated, resumed, train_dir
):
    assert (straight.code, resumed.code) == (0, 0), resumed.err
    (second,), (record,), (expected,) = terminated.records, resumed.records, straight.records
    killed_at, done = (each["checkpoints"]["resumed_from_step"] for each in (second, record))
    assert 5 <= killed_at < done < 104  # the tenth step was told before it was saved
    assert killed_at % 5 == 0
    assert second["status"] == "interrupted"
    assert done == killed_at + len(losses(second)), "all that was trained was saved"
    assert f"NOTE: saved {train_dir}/model.ckpt-{done} (" in terminated.err
    told = f"NOTE: resumed from {train_dir}/model.ckpt-{done}: {done} steps are done, {104 - done} are left."
    assert told in resumed.err
    assert losses(second) + losses(record) == losses(expected)[killed_at:]
    assert record["checks"]["determinism"] == expected["checks"]["determinism"]
    last, wanted = (each["evaluation"]["evaluations"][-1] for each in (record, expected))
    assert all(last[name] == wanted[name] for name in ("step", "epoch", "images", "top_1", "top_5"))


def test_every_checkpoint_is_recorded_and_the_last_is_of_the_end(resumed, train_dir):
    (record,) = resumed.records
    saved = record["checkpoints"]["saved"]
    assert saved[-1]["path"] == f"{train_dir}/model.ckpt-104"
    assert f"NOTE: the checkpoint of the end is {train_dir}/model.ckpt-104" in resumed.err
    for each in saved:
        assert each["seconds"] > 0
        assert each["bytes"] > 2 * record["model"]["variable_bytes"]  # with the momentum of each variable


def test_the_latest_checkpoint_is_evaluated_under_another_strategy(sample_data, resumed, train_dir, tmp_path):
    """The same shares as the evaluation within the training found, after its last step."""
    flags = [*RUN, "--variable_update=parameter_server", f"--data_dir={sample_data}", f"--train_dir={train_dir}"]
    flags += ["--eval", "--eval_batch_size=30", "--display_every=2", f"--eval_dir={tmp_path / 'scalars'}"]
    ran = run(*flags, results_dir=tmp_path / "runs")
    assert ran.code == 0, ran.err
    assert "\nMode:        evaluation\n" in ran.out
    assert "\nBatch size:  60 global\n             30 per device\nNum batches: 7\n" in ran.out
    assert f"\nSuccessfully loaded model from {train_dir}/model.ckpt-104.\n2\t" in ran.out
    assert re.search(ACCURACY + r"-{64}\ntotal images/sec: \d+\.\d\d\n-{64}\n\Z", ran.out)
    (record,) = ran.records
    (found,) = record["evaluation"]["evaluations"]
    within = resumed.records[0]["evaluation"]["evaluations"][-1]
    assert all(found[name] == within[name] for name in ("images", "top_1", "top_5"))
    assert found["step"] == 104
    measurement = record["measurement"]
    assert (len(measurement["step_seconds"]), measurement["images_in_window"]) == (7, 400)
    assert any((tmp_path / "scalars").iterdir())
