import pytest

from benchmarks.params import CommandLineError, parse
from benchmarks.params.recorded_flags import overridden
from results.store import write
from tests.results.records import record

ANOTHER = "Give a record that run_benchmark.py wrote into its --results_dir, one JSON file."
RESOLVED = {
    "model": "resnet20",
    "data_name": "cifar10",
    "batch_size": 64,
    "num_gpus": 2,
    "device": "cpu",
    "variable_update": "replicated",
    "xla": False,
    "num_epochs": 0.0256,
    "num_batches": 20,
    "results_dir": "/elsewhere",
    "fp16_loss_scale": None,
}


@pytest.fixture
def path(tmp_path):
    def written(**changes):
        facts = {"params": RESOLVED, "given": tuple(RESOLVED)} | changes
        return write(record(**facts), tmp_path)

    return written


def problems(*arguments):
    with pytest.raises(CommandLineError) as caught:
        parse([str(argument) for argument in arguments])
    return caught.value.problems


@pytest.mark.parametrize("form", [["--rerun={}"], ["-rerun={}"], ["--rerun", "{}"]])
def test_the_given_flags_that_say_what_is_measured_come_back(path, form):
    command = parse([part.format(path()) for part in form])
    assert command.given == {
        "model", "data_name", "batch_size", "num_gpus", "device", "variable_update", "xla", "num_batches"
    }  # fmt: skip
    assert (command.params.model, command.params.batch_size, command.params.num_batches) == ("resnet20", 64, 20)
    assert command.params.num_epochs is None  # they are exact as steps
    assert command.params.results_dir == "runs"  # a record does not say where to write
    assert command.rerun.params == RESOLVED
    assert overridden(command.rerun, command.params) == []


def test_a_run_that_ended_when_it_was_precise_enough_does_so_again(path):
    given = ("model", "data_name", "target_precision", "num_batches", "repeats")
    params = RESOLVED | {"target_precision": 0.2, "num_epochs": None, "num_batches": 1000, "repeats": 3}
    command = parse([f"--rerun={path(params=params, given=given)}"])
    assert (command.params.target_precision, command.params.num_batches) == (0.2, 1000)
    assert command.params.repeats == 1
    replaced = parse([f"--rerun={path(params=params, given=given)}", "--target_precision=1%"])
    assert overridden(replaced.rerun, replaced.params) == [
        "--target_precision=0.01 replaces 0.2, which the record has."
    ]


def test_only_given_flags_do(path):
    command = parse([f"--rerun={path(given=('model', 'data_name'))}"])
    assert command.given == {"model", "data_name"}
    assert command.params.batch_size == 0


def test_what_auto_stood_for_comes_back(path):
    """The choice was made for that run: with other GPUs it would be another configuration."""
    params = RESOLVED | {"all_reduce_spec": "nccl", "local_parameter_device": "gpu", "device": "gpu"}
    advice = {
        "variable_update": {"value": "replicated"},
        "local_parameter_device": {"value": None},  # that of the device that there is
        "all_reduce_spec": {"value": "nccl"},
        "data_format": {"value": "NCHW"},
    }
    command = parse([f"--rerun={path(params=params, advice=advice, given=('variable_update', 'num_gpus'))}"])
    assert command.given == {"variable_update", "num_gpus", "all_reduce_spec"}
    assert (command.params.variable_update, command.params.all_reduce_spec) == ("replicated", "nccl")


def test_other_flags_override_wherever_they_stand_and_are_told(path):
    command = parse(["--xla", f"--rerun={path()}", "--batch_size=32", "--num_epochs=1"])
    assert (command.params.xla, command.params.batch_size, command.params.num_epochs) == (True, 32, 1.0)
    assert command.params.num_batches is None
    assert overridden(command.rerun, command.params) == [
        "--batch_size=32 replaces 64, which the record has.",
        "--xla=True replaces False, which the record has.",
        "The length of the run, 1.0 epochs, replaces --num_batches=20, which the record has.",
    ]


def test_it_can_stand_in_a_flagfile(path, tmp_path):
    (tmp_path / "flags").write_text(f"--rerun={path()}\n--num_batches=5\n")
    command = parse([f"--flagfile={tmp_path}/flags"])
    assert (command.params.model, command.params.num_batches) == ("resnet20", 5)


def test_a_record_that_cannot_be_run_again_is_refused_with_the_reason(path, tmp_path):
    imported = path(provenance={"tool": "Horovod"})
    assert problems(f"--rerun={imported}") == [
        f"--rerun cannot be used: {imported}: it was imported from Horovod, and has no flags of this benchmark to run "
        f"again. {ANOTHER}"
    ]
    newer = path(given=("model", "batchsize"), environment={"git": {"commit": "abc"}})
    assert problems(f"--rerun={newer}") == [
        f"--rerun cannot be used: {newer}: this version does not know its flags --batchsize (is it --batch_size now?); "
        f"the record is of commit abc. {ANOTHER}"
    ]
    odd = path(params={"model": ["a"]}, given=("model",))
    assert problems(f"--rerun={odd}") == [
        f"--rerun cannot be used: {odd}: field 'params.model': the value of --model is no text, number or truth value. "
        f"{ANOTHER}"
    ]
    (tmp_path / "cut.json").write_text("{")
    [cut] = problems(f"--rerun={tmp_path}/cut.json")
    assert cut.startswith(f"--rerun cannot be used: {tmp_path}/cut.json: not JSON")
    assert problems(f"--rerun={tmp_path}/cuts.json") == [
        f"--rerun cannot be used: {tmp_path}/cuts.json: cannot be read: No such file or directory. "
        f"Did you mean '{tmp_path}/cut.json'?"
    ]
    assert problems(f"--rerun={tmp_path}/none/a.json") == [
        f"--rerun cannot be used: {tmp_path}/none/a.json: cannot be read: No such file or directory. {ANOTHER}"
    ]
    assert problems(f"--rerun={odd}", f"--rerun={odd}")[0].startswith("--rerun stands 2 times.")
    assert problems("--rerun")[0].startswith("--rerun cannot be used: .: cannot be read: not a regular file")


def test_a_study_that_a_suite_ran_is_no_run_to_repeat(path):
    study = path(params={}, given=(), command_line=("-m", "benchmarks.studies", "xla"))
    assert problems(f"--rerun={study}") == [
        f"--rerun cannot be used: {study}: it is no run of run_benchmark.py, and has no flags to run again. {ANOTHER}"
    ]


def test_all_problems_are_told_together(path):
    bad = path(params=RESOLVED | {"model": "resnet5"})
    told = problems(f"--rerun={bad}", "--bogus")
    assert any("--model=resnet5" in problem for problem in told)
    assert any("Unknown flag --bogus" in problem for problem in told)


def test_a_value_of_a_record_is_never_a_flag_of_its_own(path):
    params = RESOLVED | {"rewriter_config": "--results_dir=/x"}
    strange = path(params=params, given=("model", "data_name", "rewriter_config"))
    command = parse([f"--rerun={strange}"])
    assert command.params.rewriter_config == "--results_dir=/x"
    assert command.params.results_dir == "runs"
