"""The examples for Slurm and GitHub are well-formed, and their commands are ones that there are."""

import re
import shlex
import subprocess

import pytest
import yaml

from benchmarks.preflight.gpu_facts import Gpus
from benchmarks.suite import command
from benchmarks.suite.plan import SHIPPED, read_plan, shipped
from results.commands import gate
from tests.suite.conftest import PROJECT

EXAMPLES = PROJECT / "examples" / "suites"


def commands(script, module):
    """The arguments of each call of `module` in a script."""
    found = [line for line in script.replace("\\\n", " ").splitlines() if f"-m {module} " in line]
    return [shlex.split(line.split(f"-m {module} ", 1)[1].strip().rstrip(")")) for line in found]


def test_the_slurm_array_runs_each_part_of_a_suite_that_is_shipped():
    path = EXAMPLES / "slurm_array.sh"
    subprocess.run(["bash", "-n", path], check=True)
    text = path.read_text()
    tasks = int(re.search(r"--array=1-(\d+)", text)[1])
    assert re.search(r"^parts=(\d+)$", text, re.MULTILINE)[1] == str(tasks)
    suite = re.search(r"suite=\((\w+)\)", text)[1]
    assert (SHIPPED / f"{suite}.yaml").is_file()
    ((first, *flags),) = commands(text, "benchmarks.suite")
    assert first == "${suite[@]}"
    for task in range(1, tasks + 1):
        given = [
            flag.replace("$SLURM_ARRAY_TASK_ID/$parts", f"{task}/{tasks}").replace("$results_dir", "runs")
            for flag in flags
        ]
        options = command.parser().parse_args([suite, *given])
        assert options.shard == (task, tasks)


def test_the_slurm_array_begins_or_goes_on(tmp_path):
    """The script itself, with a stand-in for Python that says how it was called."""
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\necho "$@"\n')
    python.chmod(0o755)
    # The count is that of an array of one task, which runs a part that failed again.
    of_slurm = {"SLURM_ARRAY_TASK_ID": "2", "SLURM_ARRAY_TASK_COUNT": "1", "SLURM_ARRAY_JOB_ID": "77"}
    variables = of_slurm | {"PYTHON": str(python), "RESULTS_DIR": str(tmp_path), "PATH": "/usr/bin:/bin"}
    whole = '{"kind": "suite"}\n'
    for journal, called in ((None, "nightly"), ("", "nightly"), (whole[:9], "nightly"), (whole, "--resume")):
        if journal is not None:  # empty, or torn: it was killed before it began
            (tmp_path / "suite-2-of-4.jsonl").write_text(journal)
        ran = subprocess.run(
            ["bash", EXAMPLES / "slurm_array.sh"], env=variables, capture_output=True, text=True, check=True
        )
        assert ran.stdout == f"-m benchmarks.suite {called} --results_dir={tmp_path} --shard=2/4\n"


def test_the_github_workflow_runs_again_where_the_last_job_left_its_records(tmp_path):
    """Its script, with a stand-in for Python that refuses a folder that is there, as a suite does."""
    python = tmp_path / "venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\nfor last; do :; done\nmkdir -p "$(dirname "${last#*=}")" && mkdir "${last#*=}"\n')
    python.chmod(0o755)
    for side in ("baseline", "candidate"):
        (tmp_path / side).mkdir()
    (job,) = yaml.safe_load((EXAMPLES / "github_gate.yaml").read_text())["jobs"].values()
    (script,) = [step["run"] for step in job["steps"] if "benchmarks.suite" in step.get("run", "")]
    for _ in range(2):
        subprocess.run(["bash", "-e"], input=script, cwd=tmp_path, text=True, check=True)
    assert len(list((tmp_path / "runs").iterdir())) == 4


def test_the_github_workflow_measures_beside_what_is_merged_into(tmp_path):
    """Its git commands, in a clone as the action makes it: the merge, detached, and nothing but its parents."""
    here = tmp_path / "project"

    def git(*words, folder=here):
        settings = ["-c", "user.name=n", "-c", "user.email=e", "-c", "init.defaultBranch=main"]
        return subprocess.run(["git", *settings, *words], cwd=folder, check=True, capture_output=True, text=True).stdout

    here.mkdir()
    git("init", "-q")
    for number, branch in enumerate(("main", "main", "proposed", "main")):  # main has moved on since
        if number:
            git("checkout", "-q", *(["-b"] if branch == "proposed" else []), branch)
        (here / f"{number}").touch()
        git("add", "-A")
        git("commit", "-qm", str(number))
    tip = git("rev-parse", "main")
    git("merge", "-q", "--no-edit", "proposed")
    (job,) = yaml.safe_load((EXAMPLES / "github_gate.yaml").read_text())["jobs"].values()
    (taken,) = [step["with"] for step in job["steps"] if "checkout" in step.get("uses", "")]
    (script,) = [step["run"] for step in job["steps"] if "git worktree" in step.get("run", "")]
    git("clone", "-q", f"--depth={taken['fetch-depth']}", f"file://{here}", taken["path"], folder=tmp_path)
    for _ in range(2):
        subprocess.run(["bash", "-e"], input=script, cwd=tmp_path / taken["path"], text=True, check=True)
        assert git("rev-parse", "HEAD", folder=tmp_path / "baseline") == tip


def test_the_github_workflow_runs_a_suite_on_both_sides_and_gates():
    workflow = yaml.safe_load((EXAMPLES / "github_gate.yaml").read_text())
    assert workflow[True] == "pull_request", "YAML makes a truth value of on"
    (job,) = workflow["jobs"].values()
    scripts = [step["run"] for step in job["steps"] if "run" in step]
    for script in scripts:
        subprocess.run(["bash", "-n"], input=script, text=True, check=True)
    (suite,) = [arguments for script in scripts for arguments in commands(script, "benchmarks.suite")]
    filled = [
        [word.replace("$side", side).replace("$round", "1") for word in suite] for side in ("baseline", "candidate")
    ]
    for arguments in filled:
        options = command.parser().parse_args(arguments)
        assert read_plan(options.suite, options.set, options.max_cells).cells
    (gated,) = [arguments for script in scripts for arguments in commands(script, "results gate")]
    options = gate.parser().parse_args(gated)
    for side in ("baseline", "candidate"):
        assert getattr(options, side).text == f"../runs/{side}-1,../runs/{side}-2"


@pytest.mark.parametrize("name", sorted(path.stem for path in SHIPPED.glob("*.yaml")))
def test_every_suite_that_is_shipped_is_right(name, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    sets = ["data_dir=null"] if name == "buyer" else []  # else it wants the images
    plan = read_plan(name, sets, 200)
    assert plan.name == name
    assert shipped()[name].endswith(".")


def test_shipped_suites_are_what_they_are_called():
    nightly = read_plan("nightly", [], 200)
    assert len(nightly.cells) == 30
    assert all(cell.repeats >= 3 for cell in nightly.cells), "two is the least that a gate takes"
    buyer = read_plan("buyer", ["data_dir=null"], 200)
    assert {cell.flags["model"] for cell in buyer.cells} == {"inception3", "resnet50", "resnet152", "alexnet", "vgg16"}
    quick = read_plan("quick", [], 200)
    assert {cell.flags["device"] for cell in quick.cells} == {"cpu"}


def test_the_suite_in_the_readme_is_right(monkeypatch, tmp_path):
    monkeypatch.setattr("benchmarks.preflight.gpu_facts.read", lambda *_: Gpus(nvml="ok", visible=2))
    (text,) = re.findall(r"^```yaml\n(.*?)^```", (PROJECT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    (tmp_path / "sweep.yaml").write_text(text)
    plan = read_plan(str(tmp_path / "sweep.yaml"), [], 200)
    assert len(plan.cells) == 3 * 2 - 1 + 2
    assert [cell.time_limit for cell in plan.cells if cell.flags.get("num_gpus") == "4"] == [7200.0] * 2
    assert {cell.id for cell in plan.cells if cell.flags.get("num_gpus") == "4"} == plan.missing
    assert all(cell.halves_batch for cell in plan.cells)
