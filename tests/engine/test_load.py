"""What else the machine does: real processes, and a driver that the test plays."""

import os
import subprocess
import sys
import time
from types import SimpleNamespace

from benchmarks.load import HostLoad, gpu_state

BURN = "while True: pass"


def burn(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def test_another_process_is_foreign_and_this_one_is_not():
    load = HostLoad()
    burn(0.6)
    quiet = load.facts()["cpu_share_of_others"]
    assert quiet < 1  # other programs of the machine may be at it too
    others = [subprocess.Popen([sys.executable, "-c", BURN]) for _ in os.sched_getaffinity(0)]
    try:
        busy, end = 0.0, time.monotonic() + 120
        while busy <= 0.4:  # they may take a while to begin
            assert time.monotonic() < end
            load = HostLoad()
            time.sleep(0.6)
            busy = load.facts()["cpu_share_of_others"]
    finally:
        for other in others:
            other.kill()
            other.wait()


def test_a_short_window_and_a_run_of_several_processes_cannot_tell(monkeypatch):
    load = HostLoad(alone=False)
    monkeypatch.setattr("benchmarks.load.LEAST_SECONDS", 600.0)
    assert load.facts()["reason"] == "the window is too short to tell"
    monkeypatch.undo()
    time.sleep(0.6)
    facts = load.facts()
    assert facts["cpu_share_of_others"] is None
    assert facts["stolen_share"] >= 0


def driver(*pids, reasons=0):
    """NVML with one GPU for each list of process numbers."""
    return SimpleNamespace(
        nvmlInit=lambda: None,
        nvmlShutdown=lambda: None,
        nvmlDeviceGetCount=lambda: len(pids),
        nvmlDeviceGetHandleByIndex=lambda index: index,
        nvmlDeviceGetComputeRunningProcesses=lambda gpu: [SimpleNamespace(pid=pid) for pid in pids[gpu]],
        nvmlDeviceGetCurrentClocksThrottleReasons=lambda _: reasons,
    )


def test_only_gpus_that_this_process_computes_on_count():
    found = gpu_state(driver([os.getpid(), 1], [2], reasons=0x44))
    assert found == {"GPU 0": {"slowed_for": ["its temperature (hardware limit)"], "other_processes": 1}}


def test_in_a_container_every_gpu_in_use_counts():
    assert gpu_state(driver([], [-1], reasons=0x04)) == {"GPU 1": {"slowed_for": [], "other_processes": None}}


def test_what_the_driver_does_not_tell_is_none():
    from pynvml import NVMLError

    def refuse(*_):
        raise NVMLError(3)

    silent = driver([os.getpid()])
    silent.nvmlDeviceGetCurrentClocksThrottleReasons = refuse
    assert gpu_state(silent)["GPU 0"] == {"slowed_for": None, "other_processes": 0}
    silent.nvmlInit = refuse
    assert gpu_state(silent) == {}


def test_without_the_package_there_is_no_gpu(monkeypatch):
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert gpu_state() == {}
