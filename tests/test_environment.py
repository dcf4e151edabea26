import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pynvml
import pytest

from benchmarks.environment import checkout, cpu_quota, environment, gpus, hardware


def test_environment_is_plain_json_with_the_versions():
    found = json.loads(json.dumps(environment({})))
    assert found["python"] == ".".join(map(str, sys.version_info[:3]))
    assert found["packages"]["numpy"][0].isdigit()
    assert found["hostname"]
    assert found["variables"] == {}


def test_only_variables_that_steer_the_run_are_kept_and_secrets_are_hidden():
    given = {
        "TF_CPP_MIN_LOG_LEVEL": "2",
        "CUDA_VISIBLE_DEVICES": "0",
        "OMP_NUM_THREADS": "4",
        "NVIDIA_API_KEY": "nvapi-12345",
        "TF_VAR_database": "12345",
        "LD_PRELOAD": "libjemalloc.so.2",
        "MALLOC_ARENA_MAX": "2",
        "PATH": "/bin",
        "HOME": "/home/someone",
    }
    assert environment(given)["variables"] == {
        "CUDA_VISIBLE_DEVICES": "0",
        "LD_PRELOAD": "libjemalloc.so.2",
        "MALLOC_ARENA_MAX": "2",
        "NVIDIA_API_KEY": "(hidden)",
        "OMP_NUM_THREADS": "4",
        "TF_CPP_MIN_LOG_LEVEL": "2",
        "TF_VAR_database": "(hidden)",
    }


def test_hardware_is_plain_json_with_cores_and_memory():
    found = json.loads(json.dumps(hardware()))
    assert found["cpu"]["model"]
    assert 1 <= found["cpu"]["usable_cores"] <= found["cpu"]["logical_cores"]
    assert found["memory_bytes"] > 2**28
    assert isinstance(found["gpus"], list)
    assert found["nvml"]


def test_nothing_imports_tensorflow():
    code = (
        "import sys; from benchmarks.environment import environment, hardware; environment(); hardware();"
        "print('tensorflow' in sys.modules)"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "False\n"


def git(folder, *arguments):
    who = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    return subprocess.check_output(["git", "-C", str(folder), *who, *arguments], text=True).strip()


def test_a_checkout_has_its_commit_and_whether_it_was_changed(tmp_path):
    git(tmp_path, "init", "--quiet")
    assert checkout(tmp_path)["commit"] is None  # nothing committed yet
    (tmp_path / "file").write_text("one")
    git(tmp_path, "add", "file")
    git(tmp_path, "commit", "--quiet", "-m", "one")
    commit = git(tmp_path, "rev-parse", "HEAD")
    assert checkout(tmp_path) == {"commit": commit, "dirty": False}
    (tmp_path / "file").write_text("two")
    (tmp_path / "inner").mkdir()
    assert checkout(tmp_path) == {"commit": commit, "dirty": True}
    assert checkout(tmp_path / "inner") == {"commit": None, "reason": "not a checkout of its own"}


def test_what_is_no_checkout_says_why(tmp_path, monkeypatch):
    assert "not a git repository" in checkout(tmp_path)["reason"]
    monkeypatch.setenv("PATH", str(tmp_path))
    assert checkout(tmp_path)["reason"].startswith("git cannot be used")


def groups(tmp_path, membership, **files):
    for name, text in files.items():
        path = tmp_path / name.replace("__", "/").replace("_max", ".max").replace("cpu_cfs", "cpu.cfs")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "membership").write_text(membership)
    return cpu_quota(tmp_path / "membership", tmp_path)


def test_the_tightest_of_nested_groups_limits_the_cores(tmp_path):
    found = groups(tmp_path, "0::/a/b\n", a__cpu_max="150000 100000\n", a__b__cpu_max="max 100000\n")
    assert found == 1.5


def test_version_one_groups_are_read(tmp_path):
    files = {"cpu__job__cpu_cfs_quota_us": "50000\n", "cpu__job__cpu_cfs_period_us": "100000\n"}
    assert groups(tmp_path, "5:memory:/x\n4:cpu,cpuacct:/job\n", **files) == 0.5


@pytest.mark.parametrize("text", ["max 100000\n", "", "nonsense"])
def test_no_limit_is_none(tmp_path, text):
    assert groups(tmp_path, "0::/\n", cpu_max=text) is None


def test_no_groups_at_all_is_none(tmp_path):
    assert cpu_quota(tmp_path / "none", tmp_path) is None


def refuse(*_):
    raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)


def driver(**changes):
    """A driver with two GPUs, the second without memory of its own."""
    answers = {
        "nvmlInit": lambda: None,
        "nvmlShutdown": lambda: None,
        "nvmlSystemGetDriverVersion": lambda: b"550.54.15",  # old releases of the package return bytes
        "nvmlSystemGetCudaDriverVersion_v2": lambda: 12040,
        "nvmlDeviceGetCount": lambda: 2,
        "nvmlDeviceGetHandleByIndex": lambda index: index,
        "nvmlDeviceGetName": lambda index: ["NVIDIA H100 80GB HBM3", "NVIDIA GB10"][index],
        "nvmlDeviceGetUUID": lambda index: f"GPU-{index}",
        "nvmlDeviceGetMemoryInfo": lambda index: SimpleNamespace(total=85 * 10**9) if index == 0 else refuse(),
    }
    return SimpleNamespace(**(answers | changes))


def test_gpus_are_described():
    assert gpus(driver()) == {
        "gpus": [
            {"index": 0, "name": "NVIDIA H100 80GB HBM3", "uuid": "GPU-0", "memory_bytes": 85 * 10**9},
            {"index": 1, "name": "NVIDIA GB10", "uuid": "GPU-1", "memory_bytes": None},
        ],
        "nvml": "ok",
        "driver": "550.54.15",
        "cuda_driver": "12.4",
    }


def test_a_gpu_that_fell_off_the_bus_is_still_listed():
    found = gpus(driver(nvmlDeviceGetHandleByIndex=refuse))["gpus"]
    assert found[0] == {"index": 0, "name": None, "uuid": None, "memory_bytes": None}


def test_without_a_driver_there_is_a_reason_and_no_error():
    assert gpus(driver(nvmlInit=refuse)) == {"gpus": [], "nvml": "Not Supported"}


def test_the_checkout_asked_is_the_benchmarks_own():
    assert environment({})["git"] == checkout(Path(__file__).resolve().parents[1])
