import os
import sys
import time

import pytest

from benchmarks.diagnosis.usage import Meter
from benchmarks.telemetry.gpus import Gpus
from tests.telemetry.stand_in import HERE, put_in_place


def test_processors_and_files_are_counted(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(bytes(5_000_000))
    meter = Meter()
    end = time.monotonic() + 0.5
    while time.monotonic() < end:
        pass
    path.read_bytes()
    found = meter.usage()
    assert 0.05 < found.cpus < 1.5
    assert found.read_bytes_per_second > 500_000
    assert found.gpu_utilisation is None


def test_the_gpus_are_asked_while_it_runs():
    answers = iter([0.2, 0.4, None, *[0.6] * 1000])
    meter = Meter(lambda: next(answers))
    time.sleep(0.7)
    assert 0.2 < meter.usage().gpu_utilisation < 0.6


def test_an_idle_process_uses_little():
    meter = Meter()
    time.sleep(0.5)
    assert meter.usage().cpus < 0.5


def test_the_gpus_that_this_process_computes_on_count(tmp_path, monkeypatch):
    machine = put_in_place((HERE / "h200.txt").read_text().replace("count 1", "count 4"), tmp_path, monkeypatch)
    machine.set("gpu*.memory_utilization", 0)
    for number, (processes, utilisation) in enumerate([("PID", 40), (1, 100), ("PID 1", 60), ("", 0)]):
        machine.set(f"gpu{number}.processes", str(processes).replace("PID", str(os.getpid())))
        machine.set(f"gpu{number}.utilization", utilisation)
    found = Gpus()
    assert found.utilisation() == pytest.approx(0.5)
    machine.set("gpu0.utilization", "!3")  # not supported
    assert found.utilisation() == pytest.approx(0.6)
    found.close()


def test_without_nvml_nothing_is_known(monkeypatch):
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert Gpus().utilisation() is None
