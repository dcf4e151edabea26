"""What traces, profiles, graphs and summaries need, and what they exclude."""

import pytest

from benchmarks.params import Params, notices, resolve, validate
from benchmarks.params.traced_steps import TracedSteps, steps_in_pause, traced_steps
from tests.params.conftest import WORKER

SUMMARIES = {"summary_verbosity": 1, "save_summaries_steps": 10}


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ({"trace_file": "no/trace.json"}, "--trace_file=no/trace.json: there is no folder"),
        ({"tfprof_file": "file/profile"}, "--tfprof_file=file/profile: there is no folder"),
        ({"graph_file": "folder"}, "--graph_file=folder is a folder. Give the name of a file in it."),
        (
            {"trace_file": "one", "graph_file": "./one"},
            "--trace_file=./one and --graph_file=./one are one file. Give each its own.",
        ),
        ({"trace_file": "t", "trace_steps": "last"}, "--trace_steps=last names no steps: give FIRST:LAST or one step"),
        ({"trace_file": "t", "trace_steps": "0"}, "--trace_steps=0 names no steps"),
        ({"trace_file": "t", "trace_steps": "-2:3"}, "--trace_steps=-2:3 names no steps"),
        ({"trace_file": "t", "trace_steps": "5:4"}, "--trace_steps=5:4 names no steps"),
        (
            {"tfprof_file": "p", "num_warmup_batches": 0},
            "--trace_steps=-2 with --num_warmup_batches=0: there is no warm-up. Give --num_warmup_batches=3 or more",
        ),
        (
            {"trace_file": "t", "trace_steps": "-10"},
            "--trace_steps=-10 with --num_warmup_batches=10: the first step, whose time is a figure of its own, is not",
        ),
        (
            {"trace_file": "t", "trace_steps": "11", "num_batches": 10},
            "--trace_steps=11 is beyond the end of the run, --num_batches=10.",
        ),
        (
            {"trace_file": "t", "trace_steps": "11", "target_precision": 0.1},
            "--trace_steps=11 with --target_precision=0.1: whether the run gets to step 11 depends",
        ),
        ({"trace_file": "t"} | WORKER, "--trace_file=t with several processes: each sees its own part of a step only."),
        ({"graph_file": "g", "repeats": 2}, "--graph_file=g with --repeats=2: every run would write the same."),
        (
            {"summary_verbosity": 1},
            "--summary_verbosity=1 writes nothing yet: add --train_dir=FOLDER for the events and --save_sum",
        ),
        (
            {"summary_verbosity": 1, "train_dir": "events"},
            "--summary_verbosity=1 writes nothing yet: add --save_summaries_steps=N to write them every N steps.",
        ),
        (
            {**SUMMARIES, "train_dir": "events", "num_batches": 9},
            "--save_summaries_steps=10: the run ends after 9 steps, before anything is written. Give at most 9",
        ),
        (
            {"summary_verbosity": 1, "save_summaries_steps": 101, "train_dir": "events"},
            "--save_summaries_steps=101: the run ends after 100 steps",
        ),
        (SUMMARIES, "--summary_verbosity=1 writes nothing yet: add --train_dir=FOLDER for the events."),
        ({"train_dir": "file/events"} | SUMMARIES, "--train_dir=file/events: "),
        (
            {"train_dir": "events", "forward_only": True} | SUMMARIES,
            "--train_dir and --forward_only: nothing is trained that could be saved.",
        ),
        (
            {"train_dir": "trained", "trace_file": "t"},
            "--train_dir and --trace_file: steps that are traced have no place in a saved training.",
        ),
    ],
)
def test_problem(params, problem):
    (found,) = validate(Params(**params))
    assert found.startswith(problem)


def test_a_folder_that_cannot_be_written():
    (found,) = validate(Params(trace_file="/proc/trace.json"))
    assert found.startswith("--trace_file=/proc/trace.json: cannot write in /proc (")


def test_time_to_accuracy_has_no_trace_in_it(tmp_path):
    for name in ("train.tfrecords", "validation.tfrecords", "eval.tfrecords"):
        (tmp_path / name).touch()
    evaluating = Params(
        trace_file="t", data_name="cifar10", data_dir=str(tmp_path), eval_during_training_every_n_steps=5
    )
    (found,) = validate(evaluating)
    assert found.startswith(
        "--trace_file=t with --eval_during_training_every_n_steps=5: the time to accuracy would have"
    )


@pytest.mark.parametrize(
    "params",
    [
        {"trace_file": "t", "tfprof_file": "p", "graph_file": "folder/g"},
        {"trace_file": "t", "trace_steps": "-9:-1"},
        {"trace_file": "t", "trace_steps": "1", "num_warmup_batches": 0},
        {"trace_file": "t", "trace_steps": "100:120", "num_batches": 100},
        {"trace_file": "t", "target_precision": 0.1},
        {"trace_steps": "nonsense"},
        {"train_dir": "not/there/yet"} | SUMMARIES,
        {"train_dir": "events", "num_epochs": 0.1} | SUMMARIES | {"save_summaries_steps": 200},
    ],
)
def test_no_problem(params):
    assert validate(Params(**params)) == []


@pytest.mark.parametrize(
    ("text", "steps", "numbers"),
    [("-2", (-2, -2), [-2]), ("-3:-1", (-3, -1), [-3, -2, -1]), (" 5:6 ", (5, 6), [5, 6]), ("7", (7, 7), [7])],
)
def test_steps(text, steps, numbers):
    found = traced_steps(text)
    assert found == TracedSteps(*steps)
    assert found.numbers == numbers


@pytest.mark.parametrize(
    ("params", "count"),
    [
        ({"trace_steps": "5:7"}, 0),
        ({"trace_file": "t"}, 0),
        ({"trace_file": "t", "trace_steps": "5:7"}, 3),
        ({"tfprof_file": "p", "trace_steps": "5"}, 1),
    ],
)
def test_steps_that_are_made_beside_the_others(params, count):
    assert steps_in_pause(Params(**params)) == count


@pytest.mark.parametrize(
    ("name", "value"),
    [("trace_steps", "-3"), ("use_chrome_trace_format", False), ("save_summaries_steps", 10)],
)
def test_what_belongs_to_another_flag_has_no_effect_alone(name, value):
    (notice,) = notices(Params(**{name: value}), given={name})
    assert notice.kind == "no effect"


def test_files_are_named_in_full(tmp_path):
    resolved = resolve(Params(trace_file="t.json", train_dir="events"), device="cpu")
    assert (resolved.trace_file, resolved.train_dir) == (str(tmp_path / "t.json"), str(tmp_path / "events"))
    assert (resolved.tfprof_file, resolved.graph_file) == (None, None)
