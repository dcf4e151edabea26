"""What the modes beside plain training need, and what they exclude."""

import pytest

from benchmarks.errors import UserError
from benchmarks.params import Params, resolve, validate
from benchmarks.params.evaluation_points import evaluation_points
from tests.params.conftest import WORKER

EVERY_10 = {"eval_during_training_every_n_steps": 10}


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ({"measure_exchange": True}, "--forward_only and --measure_exchange: nothing is exchanged."),
        ({"diagnose": True}, "--forward_only and --diagnose: the experiment is about a training step."),
        ({"input_only": True}, "--forward_only and --input_only: that measures no model."),
        (EVERY_10, "--forward_only and --eval_during_training_every_n_steps=10: nothing is learned"),
        (WORKER | {"cross_replica_sync": False}, "--forward_only with --cross_replica_sync=false: nothing is updated"),
    ],
)
def test_the_forward_pass_alone(data, params, problem):
    (found,) = validate(Params(forward_only=True, **data, **params))
    assert found.startswith(problem)


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ({"forward_only": True}, "--step_breakdown and --forward_only: a forward pass has no parts."),
        ({"input_only": True}, "--step_breakdown and --input_only: without a model there is no step that has parts."),
        (WORKER, "--step_breakdown with several processes: only the step of one process is taken apart"),
    ],
)
def test_a_step_to_take_apart(data, params, problem):
    assert validate(Params(step_breakdown=True, **data)) == []
    (found,) = validate(Params(step_breakdown=True, **data, **params))
    assert found.startswith(problem)


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ({"step_breakdown": True}, "--find_batch_size=max and --step_breakdown: that takes memory beside the model's."),
        ({"measure_peak": True}, "--find_batch_size=max and --measure_peak: that takes memory beside the model's."),
        ({"graph_file": "step.pb"}, "--find_batch_size=max and --graph_file: each trial would write over those"),
        ({"benchmark_log_dir": "logs"}, "--find_batch_size=max and --benchmark_log_dir: each trial would write over"),
        ({"train_dir": "t"}, "--find_batch_size=max and --train_dir: each trial would go on with the training of"),
        ({"input_only": True}, "--find_batch_size=max and --input_only: without a model nothing grows"),
        (EVERY_10, "--find_batch_size=max and --eval_during_training_every_n_steps=10: a trial is too short"),
        ({"repeats": 2}, "--find_batch_size=max and --repeats=2: a search repeats its trials itself."),
        (WORKER, "--find_batch_size=max with several processes: only a run of one process can be tried."),
        ({"trial_number": 1}, "--trial_number=1, --trial_set= and --find_batch_size=max or --tune_cpu belong together"),
    ],
)
def test_a_batch_size_to_find(data, params, problem):
    assert validate(Params(find_batch_size="max", forward_only=True, **data)) == []
    (found,) = validate(Params(find_batch_size="max", **data, **params))
    assert found.startswith(problem)


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ({"device": "gpu"}, "--tune_cpu with --device=gpu: it is about the CPU, whose threads, layout and towers"),
        ({"local_parameter_device": "gpu"}, "--tune_cpu with --local_parameter_device=gpu: it is about the CPU"),
        ({"gpu_indices": "0"}, "--tune_cpu and --gpu_indices: it is about the CPU"),
        ({"find_batch_size": "max"}, "--tune_cpu and --find_batch_size: each tries one thing while the other is settl"),
        ({"measure_peak": True}, "--tune_cpu and --measure_peak: a trial is a run and no more."),
        ({"onednn_verbose": True}, "--tune_cpu and --onednn_verbose: telling of each primitive takes time."),
        ({"tfprof_file": "a"}, "--tune_cpu and --tfprof_file: each trial would write over those before it."),
        ({"repeats": 2}, "--tune_cpu and --repeats=2: a search repeats its trials itself."),
        (WORKER, "--tune_cpu with several processes: only a run of one process can be tried."),
    ],
)
def test_a_cpu_to_tune(params, problem):
    assert validate(Params(tune_cpu=True, forward_only=True)) == []
    (found,) = validate(Params(tune_cpu=True, **params))
    assert found.startswith(problem)


def test_a_run_of_a_suite_knows_its_place_and_is_one_run():
    place = '{"suite": "quick", "plan": "p", "set": "s", "cell": "c", "repeat": 1, "attempt": 2}'
    assert validate(Params(suite_run=place)) == []
    (found,) = validate(Params(suite_run=place, repeats=2))
    assert found.startswith("--suite_run and --repeats=2: the suite repeats its runs itself")
    (found,) = validate(Params(suite_run=place, tune_cpu=True, trial_number=1, trial_set="abc"))
    assert found.startswith("--suite_run and --trial_set: ")
    for wrong in ("x", "[]", "{}", place.replace("cell", "cells")):
        (found,) = validate(Params(suite_run=wrong))
        assert found.startswith(f"--suite_run={wrong}: ")
        assert "leave it out" in found


def test_a_trial_belongs_to_a_search():
    trial = {"trial_number": 1, "trial_set": "abc"}
    assert validate(Params(tune_cpu=True, **trial)) == []
    assert validate(Params(find_batch_size="best", **trial)) == []
    (found,) = validate(Params(**trial))
    assert found.startswith("--trial_number=1, --trial_set=abc and --find_batch_size= or --tune_cpu belong together")


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        (
            EVERY_10 | {"eval_during_training_at_specified_epochs": "1"},
            "--eval_during_training_every_n_steps=10 and --eval_during_training_at_specified_epochs=1 all say when",
        ),
        (
            {"eval_during_training_at_specified_steps": "10,x"},
            "--eval_during_training_at_specified_steps=10,x is no list of whole numbers from 1 on",
        ),
        (
            {"eval_during_training_at_specified_epochs": "1,-1"},
            "--eval_during_training_at_specified_epochs=1,-1 is no list of numbers above 0",
        ),
        ({"stop_at_top_1_accuracy": 0.5}, "--stop_at_top_1_accuracy=0.5 without evaluations"),
        (EVERY_10 | {"input_only": True}, "--eval_during_training_every_n_steps=10 and --input_only: without a model"),
        (EVERY_10 | {"target_precision": 0.1}, "--eval_during_training_every_n_steps=10 with --target_precision=0.1"),
        (EVERY_10 | WORKER, "--eval_during_training_every_n_steps=10 with several processes: only a run of one"),
    ],
)
def test_evaluations(data, params, problem):
    (found,) = validate(Params(**data, **params))
    assert found.startswith(problem)


def test_evaluations_need_images(data):
    (found,) = validate(Params(**EVERY_10))
    assert found.startswith("--eval_during_training_every_n_steps=10 without --data_dir")
    assert validate(Params(**EVERY_10, **data)) == []


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ({"input_method": "service"}, "--deterministic with --input_method=service: the order of the images"),
        ({"target_precision": 0.1}, "--deterministic with --target_precision=0.1: the number of steps"),
        ({"forward_only": True}, "--deterministic and --forward_only: nothing is trained"),
        ({"input_only": True}, "--deterministic and --input_only: nothing is trained"),
        (WORKER, "--deterministic with several processes"),
    ],
)
def test_determinism(data, params, problem):
    assert validate(Params(deterministic=True, **data)) == []
    (found,) = validate(Params(deterministic=True, **data, **params))
    assert found.startswith(problem)


def test_a_sloppy_order_is_not_deterministic(tmp_path):
    (tmp_path / "train-00000-of-00001").touch()
    data = {"data_dir": str(tmp_path), "data_name": "imagenet", "datasets_sloppy_parallel_interleave": True}
    (found,) = validate(Params(deterministic=True, **data))
    assert found.startswith("--deterministic with --datasets_sloppy_parallel_interleave: the order of the images")
    assert validate(Params(**data)) == []


@pytest.mark.parametrize(
    ("schedule", "points"),
    [
        ({"every_n_steps": 40}, [40, 80, 100]),
        ({"every_n_steps": 50}, [50, 100]),
        ({"every_n_epochs": 0.5}, [13, 25, 38, 50, 63, 75, 88, 100]),
        ({"at_specified_steps": "7,3"}, [3, 7, 100]),
        ({"at_specified_epochs": "0.1,3"}, [3, 75, 100]),
    ],
)
def test_points(schedule, points):
    """25 steps are an epoch."""
    options = {f"eval_during_training_{name}": value for name, value in schedule.items()}
    params = Params(model="trivial", data_name="cifar10", batch_size=64, num_gpus=1, num_batches=100, **options)
    assert evaluation_points(resolve(params, device="cpu", examples=1600)) == points


def test_a_point_beyond_the_end_is_an_error():
    params = Params(
        model="trivial", data_name="cifar10", batch_size=64, eval_during_training_at_specified_steps="9,101"
    )
    with pytest.raises(
        UserError, match=r"specified_steps=9,101 asks for an evaluation after step 101, but the run has 100"
    ):
        evaluation_points(resolve(params, device="cpu", examples=1600))
