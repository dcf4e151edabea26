import ast
import json
import math
import sys

import pytest

from benchmarks.studies.against_yardsticks import PROGRAMS, YARDSTICKS
from benchmarks.studies.fresh_runs import finish

TOLD = {
    "yardstick", "model", "batch", "steps", "precision", "images_per_sec", "best_images_per_sec", "first_step_at_sec",
    "peak_mib", "loss",
}  # fmt: skip


@pytest.mark.parametrize("program", [*PROGRAMS.values(), "multi_worker.py"])
def test_a_yardstick_imports_nothing_of_the_project(program):
    imported = set()
    for node in ast.walk(ast.parse((YARDSTICKS / program).read_text())):
        if isinstance(node, ast.Import):
            imported |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(node.module.split(".")[0])
    assert imported <= set(sys.stdlib_module_names) | {"tensorflow", "numpy", "torch"}


def test_the_bare_step_tells_what_it_measured():
    command = [sys.executable, YARDSTICKS / PROGRAMS["bare"], "--model=resnet20", "--batch=2", "--steps=2"]
    told = json.loads(finish([str(word) for word in command]).output)
    assert set(told) >= TOLD
    assert (told["yardstick"], told["model"], told["batch"], told["steps"]) == ("bare_step", "resnet20", 2, 2)
    assert 0 < told["images_per_sec"] <= told["best_images_per_sec"]
    assert math.isfinite(told["loss"])


def test_workers_tell_what_they_measured_together():
    command = [sys.executable, str(YARDSTICKS / "multi_worker.py"), "--batch=2", "--steps=2", "--workers=2"]
    told = json.loads(finish(command).output)
    assert set(told) >= TOLD
    assert (told["yardstick"], told["workers"]) == ("multi_worker", 2)
    assert math.isfinite(told["loss"])
