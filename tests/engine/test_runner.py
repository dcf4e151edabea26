"""How a run ends, with the training replaced by what goes wrong in it."""

import io

import pytest
import tensorflow as tf

from benchmarks import runner, settling, window
from benchmarks.console import Console
from benchmarks.copies import Copies
from benchmarks.errors import ExitCode, UserError
from benchmarks.failures import explain
from benchmarks.inputs.sources import Synthetic
from benchmarks.params import CommandLine, Params, parse
from benchmarks.verification import Verdict


@pytest.fixture(autouse=True)
def _signals_as_before():
    import signal

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def ended(monkeypatch, error, at_call=4, **params):
    """A run of the trivial network whose step number `at_call` raises `error`."""
    calls = iter(range(1, 1000))
    original = runner.build_step

    class Failing:
        def __init__(self, step):
            self.step, self.strategy, self.trace, self.traffic = step, step.strategy, step.trace, step.traffic

        def __call__(self):
            if next(calls) == at_call:
                raise error
            return self.step()

    monkeypatch.setattr(runner, "build_step", lambda workload: Failing(original(workload)))
    chosen = Params(device="cpu", batch_size=2, num_warmup_batches=1, num_batches=5, data_name="cifar10", **params)
    out, err = io.StringIO(), io.StringIO()
    ending = runner.run(CommandLine(chosen), ["run_benchmark.py"], Console(out, err), started=0.0)
    return ending, out.getvalue(), err.getvalue()


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (
            tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor\n\nDetected at node ..."),
            ExitCode.FAILED,
            "out of memory with --model=trivial --batch_size=2 on each of 1 device(s): OOM when allocating tensor.",
        ),
        (MemoryError("no more"), ExitCode.FAILED, "out of memory with --model=trivial"),
        (ValueError("what\never"), ExitCode.FAILED, "ValueError: what (--debug shows the traceback)"),
        (UserError("the thing cannot be used"), ExitCode.UNUSABLE, "the thing cannot be used"),
    ],
)
def test_an_error_leaves_a_record_of_what_was_measured(monkeypatch, error, code, message):
    ending, out, err = ended(monkeypatch, error)
    assert (ending.exit_code, ending.leaves_record) == (code, True)
    assert ending.record.status == "failed"
    assert ending.record.message.startswith(message)
    assert len(ending.record.measurement.step_seconds) == 2
    assert ending.record.model["name"] == "trivial"
    assert "Traceback" not in out + err
    assert "total images/sec" not in out


def test_a_schedule_of_a_paper_is_told_and_recorded():
    flags = ["--model=resnet20", "--data_name=cifar10", "--paper_schedule", "--momentum=0.5", "--device=cpu"]
    short = ["--batch_size=8", "--num_warmup_batches=0", "--num_batches=2"]
    out, err = io.StringIO(), io.StringIO()
    ending = runner.run(parse([*flags, *short]), ["run_benchmark.py"], Console(out, err), started=0.0)
    record = ending.record
    assert (record.status, record.message) == ("completed", "")
    assert "Optimizer:   momentum\n" in out.getvalue()
    assert "NOTE: --paper_schedule (arXiv:1512.03385, section 4.2) sets optimizer=momentum, " in err.getvalue()
    assert "NOTE: learning rates are 0.0625 times those for 128 images a step, as an update has 8 " in err.getvalue()
    assert (record.model["learning_rate_scale"], record.model["images_per_update"]) == (0.0625, 8)
    schedule = record.model["paper_schedule"]
    assert (schedule["source"], schedule["not_set"]) == ("arXiv:1512.03385, section 4.2", ["momentum"])
    assert schedule["set"] == {name: record.configuration[name] for name in schedule["set"]}
    assert (record.configuration["momentum"], record.configuration["weight_decay"]) == (0.5, 1e-4)
    assert record.cost["training_flops"] == 242_421_504


def test_debug_prints_the_traceback(monkeypatch, capsys):
    ended(monkeypatch, ValueError("what"), debug=True)
    assert "Traceback" in capsys.readouterr().err


def test_what_is_refused_before_anything_was_measured_leaves_no_record():
    params = Params(device="gpu", num_gpus=2)
    ending = runner.run(CommandLine(params), [], Console(io.StringIO(), io.StringIO()), started=0.0)
    assert (ending.exit_code, ending.record.status) == (ExitCode.UNUSABLE, "failed")
    assert ending.record.measurement is None
    assert (ending.refused, ending.leaves_record) == (True, False)


def test_records_of_other_data_have_another_key(monkeypatch):
    first = ended(monkeypatch, None, at_call=99)[0].record
    monkeypatch.setattr(
        settling, "settle", lambda *given, settle=settling.settle: with_source(settle(*given), "published archive")
    )
    second = ended(monkeypatch, None, at_call=99)[0].record
    assert first.status == second.status == "completed"
    assert first.configuration_key != second.configuration_key


def with_source(workload, source):
    import dataclasses

    facts = workload.source.facts | {"source": source}
    changed = Synthetic(workload.source.dataset, workload.source.num_classes, workload.source.title, facts)
    return dataclasses.replace(workload, source=changed)


def test_an_error_of_tensorflow_is_one_line():
    error = tf.errors.InternalError(None, None, "\n  first\n second")
    assert explain(error, Params()) == "InternalError: first (--debug shows the traceback)"


@pytest.mark.parametrize("accepted", [False, True])
def test_a_wrong_update_makes_the_run_invalid_whatever_the_losses_may_be(monkeypatch, accepted):
    wrong = Verdict(largest_difference=0.5, variable="wide/kernel", tolerance=1e-4, seconds=0.1)
    monkeypatch.setattr(runner, "verify_update", lambda _: wrong)
    ending, _, err = ended(monkeypatch, None, at_call=99, allow_nonfinite_loss=accepted)
    assert ending.exit_code == ExitCode.INVALID
    assert ending.record.wrong == (wrong.problem,)
    assert ending.record.problems == (wrong.problem, "too few steps: 5 steps, and an interval needs 50")
    assert ending.record.checks["variable_update"]["passed"] is False
    assert f"WARNING: {wrong.problem}: this run will be invalid." in err


def test_towers_that_drift_apart_make_the_run_invalid(monkeypatch):
    apart = Copies(largest_difference=0.5, variable="wide/kernel", copies=2, seconds=0.1)
    monkeypatch.setattr(window, "compare_copies", lambda _: apart)
    monkeypatch.setattr(window, "TrainingStep", object)  # what `ended` runs stands in for one
    ending, _, _ = ended(monkeypatch, None, at_call=99)
    assert ending.exit_code == ExitCode.INVALID
    assert ending.record.wrong == (apart.problem,)


def test_a_doubt_about_the_figure_is_no_failure(monkeypatch):
    ending, _, _ = ended(monkeypatch, None, at_call=99)
    assert (ending.exit_code, ending.record.valid, ending.record.wrong) == (ExitCode.VALID, False, ())
