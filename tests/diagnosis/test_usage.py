import os
import sys
import time
from types import SimpleNamespace

import pytest

from benchmarks.diagnosis.usage import GpuUtilisation, Meter
from tests.engine.test_load import driver


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


def nvml(pids, utilisation):
    """Stands in for NVML: processes and utilisation (per cent) of each GPU; None: the device does not tell."""
    from pynvml import NVML_ERROR_NOT_SUPPORTED, NVMLError

    def rates(gpu):
        if utilisation[gpu] is None:
            raise NVMLError(NVML_ERROR_NOT_SUPPORTED)
        return SimpleNamespace(gpu=utilisation[gpu])

    found = driver(*pids)
    found.nvmlDeviceGetUtilizationRates = rates
    return found


def test_the_gpus_that_this_process_computes_on_count():
    own = os.getpid()
    assert GpuUtilisation(nvml([[own], [1], [own, 1], []], [40, 100, 60, 0]))() == pytest.approx(0.5)
    assert GpuUtilisation(nvml([[own], [own]], [None, 30]))() == pytest.approx(0.3)
    assert GpuUtilisation(nvml([[own]], [None]))() is None


def test_without_nvml_nothing_is_known(monkeypatch):
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert GpuUtilisation()() is None
