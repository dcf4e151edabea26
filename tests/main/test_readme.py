"""The README's commands, run in the order in which they stand."""

import re
import shlex
import subprocess
import sys

import pytest

from benchmarks import advise, all_reduce, label_image, launch
from benchmarks.inputs import cifar10, imagenet
from benchmarks.params import parse
from benchmarks.params.checkpoint_rules import STATE_FILE
from benchmarks.studies import against_yardsticks, cost_model, first_losses, input_speed, strategies
from benchmarks.studies.claims import command as claims
from benchmarks.suite import command as suite_command
from benchmarks.topology import command as topology
from results import __main__ as results_command
from tests.main.conftest import PROJECT

README = (PROJECT / "README.md").read_text(encoding="utf-8")
PYTHON = ".venv/bin/python"
LATEST_RECORD = "$(ls runs/*.json | tail -n 1)"  # what the shell makes of it
# What a test cannot run, and who does.
ELSEWHERE = {
    "python3 -m venv": "CI begins with it",
    f"{PYTHON} -m pip": "tox installs the same file",
    ".tox/.runner": "CI is this very command",
    "python3.10 -m venv": "tox has this TensorFlow and this Python",
    "benchmarks.studies": "takes up to hours; tests/studies runs their parts",
    "benchmarks.all_reduce": "takes minutes; tests/exchange runs it on less",
    "results compare": "needs several runs of two kinds; tests/results runs it on some",
    "--results_dir=machine-a": "takes minutes; tests/main/test_repeats.py runs it on less",
    "results report machine-a": "needs the runs of two machines; tests/results/report runs it on some",
    "results export": "needs fit records, which no busy machine makes; tests/results/test_exports.py has some",
    "results history": "needs fit records, which no busy machine makes; tests/results/test_history.py has some",
    "results gate": "needs a history of nights; tests/results runs it on some",
    "--data_dir=data/cifar10\n": "downloads; tests/inputs runs it against a server on this machine",
    "--quantize": "needs a training; tests/main/test_quantize.py runs it on less",
    "benchmarks.label_image": "needs a training; tests/main/test_quantize.py runs it on less",
    "--train_dir": "tests/main/test_checkpoints.py runs it, and kills it",
    "--diagnose": "takes minutes; tests/diagnosis and tests/main/test_diagnose.py run it on less",
    "benchmarks.topology": "needs an NVIDIA driver; tests/telemetry runs it over a stand-in for the driver's library",
    "--step_breakdown": "takes minutes; tests/diagnosis and tests/main/test_step_breakdown.py run it on less",
    "benchmarks.advise --measure": "takes minutes; tests/advice runs it on less",
    "--find_batch_size": "takes minutes; tests/main/test_find_batch_size.py runs it on less",
    "--tune_cpu": "takes minutes; tests/main/test_tune_cpu.py runs it on less",
    "--images=FOLDER": "tests/inputs converts folders",
    "--input_only": "tests/main/test_input_only.py runs it on less",
    "--measure_peak": "tests/main/test_endings.py runs it on less",
    "benchmarks.launch --workers": "tests/cluster/test_launch.py runs it",
    "benchmarks.launch --data_service_workers": "tests/cluster/test_launch_with_service.py runs it",
}
OTHER_COMMANDS = (
    advise,
    all_reduce,
    label_image,
    launch,
    topology,
    cifar10,
    imagenet,
    against_yardsticks,
    claims,
    cost_model,
    first_losses,
    input_speed,
    strategies,
)
FOREIGN = {"adapter", "logdir"}  # flags of other programs that the README names


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
        command = command.replace(LATEST_RECORD, str(max(tmp_path.glob("runs/*.json"), default="none")))
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
    assert any("\nStopping, as eval accuracy at least 0.8 was reached\n" in out for out in ran), "as it promises"
    assert (tmp_path / "runs.png").stat().st_size > 1000


def elsewhere():
    """The flags of runs that are run elsewhere, by one process and by a launcher."""
    for command in commands():
        words = shlex.split(command)
        begin = "run_benchmark.py" if "run_benchmark.py" in words else "--"
        trained = {"--eval", "--quantize=int8"} & set(words)  # these need what --train_dir left
        if begin in words and any(part in command + "\n" for part in ELSEWHERE) and not trained:
            yield words[words.index(begin) + 1 :]


@pytest.mark.parametrize("flags", list(elsewhere()), ids=" ".join)
def test_flags_of_what_is_run_elsewhere_go_together(flags, tmp_path, monkeypatch):
    (tmp_path / "data" / "cifar10").mkdir(parents=True)
    (tmp_path / "data" / "imagenet").mkdir()
    (tmp_path / "trained").mkdir()
    (tmp_path / "trained" / STATE_FILE).touch()  # what is quantised has been trained
    for name in ("train", "validation", "eval"):
        (tmp_path / "data" / "cifar10" / f"{name}.tfrecords").touch()
    (tmp_path / "data" / "imagenet" / "train-00000-of-00001").touch()
    monkeypatch.chdir(tmp_path)
    assert parse(flags).answer is None


@pytest.mark.parametrize("reason", ELSEWHERE)
def test_what_is_run_elsewhere_stands_in_the_readme(reason):
    assert any(reason in command + "\n" for command in commands())


def test_the_readme_is_finished():
    assert "@@" not in README


def test_flags_in_the_readme_exist():
    from benchmarks.params import options
    from benchmarks.params.command_line import ANSWERS, OWN_FLAGS

    parsers = [
        suite_command.parser(),
        *(results_command.command(name).parser() for name in results_command.COMMANDS),
        *(module._parser() for module in OTHER_COMMANDS),
    ]
    others = {flag[2:] for parser in parsers for action in parser._actions for flag in action.option_strings}
    known = {*options(), *ANSWERS, *OWN_FLAGS, *others, *FOREIGN}
    for flag in re.findall(r"(?<![\w-])--([a-z_0-9]+)", README):
        assert flag in known or flag.removeprefix("no") in known, flag
