"""The README's commands, run in the order in which they stand."""

import re
import shlex
import subprocess
import sys

import pytest

from tests.main.conftest import PROJECT

README = (PROJECT / "README.md").read_text(encoding="utf-8")
PYTHON = ".venv/bin/python"
# What a test cannot run, and who does.
ELSEWHERE = {
    "python3 -m venv": "CI begins with it",
    f"{PYTHON} -m pip": "tox installs the same file",
    ".tox/.runner": "CI is this very command",
    "python3.10 -m venv": "tox has this TensorFlow and this Python",
    "benchmarks.studies": "takes up to hours; tests/studies runs their parts",
    "benchmarks.all_reduce": "takes minutes; tests/exchange runs it on less",
    "--data_dir=data/cifar10\n": "downloads; tests/inputs runs it against a server on this machine",
    "--images=FOLDER": "tests/inputs converts folders",
}


def commands():
    blocks = re.findall(r"^```bash\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    for block in blocks:
        for command in re.split(r"&&\s*|(?<!\\)\n", block.replace("\\\n", " ")):
            if command.strip():
                yield command.strip()


def test_every_command_is_run_here_or_elsewhere(tmp_path):
    for name in ("benchmarks", "models", "results", "variable_mgr", "run_benchmark.py"):
        (tmp_path / name).symlink_to(PROJECT / name)
    ran = []
    for command in commands():
        if any(part in command + "\n" for part in ELSEWHERE):
            continue
        assert command.startswith(PYTHON), f"nobody runs: {command}"
        finished = subprocess.run(
            [sys.executable, *shlex.split(command)[1:]],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert finished.returncode == 0, f"{command}\n{finished.stderr}"
        ran.append(finished.stdout)
    assert any(re.search(r"^total images/sec: ", out, re.MULTILINE) for out in ran)
    assert (tmp_path / "runs.png").stat().st_size > 1000


@pytest.mark.parametrize("reason", ELSEWHERE)
def test_what_is_run_elsewhere_stands_in_the_readme(reason):
    assert any(reason in command + "\n" for command in commands())


def test_the_readme_is_finished():
    assert "@@" not in README


def test_flags_in_the_readme_exist():
    from benchmarks.params import options
    from benchmarks.params.command_line import ANSWERS, OWN_FLAGS

    others = {"sample", "archive", "data_dir", "plot", "format", "pairs", "cases", "torch_python"}  # of other commands
    others |= {"workers", "ps", "controller", "images", "labels_file", "seed", "max_bad"}
    known = {*options(), *ANSWERS, *OWN_FLAGS, *others}
    for flag in re.findall(r"(?<![\w-])--([a-z_0-9]+)", README):
        assert flag in known or flag.removeprefix("no") in known, flag
