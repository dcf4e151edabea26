"""The suite `quick` before and after a slowdown, by the commands that a nightly job has."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from results import store
from tests.suite.conftest import PROJECT

# What a new release might do to a run: Python imports this module at each start. By the clock of the measurement, which
# nothing but steps moves, these take 20 ms, a little more or less in turn and in each repeat, whatever else the machine
# does; nobody minds other programs meanwhile. With PLANTED they take 10 % longer in the runs that have this flag.
SITECUSTOMIZE = """
import importlib.util, json, os, sys

class Planting:
    def find_spec(self, name, path=None, target=None):
        if name not in ("benchmarks.measure", "benchmarks.load"):
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        sys.meta_path.insert(0, self)
        execute = spec.loader.exec_module
        def planted(module):
            execute(module)
            if name == "benchmarks.load":
                module.HostLoad.facts = lambda _: {"reason": "it is no matter"}
            else:
                module.measure = paced(module.measure)
        spec.loader.exec_module = planted
        return spec

def paced(measure):
    def paced_measure(step, recording, *rest, **named):
        seconds = 0.022 if os.environ.get("PLANTED", "nothing") in sys.argv else 0.020
        (place,) = [word.partition("=")[2] for word in sys.argv if word.startswith("--suite_run=")]
        now, little = recording.clock(), 0.001
        seconds *= 1 + little * json.loads(place)["repeat"]
        def paced_step():
            nonlocal now, little
            outcome, little = step(), -little
            now += seconds * (1 + little)
            return outcome
        recording.clock = lambda: now
        measure(paced_step, recording, *rest, **named)
    return paced_measure

sys.meta_path.insert(0, Planting())
"""
SHORTER = {
    "model": "trivial",
    "batch_size": "4,8",
    "num_gpus": "1",
    "variable_update": "parameter_server",
    "num_batches": "60",
    "repeats": "2",
    "verify_variable_update": "false",
}


def command(*words, **variables):
    finished = subprocess.run(
        [sys.executable, "-m", *map(str, words)],
        cwd=PROJECT,
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "2"} | variables,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    return finished.returncode, finished.stdout, finished.stderr


def test_the_gate_names_the_cells_of_quick_that_got_slower(tmp_path):
    (tmp_path / "sitecustomize.py").write_text(SITECUSTOMIZE)
    settings = [f"--set={name}={value}" for name, value in SHORTER.items()]
    nights = {"before": "nothing", "after": "--batch_size=8"}

    def run(night):
        where = f"--results_dir={tmp_path / night}"
        return command("benchmarks.suite", "quick", *settings, where, PYTHONPATH=str(tmp_path), PLANTED=nights[night])

    with ThreadPoolExecutor() as pool:  # side by side: it is no matter how fast they are
        came = dict(zip(nights, pool.map(run, nights), strict=True))
    for night, (code, out, err) in came.items():
        assert code == 0, out + err
        records, _ = store.load(tmp_path / night)
        assert [record.problems for record in records] == [()] * 4

    code, out, _ = command("results", "gate", f"--baseline={tmp_path / 'before'}", f"--candidate={tmp_path / 'after'}")
    assert code == 1, out
    judged = {
        line.split(", batch ")[1].split(",")[0]: line.split("  ")[0] for line in out.splitlines() if ", batch " in line
    }
    assert judged == {"8": "slower", "4": "not slower"}
    (unchanged,) = {record.suite["cell"] for record in records if record.params["batch_size"] == 4}
    sides = [
        f"--{side}={tmp_path / night}@{unchanged}" for side, night in (("baseline", "before"), ("candidate", "after"))
    ]
    code, out, _ = command("results", "gate", *sides)
    assert (code, "1 not slower" in out) == (0, True), out
