"""Searches for the settings of a run on the CPU: the choices by themselves, and real trials."""

import json
import random
import signal
import subprocess
import sys

import pytest

from benchmarks.console import Console
from benchmarks.cpu_tuning import report, rounds
from benchmarks.cpu_tuning.command import CpuTuning
from benchmarks.cpu_tuning.settings import Setting, settings
from benchmarks.params import Params, parse
from benchmarks.trials import Trial, TrialFailed, Trials
from tests.main.conftest import INTERRUPT, PROJECT, start

YOURS, OTHER, THIRD = Setting(1, "NHWC", 0, 0), Setting(2, "NHWC", 1, 0), Setting(1, "NCHW", 0, 0)
# The command with fewer runs in the finals: so many real trials would take minutes.
COARSE = f"""
import sys
sys.path.insert(0, {str(PROJECT)!r})
import run_benchmark
from benchmarks.cpu_tuning import command, rounds
command.FINAL_RUNS = rounds.FINAL_RUNS = 1
sys.argv[0] = "run_benchmark.py"
sys.exit(run_benchmark.main(sys.argv[1:]))
"""


def test_what_is_tried_on_two_processors():
    found = settings(Params(device="cpu"), given=(), images=32, cores=2)
    assert found[0] == YOURS
    assert set(found) == {
        *(Setting(1, layout, intra, inter) for layout in ("NHWC", "NCHW") for intra in (0, 1) for inter in (0, 1)),
        *(Setting(2, layout, intra, 0) for layout in ("NHWC", "NCHW") for intra in (0, 1)),
    }
    assert len(found) == len(set(found))


def test_each_setting_has_as_many_images_a_step():
    for setting in settings(Params(device="cpu", num_gpus=4, batch_size=16), given=(), images=64, cores=8):
        flags = setting.flags(64)
        assert flags["num_gpus"] * flags["batch_size"] == 64
        assert flags["num_gpus"] in (1, 2, 4, 8)
        assert 0 <= flags["num_intra_threads"] < 8


@pytest.mark.parametrize(
    ("params", "given", "images", "towers"),
    [
        (Params(num_gpus=3), {"num_gpus"}, 32, {3}),
        (Params(num_gpus=2, variable_update="independent"), (), 32, {2}),
        (Params(), (), 6, {1, 2}),
        (Params(), (), 7, {1}),
        (Params(), (), 32, {1, 2, 4, 8}),
    ],
)
def test_towers_that_can_share_the_images(params, given, images, towers):
    found = settings(params, given, images, cores=8)
    assert {setting.towers for setting in found} == towers


def test_what_flags_say_stays():
    given = {"data_format", "num_intra_threads", "num_inter_threads", "num_gpus"}
    params = Params(data_format="NCHW", num_intra_threads=2, num_inter_threads=3, num_gpus=2)
    assert settings(params, given, images=4, cores=8) == [Setting(2, "NCHW", 2, 3)]
    waiting = settings(Params(variable_update="collective_all_reduce"), (), images=4, cores=8)
    assert {setting.inter_threads for setting in waiting} == {0}, "they could wait for ever for a thread"


def test_the_better_half_goes_on_and_the_default():
    speeds = {number: [100.0 - number] for number in range(12)}
    assert rounds.better_half(speeds, default=11) == [0, 1, 2, 3, 4, 5, 11]
    assert rounds.better_half({1: [100], 2: [7], 3: [8], 4: [10], 5: [90, 110]}, default=4) == [1, 3, 4, 5]


def test_what_is_measurably_slower_is_not_measured_on():
    slow, fast, unsteady, slowest = [50.0, 50.1, 50.2], [100.0, 100.1, 100.2], [60.0, 140.0, 90.0], [40.0, 40.1, 40.2]
    assert rounds.not_slower({1: slow, 2: fast, 3: unsteady, 4: slowest}, default=1) == [1, 2, 3]
    assert rounds.not_slower({1: slow[:2], 2: fast[:2]}, default=2) == [1, 2], "too few runs to say so"


@pytest.mark.parametrize("number", [1, 2, 5, 6, 12, 41, 72])
def test_no_more_runs_than_were_told(number):
    left, runs = list(range(number)), 0
    while rounds.too_many(len(left)):
        runs += len(left)
        left = rounds.better_half({key: [100.0 - key / number] for key in left}, default=number - 1)
    assert runs + len(left) * rounds.FINAL_RUNS <= rounds.most_runs(number)
    assert len(left) <= rounds.FINALISTS + 1


def drawn(generator, mean):
    return [mean * generator.lognormvariate(0, 0.01) for _ in range(rounds.FINAL_RUNS)]


def test_what_is_faster_is_found_and_noise_is_not():
    generator = random.Random(1)
    found = [rounds.fastest({k: drawn(generator, 100 + 10 * (k == 3)) for k in range(5)}, 0) for _ in range(40)]
    assert found.count(3) == 40
    found = [rounds.fastest({k: drawn(generator, 100) for k in range(5)}, 0) for _ in range(100)]
    assert found.count(0) >= 95
    assert rounds.fastest({0: [1.0], 1: [2.0]}, 0) == 0, "one run says nothing of the next"
    assert rounds.fastest({0: [1.0, 1.01]}, 0) == 0
    small = {0: [100.0, 100.1, 100.05], 1: [101.0, 101.1, 101.05]}
    assert rounds.fastest(small, 0) == 0, "a difference of no consequence"


def test_the_table():
    finals = {YOURS: [100.0, 101.0], OTHER: [120.0, 121.0]}
    head, first, second, third = report.table(finals, {THIRD: [50.0], YOURS: [90.0], OTHER: [90.0]}, YOURS, 32)
    assert head.split()[:7] == ["towers", "batch", "layout", "intra", "inter", "runs", "images/s"]
    assert first.split()[:7] == ["2", "16", "NHWC", "1", "auto", "2", "120.5"]
    assert "1.20 (1.1" in first
    assert second.split()[-1] == "(yours)"
    assert third.split() == ["1", "32", "NCHW", "auto", "auto", "1", "50.0", "0.56", "(one", "run)"]


def tuned(*flags, results_dir):
    command = [sys.executable, "-c", COARSE, f"--results_dir={results_dir}", *flags]
    ran = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=300, check=False)
    records = [json.loads(path.read_text()) for path in sorted(results_dir.glob("*.json"))]
    return ran, sorted(records, key=lambda record: record["trial"]["number"])


FLAGS = ["--model=trivial", "--data_name=cifar10", "--tune_cpu", "--num_batches=5", "--batch_size=8", "--num_gpus=1"]
FLAGS += ["--num_intra_threads=1", "--num_inter_threads=1"]


def test_real_trials_of_which_one_cannot_run(tmp_path):
    ran, records = tuned(*FLAGS, "--model=lenet", "--data_name=imagenet", "--nomkl", results_dir=tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert {record["configuration"]["data_format"] for record in records} == {"NHWC"}
    assert "NOTE: 2 settings with 8 images a step: at most 3 more runs of some" in ran.stderr
    assert "NCHW, threads 1 within and 1 across operations: left out: " in ran.stderr, "it needs oneDNN"
    assert {record["trial"]["search"] for record in records} == {"tune_cpu"}
    assert not any(record["valid"] for record in records)
    assert "a trial of --tune_cpu" in " ".join(records[0]["problems"])
    _, row, words, command = ran.stdout.splitlines()
    assert row.split()[:6] == ["1", "8", "NHWC", "1", "1", "1"]
    assert words == "Nothing that was tried is measurably faster than your command as it is."
    assert command.startswith("python run_benchmark.py --model=lenet ")
    assert {"--mkl=false", "--device=cpu", "--batch_size=8"} < set(command.split())
    assert "tune_cpu" not in command
    assert "images/sec" not in ran.stdout + ran.stderr


def test_a_trial_that_takes_too_long_is_ended_and_leaves_a_record(tmp_path):
    trials = Trials([*FLAGS, f"--results_dir={tmp_path}"], tmp_path)
    with pytest.raises(TrialFailed, match="the trial of --batch_size=4 was not done after 0 s"):
        trials.run(["--batch_size=4"], limit_seconds=0.2)
    (record,) = [json.loads(path.read_text()) for path in tmp_path.glob("*.json")]
    assert (record["status"], record["trial"]["outcome"]) == ("failed", "failed")
    assert record["message"] == "ended after 0 s"


def test_flags_that_leave_nothing_to_try(tmp_path, monkeypatch, capsys):
    """A trial that is made up stands in for real ones."""
    monkeypatch.setattr(Trials, "run", lambda *_: Trial("fits", 1, images_per_second=10.0, seconds=1, step_seconds=0.1))
    arguments = [*FLAGS, "--data_format=NHWC"]
    assert CpuTuning(arguments, parse(arguments), tmp_path, Console()).run() == 0
    out, err = capsys.readouterr()
    assert "there is nothing to try beside your command as it is" in err
    assert "more runs" not in err
    assert out.splitlines()[-2] == "Nothing that was tried is measurably faster than your command as it is."


def test_ctrl_c_tells_what_was_found(tmp_path):
    process = start(*FLAGS, results_dir=tmp_path)
    for line in process.stderr:
        if line.startswith("NOTE: final 1 of 5: "):
            break
    process.send_signal(INTERRUPT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGINT
    assert "run_benchmark.py: interrupted in the trial of " in err
    assert err.splitlines()[-1].startswith(
        "The search ended early. So far the fastest, of too few runs to be sure: 1 to"
    )
    assert "NOTE: there is nothing to try" not in err
    assert out.splitlines()[1].split()[:3] == ["1", "8", "NHWC"]
    assert "run_benchmark.py --model=trivial " in out.splitlines()[-1]
    assert "tune_cpu" not in out.splitlines()[-1]
    assert "Traceback" not in err
