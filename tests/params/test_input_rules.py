import pytest

from benchmarks.params import Params, notices, validate

WORKER = {"job_name": "worker", "worker_hosts": "127.0.0.1:2222,127.0.0.1:2223"}


@pytest.fixture
def cifar10(tmp_path):
    """A folder with files of the right names: rules look no further."""
    for name in ("train.tfrecords", "validation.tfrecords", "eval.tfrecords"):
        (tmp_path / name).touch()
    return {"data_dir": str(tmp_path), "data_name": "cifar10"}


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ({"input_only": True, "measure_exchange": True}, "--input_only and --measure_exchange: without a model"),
        ({"input_only": True, "measure_peak": True}, "--input_only and --measure_peak: without a model nothing is"),
        ({"input_only": True, "diagnose": True}, "--input_only and --diagnose: without a model there is no step"),
        ({"input_method": "small_files"}, "--input_method=small_files with cifar10: only imagenet"),
        ({"preprocess_device": "tower", "input_method": "feed"}, "--preprocess_device=tower with --input_method=feed"),
        ({"preprocess_device": "tower", "input_only": True}, "--preprocess_device=tower with --input_only: there is"),
        ({"preprocess_device": "tower", "diagnose": True}, "--preprocess_device=tower with --diagnose: what the step"),
        (
            {"input_method": "service", "data_service_address": "nowhere"},
            "--data_service_address=nowhere is not host:port",
        ),
    ],
)
def test_what_cannot_be_done_is_refused(cifar10, params, reason):
    (problem,) = validate(Params(**cifar10, **params))
    assert problem.startswith(reason)


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ({"input_only": True}, "--input_only with several processes"),
        ({"diagnose": True}, "--diagnose with several processes"),
        ({"measure_peak": True}, "--measure_peak with several processes: only one process can keep all devices busy"),
        ({"input_method": "feed"}, "--input_method=feed in a cluster"),
        ({"input_method": "service"}, "--input_method=service in a cluster"),
    ],
)
def test_what_needs_one_process_is_refused_in_a_cluster(cifar10, params, reason):
    alone = Params(variable_update="collective_all_reduce", **cifar10, **params)
    assert validate(alone) == []
    (problem,) = validate(Params(variable_update="collective_all_reduce", **cifar10, **WORKER, **params))
    assert problem.startswith(reason)


def test_images_of_many_sizes_are_not_prepared_in_the_step(tmp_path):
    problems = validate(Params(data_dir=str(tmp_path), data_name="imagenet", preprocess_device="tower"))
    assert any(each.startswith("--preprocess_device=tower with imagenet: its images have sizes") for each in problems)


def test_input_that_is_there_already_is_not_measured():
    (problem,) = validate(Params(input_only=True))
    assert problem.startswith("--input_only without --data_dir: synthetic images stay on the device")


def test_options_of_a_service_act_with_one(cifar10):
    for method, acts in (("dataset", False), ("service", True)):
        params = Params(**cifar10, input_method=method, data_service_address="127.0.0.1:5050")
        assert (notices(params, ["data_service_address"]) == []) == acts
