"""What a look at where operations were placed needs."""

import pytest

from benchmarks.params import Params, configuration, validate
from tests.params.conftest import WORKER

STRICT = {"device_policy": "strict"}


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ({"log_device_placement": True, "num_warmup_batches": 0}, "--log_device_placement with --num_warmup_batches=0"),
        (
            STRICT | {"num_warmup_batches": 0},
            "--device_policy=strict with --num_warmup_batches=0: the first step, which",
        ),
        (
            STRICT | WORKER | {"cross_replica_sync": False},
            "--device_policy=strict with --cross_replica_sync=false: each",
        ),
        ({"device_policy": "hard"}, "--device_policy=hard is none of: report, strict."),
    ],
)
def test_problem(params, problem):
    (found,) = validate(Params(**params))
    assert found.startswith(problem)


def test_an_evaluation_places_nothing_that_is_measured(data):
    asked = Params(eval=True, train_dir=".", log_device_placement=True, data_name="cifar10", **data)
    assert any(found.startswith("--log_device_placement with --eval: no step is") for found in validate(asked))


@pytest.mark.parametrize(
    "params",
    [
        STRICT | {"log_device_placement": True, "num_warmup_batches": 1},
        STRICT | WORKER,
        {"num_warmup_batches": 0, "allow_soft_placement": False},
    ],
)
def test_no_problem(params):
    assert validate(Params(**params)) == []


def test_a_look_makes_no_other_configuration():
    looked_at = Params(device_policy="strict", log_device_placement=True, allow_soft_placement=False)
    assert configuration(looked_at) == configuration(Params())
