"""Suites whose runs are a stand-in: real processes, journals and records, without TensorFlow."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from benchmarks.errors import UserError
from benchmarks.suite import command
from benchmarks.suite.plan import read_plan
from results import store

PROJECT = Path(__file__).parents[2]
STAND_IN = str(Path(__file__).parent / "stand_in.py")
TINY = ["--set", "num_batches=10", "--set", "device=cpu", "--set", "data_name=cifar10"]


class Came(NamedTuple):
    code: int
    out: str
    err: str
    records: list
    journal: list

    def ends(self):
        return [entry for entry in self.journal if entry["kind"] == "end"]

    def outcomes(self):
        return [entry["outcome"] for entry in self.ends()]


def left_in(folder):
    """The records and the journal's lines, all of them readable."""
    records, unreadable = store.load(folder) if folder.is_dir() else ([], [])
    assert not unreadable
    assert not list(folder.glob(".*.tmp"))
    return records, lines_of(folder)


def lines_of(folder):
    lines = [line for path in sorted(folder.glob("suite*.jsonl")) for line in path.read_text().splitlines()]
    return [json.loads(line) for line in lines]


@pytest.fixture
def suite(tmp_path, capfd):
    """A function that runs the command in this process, with the stand-in for runs."""
    heard = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def run(*arguments, folder=tmp_path / "runs"):
        capfd.readouterr()
        try:
            code = command.main([*map(str, arguments), f"--results_dir={folder}"], program=[STAND_IN])
        except SystemExit as ended:
            code = ended.code
        out, err = capfd.readouterr()
        return Came(code, out, err, *left_in(folder))

    yield run
    for number, handler in heard.items():
        signal.signal(number, handler)


@pytest.fixture
def described(tmp_path):
    """A function that writes a suite's file."""

    def write(text):
        path = tmp_path / "sweep.yaml"
        path.write_text(text)
        return path

    return write


@contextlib.contextmanager
def started(*arguments, folder, before="", stderr=subprocess.PIPE, **variables):
    """The command with the stand-in for runs, in a process of its own, which runs `before` first."""
    program = (
        f"import sys; sys.path.insert(0, {str(PROJECT)!r}); {before}\n"
        f"from benchmarks.suite import command\nsys.exit(command.main(sys.argv[1:], program=[{STAND_IN!r}]))"
    )
    words = ["env", "--default-signal=INT", sys.executable, "-c", program, *map(str, arguments)]
    process = subprocess.Popen(
        [*words, f"--results_dir={folder}"],
        env=os.environ | variables,
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def cells(text, described, sets=(), max_cells=200):
    return read_plan(str(described(text)), sets, max_cells).cells


def problems(text, described, **options):
    with pytest.raises(UserError) as found:
        cells(text, described, **options)
    return str(found.value).splitlines()
