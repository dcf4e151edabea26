"""A whole run that finds out what bounds its step, in shorter blocks than a user's."""

import json
import subprocess
import sys

from tests.main.conftest import PROJECT, SHORT, shortened

SHORTER = shortened("benchmarks.diagnosis.diagnose", "measure_rounds", 0.2)


def test_a_run_says_and_records_what_bounds_its_step(sample_data, tmp_path):
    flags = ["--diagnose", "--model=resnet20", "--data_name=cifar10", f"--data_dir={sample_data}"]
    flags += ["--variable_update=replicated", f"--results_dir={tmp_path}"]
    command = [sys.executable, "-c", SHORTER, *SHORT, *flags]
    ran = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=300, check=False)
    assert ran.returncode == 0, ran.stderr
    (path,) = tmp_path.glob("*.json")
    record = json.loads(path.read_text())
    found = record["diagnosis"]
    assert f"Diagnosis: {found['verdict']} (5 rounds).\n" in ran.stderr
    assert list(found["ways"]) == ["real", "synthetic", "independent", "one_image", "trivial", "input_alone"]
    assert found["images_per_step"] == 16
    assert {gain["bound"] for gain in found["gains"]} == {"input", "variable exchange", "launch overhead", "compute"}
    assert all(len(way["step_seconds"]) == 5 for way in found["ways"].values())
    assert len(record["measurement"]["step_seconds"]) == 12
    show = [sys.executable, "-m", "results", "show", str(path)]
    shown = subprocess.run(show, cwd=PROJECT, capture_output=True, text=True, timeout=60, check=True).stdout
    assert f"\ndiagnosis   {found['verdict']}"[:90] in shown
    assert "images/s more if it cost nothing: " in shown


def test_without_a_model_there_is_no_step_to_diagnose():
    command = [sys.executable, str(PROJECT / "run_benchmark.py"), "--diagnose", "--input_only", "--data_dir=nowhere"]
    ran = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 2
    assert "--input_only and --diagnose: without a model there is no step that something could bound." in ran.stderr
