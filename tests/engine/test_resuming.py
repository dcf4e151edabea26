"""Runs that save what they train, go on with it and evaluate it, on the smallest network."""

import io
import itertools
import signal

import pytest
import tensorflow as tf

from benchmarks import runner
from benchmarks.checkpoint_evaluation import CheckpointEvaluation
from benchmarks.checkpoints import CheckpointFacts, Checkpoints
from benchmarks.console import Console
from benchmarks.draft import Draft
from benchmarks.errors import ExitCode
from benchmarks.inputs import cifar10
from benchmarks.measure import Recording
from benchmarks.params import CommandLine, Params, resolve
from benchmarks.resuming import Resumption
from benchmarks.step import TrainingStep
from benchmarks.workload import Workload, settle
from results.explanation import explain


@pytest.fixture(autouse=True)
def _signals_as_before():
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cifar10")
    cifar10.prepare(folder, sample=True)
    return folder


def chosen(**options):
    small = {"device": "cpu", "batch_size": 2, "num_warmup_batches": 2, "num_batches": 4, "data_name": "cifar10"}
    return Params(**small | {"model": "trivial", "verify_variable_update": False} | options)


def ran(out=None, **options):
    """How a run ended, what it printed, and what it told; its clock goes on by a second at every look."""
    out, err, clock = out or io.StringIO(), io.StringIO(), itertools.count().__next__
    command = CommandLine(chosen(**options))
    ending = runner.run(command, ["run_benchmark.py"], Console(out, err), started=0.0, clock=clock)
    return ending, out.getvalue(), err.getvalue()


class TellsToEnd(io.StringIO):
    """A stream at whose line `at` somebody sends SIGTERM."""

    def __init__(self, at):
        super().__init__()
        self._at = at

    def write(self, text):
        if text.startswith(self._at):
            signal.raise_signal(signal.SIGTERM)
        return super().write(text)


def saved_steps(ending):
    return [int(each["path"].rsplit("-", 1)[1]) for each in ending.record.checkpoints["saved"]]


def test_num_batches_is_the_length_of_the_training_and_each_process_has_its_warm_up(tmp_path):
    first, _, told = ran(train_dir=str(tmp_path), save_model_steps=4)
    assert (first.exit_code, saved_steps(first)) == (ExitCode.VALID, [4, 6])
    assert first.record.checkpoints["resumed_from_step"] == 0
    second, _, told = ran(train_dir=str(tmp_path), num_batches=10)
    assert (second.exit_code, saved_steps(second)) == (ExitCode.VALID, [12])
    assert f"NOTE: resumed from {tmp_path}/model.ckpt-6: 6 steps are done, 6 are left.\n" in told
    measurement = second.record.measurement
    assert (len(measurement.warmup_losses), len(measurement.losses)) == (2, 4)
    assert "went on after step 6 of the training" in explain(second.record, [])
    last, _, _ = ran(train_dir=str(tmp_path), num_batches=12)
    assert (len(last.record.measurement.warmup_losses), len(last.record.measurement.losses)) == (1, 1)


def test_checkpoints_so_many_seconds_apart(tmp_path):
    ending, _, _ = ran(train_dir=str(tmp_path), save_model_secs=20, num_batches=40, max_ckpts_to_keep=3)
    steps = saved_steps(ending)
    assert steps[-1] == 42
    assert 3 <= len(steps) <= 10
    assert len(Checkpoints(tmp_path).paths()) == 3


def test_saving_is_in_no_window(tmp_path):
    """Every look at the clock takes a second: what is between two steps is as long with checkpoints as without."""
    ending, _, _ = ran(train_dir=str(tmp_path), save_model_steps=1)
    measurement = ending.record.measurement
    assert saved_steps(ending) == [1, 2, 3, 4, 5, 6]
    assert measurement.window_seconds == sum(measurement.step_seconds) + 4


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({}, "nothing is left to train. model.ckpt-6 has 6 steps, and --num_warmup_batches=2 and --num_batches=4 ask"),
        ({"optimizer": "adam"}, "model.ckpt-6 was trained with --optimizer=sgd, and --optimizer=adam would begin"),
        ({"model": "alexnet"}, "is of --model=trivial on cifar10, and this run is --model=alexnet on cifar10: lacks "),
        ({"tcb_class_counts": True}, "of another shape: logits/kernel [4096, 10] (not [4096, 11]), logits/bias [10]"),
    ],
)
def test_what_cannot_be_gone_on_with_is_refused_and_left_as_it_is(tmp_path, options, problem):
    ran(train_dir=str(tmp_path))
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    ending, _, _ = ran(train_dir=str(tmp_path), **options)
    assert (ending.exit_code, ending.refused) == (ExitCode.UNUSABLE, True)
    assert problem in ending.record.message
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_what_is_otherwise_than_before_is_told(tmp_path):
    ran(train_dir=str(tmp_path))
    ending, _, told = ran(train_dir=str(tmp_path), num_batches=6, batch_size=1, variable_update="replicated")
    assert ending.exit_code == ExitCode.VALID
    for change in ("batch_size was 2", "variable_update was parameter_server"):
        assert f"NOTE: --{change} at the checkpoint, and is " in told
    assert told.count(" at the checkpoint, and is ") == 2


@pytest.mark.parametrize(("batch_size", "seen"), [(2, 12), (4, 6), (16, 1)])
def test_input_and_schedule_go_on_after_the_images_that_were_seen(batch_size, seen):
    facts = CheckpointFacts(run={}, steps=6, steps_in_all=9, complete=False, images=24, skipped_steps=1)
    workload = settle(chosen(batch_size=batch_size))
    resumed = Resumption("model.ckpt-6", facts)
    assert (resumed.batches_seen(workload), resumed.updates(workload)) == (seen, 5 * 24 // (6 * batch_size))


def test_each_checkpoint_is_evaluated_as_it_comes_until_the_last(sample, tmp_path):
    """The first look finds none; each of two waits sees a training go on."""
    folder, options = tmp_path / "trained", {"data_dir": str(sample), "batch_size": 30}
    params = chosen(eval=True, train_dir=str(folder), eval_interval_secs=1, display_every=100, **options)
    out, trainings = io.StringIO(), iter([4, 6])
    workload: Workload = settle(params)
    draft = Draft(CommandLine(params), resolve(workload.params, device="cpu"), [])
    evaluation = CheckpointEvaluation(draft, workload, Console(out, io.StringIO()), lambda: None)
    recording = Recording(30, 1, 0.0, has_losses=False)
    naps = itertools.count()

    def sleep(_):
        if next(naps) % 5 == 4:  # naps of a fifth of a second
            ran(train_dir=str(folder), **options, num_batches=next(trainings), save_model_steps=5)

    evaluation.run(recording, sleep)
    found = draft.sections["evaluation"]["evaluations"]
    assert [each["step"] for each in found] == [5, 6]
    assert recording.images == 800
    lines = out.getvalue().splitlines()
    assert lines[0] == f"Checkpoint not found in {folder}"
    assert sum(line.startswith("Successfully loaded model from ") for line in lines) == 2
    assert sum(line.startswith("total images/sec: ") for line in lines) == 1, "the last is told at the end of the run"


def test_a_disk_that_is_full_ends_the_run_and_says_so(tmp_path, monkeypatch):
    """TensorFlow tells of a full disk as of memory that ran out."""

    def full(_, **__):
        raise tf.errors.ResourceExhaustedError(None, None, "model.ckpt-6_temp/part-0; No space left on device")

    monkeypatch.setattr(tf.train.CheckpointManager, "save", full)
    ending, _, _ = ran(train_dir=str(tmp_path))
    assert (ending.exit_code, ending.record.status) == (ExitCode.FAILED, "failed")
    assert "model.ckpt-6 could not be written (ResourceExhaustedError: " in ending.record.message
    assert len(ending.record.measurement.losses) == 4


def all_losses(*endings):
    """Those of all steps of a training, the warm-up's of each process too."""
    return [loss for ending in endings for loss in (*ending.record.measurement.warmup_losses, *losses(ending))]


def losses(ending):
    return list(ending.record.measurement.losses)


def test_a_training_that_is_told_to_end_is_saved_and_goes_on_from_there(sample, tmp_path):
    options = {"data_dir": str(sample), "optimizer": "momentum", "num_batches": 9, "display_every": 1}
    straight, _, _ = ran(**options)
    told_at = TellsToEnd("4\t")
    first, out, err = ran(told_at, **options, train_dir=str(tmp_path))
    assert (first.exit_code, first.record.status) == (ExitCode.TERMINATED, "interrupted")
    assert saved_steps(first) == [6]
    assert out.splitlines()[-1].startswith("4\t"), "the step was told, and nothing came after it"
    assert err.startswith(f"NOTE: saved {tmp_path}/model.ckpt-6 (")
    assert err.count("\n") == 1
    assert not Checkpoints(tmp_path).facts(Checkpoints(tmp_path).latest()).complete
    second, _, _ = ran(**options, train_dir=str(tmp_path))
    assert second.record.checkpoints["resumed_from_step"] == 6
    assert all_losses(first, second) == all_losses(straight)


def test_saving_at_the_end_of_an_interrupted_run_is_in_no_figure(tmp_path):
    options = {"display_every": 1, "telemetry_interval": 0}
    plain, saved = (ran(TellsToEnd("3\t"), **options, **more)[0] for more in ({}, {"train_dir": str(tmp_path)}))
    assert saved_steps(saved) == [5]
    assert saved.record.measurement.window_seconds == plain.record.measurement.window_seconds
    assert saved.record.measurement.step_seconds == plain.record.measurement.step_seconds


def test_a_run_that_is_told_to_end_in_an_evaluation_saves_and_does_nothing_else(sample, tmp_path):
    options = {"data_dir": str(sample), "batch_size": 30, "train_dir": str(tmp_path), "save_model_steps": 5}
    options |= {"eval_during_training_at_specified_steps": "3", "stop_at_top_1_accuracy": 0.01}
    ending, out, _ = ran(TellsToEnd("Running evaluation at global_step 3"), **options)
    assert (ending.exit_code, saved_steps(ending)) == (ExitCode.TERMINATED, [5])
    assert ending.record.evaluation["evaluations"] == []
    assert out.splitlines()[-1] == "Running evaluation at global_step 3"


def test_what_was_computed_wrongly_is_not_saved_at_an_interrupted_end(tmp_path):
    options = {"display_every": 1, "init_learning_rate": 1e30, "train_dir": str(tmp_path)}
    ending, _, err = ran(TellsToEnd("3\t"), **options)
    assert (ending.exit_code, saved_steps(ending)) == (ExitCode.TERMINATED, [])
    assert "WARNING: nothing is saved at this end: the loss is not finite from warm-up step -1 on.\n" in err
    ending, _, err = ran(TellsToEnd("3\t"), **options, allow_nonfinite_loss=True)
    assert saved_steps(ending) == [5]


def test_a_disk_that_is_full_at_an_interrupted_end_is_said_and_leaves_the_exit_code(tmp_path, monkeypatch):
    def full(_, **__):
        raise tf.errors.ResourceExhaustedError(None, None, "model.ckpt-5_temp/part-0; No space left on device")

    monkeypatch.setattr(tf.train.CheckpointManager, "save", full)
    ending, _, err = ran(TellsToEnd("3\t"), display_every=1, train_dir=str(tmp_path))
    assert (ending.exit_code, ending.record.status) == (ExitCode.TERMINATED, "interrupted")
    assert "WARNING: nothing is saved at this end. --train_dir=" in err
    assert err.count("model.ckpt-5 could not be written (ResourceExhaustedError: ") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_second_signal_does_not_wait_for_the_saving(tmp_path, monkeypatch):
    """It comes when the files are there, and the one that says that they count is not."""
    options = {"display_every": 1, "train_dir": str(tmp_path)}
    ran(**options)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}

    def told_again(manager, checkpoint_number):
        manager.checkpoint.write(f"{tmp_path}/model.ckpt-{checkpoint_number}")
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(tf.train.CheckpointManager, "save", told_again)
    ending, _, err = ran(TellsToEnd("3\t"), **options, num_batches=20)
    assert (ending.exit_code, ending.record.status) == (ExitCode.TERMINATED, "interrupted")
    assert "NOTE: saved" not in err
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_half_a_step_is_not_saved(tmp_path, monkeypatch):
    """The second signal comes once the variables are updated, and before the step is counted."""
    step = TrainingStep.__call__

    def told_twice(self):
        outcome = step(self)
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGTERM)
        return outcome

    monkeypatch.setattr(TrainingStep, "__call__", told_twice)
    ending, _, _ = ran(train_dir=str(tmp_path))
    assert (ending.exit_code, saved_steps(ending)) == (ExitCode.TERMINATED, [])
    assert list(tmp_path.iterdir()) == []
