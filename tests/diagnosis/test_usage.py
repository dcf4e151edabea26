import time

from benchmarks.diagnosis.usage import Meter


def test_processors_and_files_are_counted(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(bytes(5_000_000))
    meter = Meter()
    end = time.monotonic() + 0.5
    while time.monotonic() < end:
        pass
    path.read_bytes()
    found = meter.usage()
    assert 0.3 < found.cpus < 1.5
    assert found.read_bytes_per_second > 2_000_000
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
