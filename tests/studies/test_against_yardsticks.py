import sys

import pytest

from benchmarks.errors import ExitCode, UserError
from benchmarks.studies import against_yardsticks
from benchmarks.studies.against_yardsticks import (
    CASES,
    NO_TORCH,
    PROGRAMS,
    YARDSTICKS,
    Result,
    chosen,
    find_torch,
    table,
    yardstick_command,
)
from benchmarks.studies.comparison import compare
from tests.studies.runs import fresh_run, in_turn, rows

BARE, KERAS, TORCH = (CASES[f"resnet20-b32-fp32-{yardstick}"] for yardstick in PROGRAMS)


def test_the_cases_and_their_targets():
    targets = {(case.precision, case.yardstick): case.target and case.target.bound for case in CASES.values()}
    assert targets == {
        ("fp32", "bare"): 0.98,
        ("fp32", "keras"): 1.15,
        ("fp32", "torch"): 1.0,
        ("bf16", "torch"): 1.0,
        ("bf16", "bare"): None,
    }
    shapes = {(case.model, case.batch) for case in CASES.values() if case.precision == "fp32"}
    assert shapes == {("resnet50", 16), ("resnet20", 32), ("resnet20", 128)}


def test_a_case_that_meets_everything():
    ours = in_turn(fresh_run(100, 6.0, 720), fresh_run(50, 5.5, 700), fresh_run(110, 9.0, 690))
    theirs = in_turn(fresh_run(100, 5.0, 700), fresh_run(40, 5.0, 700), fresh_run(100, 5.0, 700))
    result = Result(BARE, compare(BARE, 3, ours, theirs, on_pair=lambda _: None).pairs)
    cells = ["100.0", "100.0", "1.100 (1.000..1.250)", ">= 0.98", "met", "+1.0 s (<= 2: met)", "1.00 (<= 1.1: met)"]
    assert rows(table([result])) == [[BARE.name, *cells]]


def test_a_case_that_meets_nothing():
    result = Result(BARE, [(fresh_run(97, 7.5, 800), fresh_run(100, 5.0, 700))])
    cells = ["97.0", "100.0", "0.970 (0.970..0.970)", ">= 0.98", "NOT met", "+2.5 s (<= 2: NOT met)"]
    assert rows(table([result])) == [[BARE.name, *cells, "1.14 (<= 1.1: NOT met)"]]


def test_start_and_memory_are_judged_against_the_bare_step_only():
    result = Result(KERAS, [(fresh_run(120, 9.0, 1400), fresh_run(100, 5.0, 700))])
    assert rows(table([result]))[0][-2:] == ["+4.0 s", "2.00"]


def test_without_pytorch_there_is_no_number():
    assert rows(table([Result(TORCH, [])])) == [[TORCH.name, NO_TORCH, "", "", ">= 1", "not measured", "", ""]]


def test_progress_names_case_and_pair():
    told = []
    compare(BARE, 2, lambda: fresh_run(1), lambda: fresh_run(1), on_pair=told.append)
    assert told == [f"{BARE.name}: pair 1 of 2", f"{BARE.name}: pair 2 of 2"]


def test_cases_are_chosen_by_name():
    assert chosen(None) == list(CASES.values())
    assert chosen(f"{TORCH.name},{BARE.name}") == [TORCH, BARE]


def test_an_unknown_case_gets_a_suggestion():
    with pytest.raises(
        UserError,
        match=r"--cases=(resnet20-b32-fp32-bar): there is no '\1'\. Did you mean 'resnet20-b32-fp32-bare'\?",
    ):
        chosen("resnet20-b32-fp32-bar")


def test_a_python_without_pytorch_is_refused():
    with pytest.raises(UserError, match=r"--torch_python=/nowhere/python: cannot import torch there"):
        find_torch("/nowhere/python")


def test_the_yardsticks_are_there_and_know_their_flags():
    for case in CASES.values():
        program = YARDSTICKS / PROGRAMS[case.yardstick]
        assert program.is_file()
        command = yardstick_command(sys.executable, program, case)
        assert command[2:] == [
            f"--model={case.model}",
            f"--batch={case.batch}",
            f"--steps={case.steps}",
            f"--precision={case.precision}",
        ]


def test_an_unwritable_output_shows_before_anything_is_measured(capsys):
    code = against_yardsticks.main([f"--cases={BARE.name}", "--output=/nowhere/out.json", "--yardsticks=/nowhere"])
    assert code == ExitCode.UNUSABLE
    assert "--output=/nowhere/out.json: cannot be written" in capsys.readouterr().err
