"""--preflight as a user types it, and what comes of it before a run."""

import json
import os
import subprocess
import sys

import pytest

import run_benchmark
from tests.main.conftest import PROJECT, SHORT, run
from tests.telemetry import machines
from tests.telemetry.stand_in import library

K80 = machines.p2_16xlarge().replace("PID", "") + "gpu*.compute_capability 3.7\n"


def ended(*arguments, machine="", folder):
    """The command on a machine that the stand-in for NVML describes."""
    (folder / "machine.txt").write_text(machine)
    variables = {"NVML_STAND_IN": str(folder / "machine.txt"), "LD_LIBRARY_PATH": str(library().parent)}
    known = {name: value for name, value in os.environ.items() if name != "CUDA_VISIBLE_DEVICES"}
    command = [sys.executable, str(PROJECT / "run_benchmark.py"), f"--results_dir={folder / 'runs'}", *arguments]
    return subprocess.run(command, env=known | variables, capture_output=True, text=True, timeout=60, check=False)


def test_a_k80_is_stopped_with_the_way_out(tmp_path):
    file = tmp_path / "found.json"
    flags = ["--preflight", "--device=gpu", "--num_gpus=16", f"--preflight_file={file}"]
    found = ended(*flags, machine=K80, folder=tmp_path)
    assert (found.returncode, found.stderr) == (2, "")
    assert "16 x Tesla K80" in found.stdout
    assert "Install TensorFlow 2.14.1" in " ".join(found.stdout.split())
    assert not (tmp_path / "runs").exists()
    document = json.loads(file.read_text())
    assert document["findings"][0]["check"] == "kernels"
    assert document["hardware"]["gpus"][15]["compute_capability"] == "3.7"


def test_a_run_that_cannot_work_ends_before_it_begins(tmp_path):
    found = ended("--device=gpu", machine=K80, folder=tmp_path)
    assert found.returncode == 2
    assert found.stderr.startswith("run_benchmark.py: error: GPU 0 (Tesla K80) has compute capability 3.7")
    assert found.stderr.endswith("(--ignore_preflight runs all the same.)\n")
    assert found.stdout == ""


def test_an_interrupt_while_it_looks_is_no_error(monkeypatch, capsys):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(run_benchmark.preflight, "read", interrupted)
    assert run_benchmark.main(["--preflight", "--device=cpu"]) == 130
    assert capsys.readouterr().err == "run_benchmark.py: interrupted before the run began; there is no record\n"


def test_without_a_gpu_one_that_is_asked_for_stops_it(tmp_path):
    found = ended("--preflight", "--num_gpus=16", machine="init !12\n", folder=tmp_path)
    assert found.returncode == 2
    assert "stops  --num_gpus=16: this process sees no GPU." in found.stdout.splitlines()


def test_it_needs_no_tensorflow(tmp_path):
    program = (
        f"import sys; sys.path.insert(0, {str(PROJECT)!r}); import run_benchmark\n"
        "code = run_benchmark.main(['--preflight', '--device=cpu'])\n"
        "print(int(code), 'tensorflow' in sys.modules)"
    )
    told = subprocess.check_output([sys.executable, "-c", program], text=True, cwd=tmp_path)
    assert told.splitlines()[-1] == "0 False"


@pytest.mark.parametrize("flag", ["--preflight_file=none/found.json", "--num_gpus=0"])
def test_what_is_wrong_with_the_flags_is_told_first(tmp_path, flag):
    found = ended("--preflight", flag, folder=tmp_path)
    assert (found.returncode, found.stdout) == (2, "")
    assert f"error: {flag}" in found.stderr


def test_the_record_has_what_was_found_and_no_name_of_the_host(tmp_path):
    ran = run(*SHORT, "--model=trivial", results_dir=tmp_path)
    (record,) = ran.records
    assert {each["severity"] for each in record["preflight"]["findings"]} <= {"stops", "warns", "tells"}
    for each in record["preflight"]["findings"]:
        assert (f"WARNING: {each['what']}: " in ran.err) == (each["severity"] != "tells")
    assert "hostname" not in record["environment"]
    assert record["environment"]["libraries"] == {}
    assert record["environment"]["tensorflow_build"]["source"]
    assert record["hardware"]["cpu"]["caches"] is not None
