import itertools
import os
import sys
import threading
import time

import numpy as np
import pytest

from benchmarks.diagnosis.usage import Meter
from benchmarks.telemetry.gpus import Gpus
from tests.telemetry.stand_in import HERE, put_in_place


def now():
    return np.array([time.process_time(), time.monotonic()])


def test_processors_and_files_are_counted(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(bytes(5_000_000))
    before, meter, begin = now(), Meter(), now()
    while time.process_time() - begin[0] < 0.3:
        pass
    path.read_bytes()
    end, found, after = now(), meter.usage(), now()
    (least, shortest), (most, longest) = end - begin, after - before  # as a busy machine gives it less time
    assert least / longest <= found.cpus <= most / shortest
    assert 5e6 / longest <= found.read_bytes_per_second <= 6e6 / shortest
    assert found.gpu_utilisation is None


def test_the_gpus_are_asked_while_it_runs():
    told, enough, asked = [0.2, 0.4, None, 0.6, 0.8], threading.Event(), itertools.count()

    def utilisation():
        number = next(asked)
        if number >= len(told):
            enough.set()
        return told[number] if number < len(told) else None

    meter = Meter(utilisation)
    assert enough.wait(60)
    assert meter.usage().gpu_utilisation == pytest.approx(0.5)


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
