"""One command for a run and the tf.data service that makes its images."""

import signal

import psutil
import pytest

from tests.cluster.test_launch import launch, records
from tests.main.conftest import sample_data  # noqa: F401  a fixture

ENDLESS = "--num_batches=1000000"


def flags(folder, *more):
    return ["--model=trivial", "--data_name=cifar10", f"--data_dir={folder}", *more]


def test_a_run_reads_through_a_service_that_ends_with_it(sample_data, tmp_path):  # noqa: F811
    process = launch("--data_service_workers=2", flags=flags(sample_data), results_dir=tmp_path)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert "total images/sec" in out
    (record,) = records(tmp_path)
    assert record["status"] == "completed"
    assert record["params"]["input_method"] == "service"
    assert record["params"]["data_service_address"].startswith("localhost:")
    assert record["dataset"]["deterministic_order"] is False


def started(process):
    """The processes of a command that has begun to make steps: service and run."""
    for line in process.stdout:
        if line.startswith("5\t"):
            break
    children = psutil.Process(process.pid).children(recursive=True)
    (service,) = [each for each in children if "benchmarks.inputs.data_service" in each.cmdline()]
    assert len(children) == 2
    return children, service


def test_ctrl_c_ends_both(sample_data, tmp_path):  # noqa: F811
    process = launch("--data_service_workers=1", flags=flags(sample_data, ENDLESS), results_dir=tmp_path)
    children, _ = started(process)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert not any(each.is_running() for each in children)
    (record,) = records(tmp_path)
    assert record["status"] == "interrupted"


def test_a_service_that_dies_ends_the_run(sample_data, tmp_path):  # noqa: F811
    process = launch("--data_service_workers=1", flags=flags(sample_data, ENDLESS), results_dir=tmp_path)
    children, service = started(process)
    service.kill()
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "benchmarks.launch: error: the data service ended by itself" in err
    assert not any(each.is_running() for each in children)


@pytest.mark.parametrize(
    ("arguments", "more", "problem"),
    [
        (["--data_service_workers=1", "--ps=1"], [], "--data_service_workers is for a run of one process"),
        (["--data_service_workers=1"], ["--modle=x"], "error: Unknown flag --modle=x. Did you mean --model?"),
        (["--data_service_workers=0"], [], "argument --data_service_workers: '0' is not a whole number from 1 on"),
    ],
)
def test_what_cannot_be_started_is_said_at_once(tmp_path, arguments, more, problem):
    process = launch(*arguments, flags=more, results_dir=tmp_path)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert problem in err
