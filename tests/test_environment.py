import json
import platform
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import psutil
import pynvml
import pytest

from benchmarks.batch_search.command import usual_limit
from benchmarks.environment import checkout, digest_of_changes, environment, gpus, hardware
from benchmarks.errors import UserError
from benchmarks.load import HostLoad
from benchmarks.memory import available


def test_environment_is_plain_json_with_the_versions():
    found = json.loads(json.dumps(environment({})))
    assert found["python"] == ".".join(map(str, sys.version_info[:3]))
    assert found["packages"]["numpy"][0].isdigit()
    assert found["tensorflow_build"]["is_cuda_build"] in (True, False)
    assert found["variables"] == {}


def test_the_name_of_the_host_is_told_to_who_asks():
    assert "hostname" not in environment({})
    assert environment({}, names=True)["hostname"] == platform.node()


def test_a_machine_that_hides_its_files_is_not_known(tmp_path, monkeypatch):
    monkeypatch.setattr(psutil, "PROCFS_PATH", str(tmp_path))
    assert hardware()["memory_bytes"] is None
    assert HostLoad().facts() == {
        "cpu_share_of_others": None,
        "stolen_share": None,
        "reason": "the system does not tell how busy its processors are",
    }
    assert available([tmp_path]) is None
    monkeypatch.setattr("benchmarks.batch_search.command.available", lambda: None)
    with pytest.raises(UserError, match="Say with --memory_limit_mib"):
        usual_limit()
    (tmp_path / "meminfo").write_text("MemTotal: nonsense\n")
    (tmp_path / "stat").write_text("cpu\n")
    assert hardware()["memory_bytes"] is None
    assert HostLoad().facts()["cpu_share_of_others"] is None


def test_variables_of_terraform_are_none_of_ours():
    names = ("TF_CLI_CONFIG_FILE", "TF_LOG", "TF_TOKEN_app_terraform_io", "TF_VAR_database", "TF_DATA_DIR")
    assert environment(dict.fromkeys(names, "x"))["variables"] == {}


def test_variables_that_name_hosts_are_hidden_unless_asked_for():
    given = {
        "TF_CONFIG": '{"cluster": {"worker": ["secret-host:1"]}}',
        "HOROVOD_HOSTNAME": "secret-host",
        "NCCL_COMM_ID": "10.0.0.1:5",
        "TF_GPU_HOST_MEM_LIMIT_IN_MB": "4096",
        "NCCL_SOCKET_IFNAME": "eth0",
        "XLA_FLAGS": "--dump=https://me:pass@host.example/x",
    }
    found = environment(given)["variables"]
    assert found == dict.fromkeys(("TF_CONFIG", "HOROVOD_HOSTNAME", "NCCL_COMM_ID"), "(hidden)") | {
        "TF_GPU_HOST_MEM_LIMIT_IN_MB": "4096",
        "NCCL_SOCKET_IFNAME": "eth0",
        "XLA_FLAGS": "--dump=https://(hidden)@host.example/x",
    }
    assert environment(given, names=True)["variables"]["HOROVOD_HOSTNAME"] == "secret-host"


def test_only_variables_that_steer_the_run_are_kept_and_secrets_are_hidden():
    given = {
        "TF_CPP_MIN_LOG_LEVEL": "2",
        "CUDA_VISIBLE_DEVICES": "0",
        "OMP_NUM_THREADS": "4",
        "NVIDIA_API_KEY": "nvapi-12345",
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


def test_changes_to_one_commit_are_told_apart(tmp_path):
    assert digest_of_changes(tmp_path) == ""
    git(tmp_path, "init", "--quiet")
    (tmp_path / "file").write_bytes(b"one")
    git(tmp_path, "add", "file")
    git(tmp_path, "commit", "--quiet", "-m", "one")
    digests = []
    for content in (b"one", b"two", b"\xff of Latin-1", b"two"):
        (tmp_path / "file").write_bytes(content)
        digests.append(digest_of_changes(tmp_path))
    assert digests[1] == digests[3]
    assert len({*digests}) == 3


def test_what_is_no_checkout_says_why(tmp_path, monkeypatch):
    assert "not a git repository" in checkout(tmp_path)["reason"]
    monkeypatch.setenv("PATH", str(tmp_path))
    assert checkout(tmp_path)["reason"].startswith("git cannot be used")


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
        "nvmlDeviceGetCudaComputeCapability": lambda index: [9, 0] if index == 0 else refuse(),
        "nvmlDeviceGetEnforcedPowerLimit": lambda index: 500_000 if index == 0 else refuse(),
        "nvmlDeviceGetPowerManagementDefaultLimit": lambda index: 700_000 if index == 0 else refuse(),
        "nvmlDeviceGetMigMode": refuse,
        "nvmlDeviceGetMemoryInfo": lambda index: SimpleNamespace(total=85 * 10**9) if index == 0 else refuse(),
    }
    return SimpleNamespace(**(answers | changes))


def test_gpus_are_described():
    assert gpus(driver()) == {
        "gpus": [
            {
                "index": 0,
                "name": "NVIDIA H100 80GB HBM3",
                "uuid": "GPU-0",
                "memory_bytes": 85 * 10**9,
                "compute_capability": "9.0",
                "power_limit_watts": 500.0,
                "default_power_limit_watts": 700.0,
            },
            {
                "index": 1,
                "name": "NVIDIA GB10",
                "uuid": "GPU-1",
                **dict.fromkeys(
                    ("memory_bytes", "compute_capability", "power_limit_watts", "default_power_limit_watts")
                ),
            },
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
