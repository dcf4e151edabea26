import pytest

from benchmarks.params import Params, validate

WORKER = {"job_name": "worker", "worker_hosts": "127.0.0.1:2222,127.0.0.1:2223"}


def problems(**params):
    return validate(Params(data_name="cifar10", **params), without=["data_dir", "variable_update"])


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ({"input_only": True, "measure_exchange": True}, "--input_only and --measure_exchange: without a model"),
    ],
)
def test_what_cannot_be_measured_is_refused(params, reason):
    assert any(problem.startswith(reason) for problem in problems(**params))


def test_input_that_is_there_already_is_not_measured():
    (problem,) = validate(Params(input_only=True))
    assert problem.startswith("--input_only without --data_dir: synthetic images stay on the device")


def test_the_input_alone_is_measured_by_one_process(sample_cifar10):
    strategy = {"variable_update": "collective_all_reduce", "data_dir": str(sample_cifar10)}
    found = validate(Params(input_only=True, data_name="cifar10", **strategy, **WORKER))
    assert any(problem.startswith("--input_only with several processes") for problem in found)
    assert validate(Params(input_only=True, data_name="cifar10", **strategy)) == []


@pytest.fixture
def sample_cifar10(tmp_path):
    """A folder with files of the right names: rules look no further."""
    for name in ("train.tfrecords", "validation.tfrecords", "eval.tfrecords"):
        (tmp_path / name).touch()
    return tmp_path
