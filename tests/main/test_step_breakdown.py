"""A whole run that takes its step apart, in shorter blocks than a user's."""

import json
import subprocess
import sys

import pytest

from tests.main.conftest import PROJECT, SHORT, shortened

SHORTER = shortened("benchmarks.experiments", "measured_breakdown", 0.05)


def test_a_run_says_and_records_what_its_parts_take(sample_data, tmp_path):
    flags = ["--step_breakdown", "--model=trivial", "--data_name=cifar10", f"--data_dir={sample_data}"]
    flags += ["--variable_update=replicated", f"--results_dir={tmp_path}", "--num_batches=60"]
    command = [sys.executable, "-c", SHORTER, *SHORT, *flags]
    ran = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=300, check=False)
    assert ran.returncode == 0, ran.stderr
    (path,) = tmp_path.glob("*.json")
    found = json.loads(path.read_text())["step_breakdown"]
    parts = [part["part"] for part in found["parts"]]
    assert parts == ["input", "forward", "backward", "exchange", "update", "call"]
    assert all(len(way["step_seconds"]) == 10 for way in found["ways"].values())
    seconds = {part["part"]: part["seconds"]["value"] for part in found["parts"]}
    assert sum(seconds.values()) == pytest.approx(found["step"]["value"])
    lines = ran.stderr.splitlines()
    begin = lines.index("Step breakdown (10 rounds; 95 % intervals):")
    assert [line.split()[0] for line in lines[begin + 2 : begin + 9]] == [*parts, "together"]
    assert "own steps" in lines[begin + 9]
    assert ran.stdout.splitlines()[-1] == "-" * 64
    show = [sys.executable, "-m", "results", "show", str(path)]
    shown = subprocess.run(show, cwd=PROJECT, capture_output=True, text=True, timeout=60, check=True).stdout
    assert "\nbreakdown   input " in shown
