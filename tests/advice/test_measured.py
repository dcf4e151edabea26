"""What runs say of a prediction and of a rule, and real runs that take turns."""

import csv
import json

import pytest

from benchmarks import advise
from benchmarks.advice.candidates import ON_GPUS, Candidate
from benchmarks.advice.cost_model import Layout, Prediction
from benchmarks.advice.findings import Findings, told
from benchmarks.advice.measured import Case, Runs, interleaved, ranked
from benchmarks.advice.rules import Choice

ON_CPU, _, COPIES, NCCL = ON_GPUS


def test_rounds_take_turns():
    made, said = [], []
    cases = [Case(2, COPIES), Case(2, NCCL)]
    figures = iter((1.0, 2.0, 3.0, 4.0))
    found = interleaved(lambda case: (made.append(case), next(figures))[1], cases, 2, said.append)
    assert made == cases * 2
    assert found == Runs({cases[0]: [1.0, 3.0], cases[1]: [2.0, 4.0]})
    assert said[-1] == "round 2 of 2: replicated/nccl, 2 devices: 4.0 images/s"


def prediction(images_per_second):
    return Prediction(Layout(4), images_per_second, 0, 1, 1, 1, 0, 0, 0, "")


def said_of(runs, predicted, takes=NCCL):
    choice = Choice(takes.variable_update, takes.local_parameter_device, takes.all_reduce_spec, "a rule", "why", "src")
    order = sorted(
        ((each, prediction(speed)) for each, speed in predicted.items()), key=lambda pair: -pair[1].images_per_second
    )
    return told(Findings("vgg16", 64, "gpu", None, None, {4: choice}, {4: order}, {4: ranked(runs)}))


def test_runs_that_are_told_apart_are_held_against_prediction_and_rule():
    runs = {ON_CPU: [70.0, 71.0, 70.5], NCCL: [100.0, 101.0, 100.5], COPIES: [101.0, 99.0, 100.0]}
    text = said_of(runs, {NCCL: 300, COPIES: 200, ON_CPU: 100})
    assert "Prediction and runs agree: replicated/nccl before parameter_server/cpu." in text
    assert "What the rule takes, replicated/nccl, is not told from replicated." in text
    assert "is the fastest." in said_of({NCCL: runs[NCCL], ON_CPU: runs[ON_CPU]}, {NCCL: 2, ON_CPU: 1})
    rows = [line.split("|")[1:-1] for line in text.splitlines() if line.startswith("| ")]
    of = {row[0].strip(): row[3].strip() for row in rows[-3:]}
    assert of["replicated/nccl"] == ""
    assert of["replicated"].endswith("not told apart")
    assert of["parameter_server/cpu"].startswith("0.70 (0.70 to 0.7")

    text = said_of(runs, {ON_CPU: 300, NCCL: 200, COPIES: 100}, takes=ON_CPU)
    assert "Prediction and runs disagree: it has parameter_server/cpu before replicated/nccl." in text
    assert "What the rule takes, parameter_server/cpu, is slower than replicated/nccl here." in text


def test_runs_of_a_round_are_held_against_each_other():
    """The machine drifts by far more than the two differ, and by the same for both."""
    first, second = ranked({ON_CPU: [90.0, 136.0, 71.5], NCCL: [100.0, 150.0, 80.0]})
    assert (first.candidate, second.candidate) == (NCCL, ON_CPU)
    assert second.slower
    assert second.share == pytest.approx(0.9, abs=0.01)


def test_runs_that_are_not_told_apart_test_nothing():
    text = said_of({NCCL: [100.0, 80.0], COPIES: [99.0, 79.0]}, {COPIES: 2, NCCL: 1}, takes=COPIES)
    assert "The runs tell no candidate from the fastest, so the predicted order stands untested." in text
    assert "What the rule takes, replicated, is not told from the fastest." in text
    one_run = said_of({NCCL: [100.0], COPIES: [50.0]}, {COPIES: 2, NCCL: 1}, takes=Candidate("sharded"))
    assert "0.50, one run" in one_run
    assert "What the rule takes, sharded, is not among these." in one_run


def test_candidates_are_run_in_turn_as_trials(tmp_path, capfd):
    """Two real runs, each in a process of its own."""
    output, runs = tmp_path / "advice.csv", tmp_path / "runs"
    code = advise.main(
        [
            "--model=trivial",
            "--data_name=cifar10",
            "--batch_size=2",
            "--device=cpu",
            "--measure",
            "--rounds=1",
            "--candidates=parameter_server/cpu,replicated",
            f"--results_dir={runs}",
            f"--output={output}",
            "--",
            "--num_batches=3",
        ]
    )
    out, err = capfd.readouterr()
    assert code == 0, err
    assert "round 1 of 1: replicated, 2 devices: " in err
    assert "| 2 devices, measured " in out
    assert 'Rule "CPU towers": towers on the CPU share its memory' in out
    with output.open() as stream:
        rows = list(csv.DictReader(stream))
    assert {row["variable_update"]: row["chosen_by_rule"] for row in rows} == {
        "parameter_server": "True",
        "replicated": "False",
    }
    made = [json.loads(file.read_text()) for file in runs.glob("*.json")]
    made.sort(key=lambda each: each["trial"]["number"])
    assert [each["params"]["variable_update"] for each in made] == ["parameter_server", "replicated"]
    assert len({each["trial"]["set"] for each in made}) == 1
    assert all("a trial of --advised" in " ".join(each["problems"]) for each in made)
    assert {each["configuration"]["trial"] for each in made} == {"advised"}
