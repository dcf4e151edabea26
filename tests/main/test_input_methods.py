"""Whole runs with input that comes otherwise than by tf.data in the step."""

import subprocess
import sys

import pytest

from tests.main.conftest import PROJECT, SHORT, run

SERVICE = """
import tensorflow as tf
service = tf.data.experimental.service
dispatcher = service.DispatchServer()
address = dispatcher.target.split("://")[1]
worker = service.WorkerServer(service.WorkerConfig(dispatcher_address=address))
print(address, flush=True)
dispatcher.join()
"""


@pytest.fixture
def service_address():
    """host:port of a tf.data service in a process of its own."""
    process = subprocess.Popen([sys.executable, "-c", SERVICE], cwd=PROJECT, stdout=subprocess.PIPE, text=True)
    try:
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.communicate()


def test_a_service_elsewhere(sample_data, service_address, tmp_path):
    flags = ["--input_method=service", f"--data_service_address={service_address}", f"--data_dir={sample_data}"]
    ran = run(*SHORT, "--model=trivial", "--data_name=cifar10", *flags, results_dir=tmp_path)
    assert ran.code == 0, ran.err
    assert ran.records[0]["dataset"]["deterministic_order"] is False
    assert "NOTE: the order of the images depends on timing" in ran.err


@pytest.mark.parametrize(
    "flags", [["--input_method=feed", "--xla_compile"], ["--input_method=service", "--input_only"]]
)
def test_other_methods_in_this_process(sample_data, flags, tmp_path):
    ran = run(
        *SHORT, "--model=trivial", "--data_name=cifar10", f"--data_dir={sample_data}", *flags, results_dir=tmp_path
    )
    assert ran.code == 0, ran.err
    (record,) = ran.records
    assert len(record["measurement"]["step_seconds"]) == 12
    assert record["dataset"]["deterministic_order"] is True
    assert ran.out.startswith("TensorFlow:  2.")
