"""A run that computed something wrong is told from one whose figure is in doubt, wherever records are read."""

import io
import json

import pytest

from results.__main__ import main
from results.checks import Facts, problems
from results.frame import frame
from results.importers.run import Run
from results.importers.run import record as imported
from results.record import RecordError, RunRecord
from results.reported import ReportedRow
from results.store import write
from results.table import table
from tests.results.records import record

NAN = "the loss is not finite from step 2 on"
FEW = "too few steps: 5 steps, and an interval needs 50"
WRONG = {"problems": (NAN, FEW), "wrong": (NAN,)}


def results(*arguments):
    stdout, stderr = io.StringIO(), io.StringIO()
    return main([str(argument) for argument in arguments], stdout, stderr), stdout.getvalue(), stderr.getvalue()


def test_it_survives_the_file():
    made = record(**WRONG)
    again = RunRecord.from_json(made.to_json())
    assert (again, again.wrong, again.valid) == (made, (NAN,), False)


def test_what_is_wrong_is_one_of_the_problems():
    with pytest.raises(RecordError, match=r"field 'wrong': 'another' is none of the problems"):
        record(problems=(NAN,), wrong=("another",))


@pytest.mark.parametrize("check", ["variable_update", "copies"])
def test_older_records_tell_by_their_checks(check):
    """They have no `wrong`; what their checks found is among their problems in the same words."""
    told = problems(Facts(update={"problem": "the update is off"}))[0].text
    data = json.loads(record(problems=(told, FEW, NAN), checks={check: {"problem": told}}).to_json())
    del data["wrong"]
    assert RunRecord.from_json(json.dumps(data)).wrong == (told, NAN)


@pytest.mark.parametrize("unfit", [[], {}, {"problem": None}, {"problem": []}, {"problem": {}}])
def test_older_records_that_are_in_doubt_stay_so(unfit):
    data = json.loads(record(problems=(FEW,), checks={"copies": unfit, "variable_update": unfit}).to_json())
    del data["wrong"]
    assert RunRecord.from_json(json.dumps(data)).wrong == ()


def test_the_table_has_a_word_for_each():
    text = " ".join(table(frame([record(**WRONG), record(1, problems=(FEW,)), record(2)])).split())
    assert "WRONG [1]" in text
    assert "UNFIT [2]" in text
    assert "Not valid (WRONG: what was computed is wrong; UNFIT: the figure is in doubt), figures in brackets" in text
    assert "WRONG" not in table(frame([record(problems=(FEW,))]))


def test_one_record_is_explained_problem_by_problem(tmp_path):
    _, out, _ = results("show", write(record(**WRONG), tmp_path))
    assert f"WRONG       {NAN}\n" in out
    assert f"UNFIT       {FEW}\n" in out
    _, out, _ = results("show", write(record(**WRONG, status="failed", message="out of memory"), tmp_path))
    assert "FAILED      out of memory\nWRONG  " in out


def test_a_comparison_says_what_was_left_out_and_what_was_let_in(tmp_path):
    for number in range(3):
        write(record(number), tmp_path / "a")
        write(record(number + 10), tmp_path / "b")
    write(record(20, **WRONG), tmp_path / "b")
    code, out, err = results("compare", tmp_path / "a", tmp_path / "b")
    assert (code, "WRONG" in out) == (0, False)
    assert "Left out of B: 1 that computed something wrong (--include_invalid admits them)." in err
    code, out, err = results("compare", tmp_path / "a", tmp_path / "b", "--include_invalid")
    assert (code, err) == (0, "")
    assert "WRONG: 1 run in B computed something wrong (--include_invalid): resnet20" in out
    _, out, _ = results("compare", tmp_path / "a", tmp_path / "b", "--include_invalid", "--format=json")
    assert [(row["wrong_a"], row["wrong_b"]) for row in json.loads(out)["rows"]] == [(0, 1)]


def test_a_gate_tells_of_wrong_runs_beside_valid_ones_and_of_a_benchmark_that_has_no_other(tmp_path):
    for number in range(4):
        for model in ("resnet20", "vgg16"):
            write(record(number, {"model": model}), tmp_path / "before")
            write(record(number + 10, {"model": model}), tmp_path / "tonight")
    judged = ("gate", f"--baseline={tmp_path / 'before'}", f"--candidate={tmp_path / 'tonight'}")
    assert results(*judged)[0] == 0
    wrong = record(20, **WRONG)
    write(wrong, tmp_path / "tonight")
    code, out, err = results(*judged)
    assert code == 0, "those that are valid are judged"
    name = "resnet20, 2 towers, cpu, batch 32, replicated, NHWC, fp32"
    assert f"WRONG: {name}: run {wrong.record_id[:8]} is in no figure: {NAN}" in out
    assert "Left out of the candidate: 1 that computed something wrong." in err
    write(record(21, {"model": "lenet"}, **WRONG), tmp_path / "tonight")
    code, out, _ = results(*judged)
    assert code == 2
    assert f"no valid run: WRONG: {NAN}; {FEW}" in out


def test_a_report_names_them_left_out_and_let_in(tmp_path):
    write(record(), tmp_path)
    write(record(1, **WRONG), tmp_path)
    for minute in (2, 3):
        write(record(minute, problems=(FEW,)), tmp_path)
    for more in ((), ("--include_invalid",)):
        assert results("report", tmp_path, f"--out={tmp_path / 'r.md'}", *more)[0] == 0
        text = (tmp_path / "r.md").read_text().replace("\\", "")
        assert "| WRONG |" in text
        for told in (
            "1 valid run, 2 NOT VALID and 1 WRONG (--include_invalid) of 1 model.",
            "NOT VALID, and in the figures because --include_invalid was given: 2.",
            "WRONG, as what they computed is, and in the figures because --include_invalid was given: 1.",
            "1 valid, 2 NOT VALID, 1 WRONG",
        ):
            assert (told in text) == bool(more)


def test_an_export_and_a_history_of_all_say_so(tmp_path):
    for number in range(2):
        write(record(number, **WRONG), tmp_path)
    _, _, err = results("export", tmp_path, "--format=bmf", "--include_invalid")
    assert "WRONG: 2 records among them" in err
    _, _, err = results("history", tmp_path, "--include_invalid")
    assert "WRONG: 2 records not left out" in err


def test_an_imported_loss_that_is_no_number_is_wrong():
    rows = [ReportedRow(step=1, images_per_second=10.0, loss=float("nan"))]
    made = imported(Run("tool", complete=True, images_per_second=10.0, rows=rows), "x", {})
    assert made.wrong == ("the loss is not finite from step 1 on",)
    assert set(made.wrong) < {*made.problems, "more"}
