"""Real processes: the command as a user types it, in a folder of its own."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import pytest

PROJECT = Path(__file__).parents[2]
# Short and small, on two towers; tests add to it or override it (the last of two equal flags counts).
SHORT = ["--device=cpu", "--num_gpus=2", "--batch_size=8", "--num_warmup_batches=2", "--num_batches=12"]


def shortened(module: str, function: str, block_seconds: float) -> str:
    """A program that is run_benchmark.py, but for the length of the blocks that `function` of `module` measures."""
    return f"""
import functools, sys
sys.path.insert(0, {str(PROJECT)!r})
import run_benchmark
import {module} as module
module.{function} = functools.partial(module.{function}, block_seconds={block_seconds})
sys.argv[0] = "run_benchmark.py"
sys.exit(run_benchmark.main(sys.argv[1:]))
"""


class Ran(NamedTuple):
    """What a process left behind."""

    code: int
    out: str
    err: str
    records: list[dict]


@pytest.fixture(scope="session")
def sample_data(tmp_path_factory):
    """A folder with the TFRecord files of the sample, made by the command that the README gives."""
    folder = tmp_path_factory.mktemp("cifar10")
    command = [sys.executable, "-m", "benchmarks.inputs.cifar10", f"--data_dir={folder}", "--sample"]
    subprocess.run(command, cwd=PROJECT, check=True, capture_output=True, timeout=300)
    return folder


def start(*arguments, results_dir, **options):
    """Start run_benchmark.py; its streams are pipes unless `options` say otherwise."""
    # Who starts the tests in the background of a script leaves SIGINT ignored, and children inherit that.
    command = ["env", "--default-signal=INT", sys.executable, str(PROJECT / "run_benchmark.py")]
    command += [f"--results_dir={results_dir}", *map(str, arguments)]
    variables = os.environ | {"CUDA_VISIBLE_DEVICES": "-1"}
    if home := options.pop("home", None):
        variables["HOME"] = str(home)
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True} | options
    return subprocess.Popen(command, env=variables, **options)


def finish(process, results_dir):
    """Wait for it, and read the records that it wrote."""
    try:
        out, err = process.communicate(timeout=300)
    finally:
        process.kill()
    paths = sorted(Path(results_dir).glob("*")) if Path(results_dir).is_dir() else []
    assert all(path.suffix == ".json" for path in paths), f"left behind: {paths}"
    return Ran(process.returncode, out, err, [json.loads(path.read_text()) for path in paths])


def run(*arguments, results_dir):
    return finish(start(*arguments, results_dir=results_dir), results_dir)


def run_program(program):
    """Run Python source in the project's folder; its stdout."""
    command = [sys.executable, "-c", program]
    finished = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=300, check=True)
    return finished.stdout


def signal_at(line, number, *arguments, results_dir):
    """Run, and send the signal `number` as soon as `line` stands on stdout."""
    process = start(*arguments, results_dir=results_dir)
    seen = []
    for text in process.stdout:
        seen.append(text)
        if line in text:
            break
    else:
        raise AssertionError(f"{line!r} never came: {''.join(seen)}\n{process.stderr.read()}")
    time.sleep(0.3)
    process.send_signal(number)
    ran = finish(process, results_dir)
    return ran._replace(out="".join(seen) + ran.out)


@pytest.fixture(scope="session")
def main_job(sample_data, tmp_path_factory):
    """One run of the README's main job, shorter, with accuracies."""
    results_dir = tmp_path_factory.mktemp("runs")
    flags = ["--model=resnet20", "--data_name=cifar10", f"--data_dir={sample_data}", "--variable_update=replicated"]
    return run(*SHORT, *flags, "--display_every=5", results_dir=results_dir)


INTERRUPT, TERMINATE = signal.SIGINT, signal.SIGTERM
