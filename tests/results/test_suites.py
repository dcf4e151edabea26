"""Runs of a suite: explained, chosen by their cell, and judged by their last attempt."""

import io

from results.__main__ import main
from results.commands import arguments
from results.store import read, write
from results.suites import superseded
from tests.results.records import record

PLACE = {"suite": "quick", "plan": "p", "set": "0123", "cell": "abcd", "repeat": 2, "attempt": 1}


def run(*words):
    stdout, stderr = io.StringIO(), io.StringIO()
    return main([*map(str, words)], stdout, stderr), stdout.getvalue(), stderr.getvalue()


def test_it_is_explained(tmp_path):
    path = write(record(suite=PLACE | {"batch_size": 64}), tmp_path)
    assert read(path).suite["batch_size"] == 64
    code, out, _ = run("show", path)
    assert code == 0
    assert "suite       quick (set 0123), cell abcd: repeat 2, attempt 1" in out
    assert "memory ran out with the batch of 64 that it asks for: it was halved" in out


def test_runs_are_chosen_by_suite_set_and_cell(tmp_path):
    for number, cell in enumerate(("abcd", "abcd", "ef01")):
        write(record(number, suite=PLACE | {"cell": cell}), tmp_path)
    for word, count in (("quick", 3), ("0123", 3), ("abcd", 2), ("ef01", 1)):
        assert len(arguments.selected(arguments.runs(f"{tmp_path}@{word}")).records) == count
    code, _, err = run("gate", f"--baseline={tmp_path}@nix")
    assert code == 2
    assert "There is: 0123, abcd, ef01, quick." in err


def test_a_comparison_takes_the_last_attempt(tmp_path):
    for side in "AB":
        for repeat in (1, 2):
            for attempt in (1, 2, 3):
                of_suite = PLACE | {"set": side, "repeat": repeat, "attempt": attempt}
                write(record(repeat * 10 + attempt, problems=("foreign load",), suite=of_suite), tmp_path / side)
    code, out, err = run("compare", tmp_path / "A", tmp_path / "B", "--include_invalid")
    assert (code, out.count("(2 runs)")) == (0, 2), out + err
    assert "Left out of A: 4 that their suite made again." in err


def test_the_last_attempt_at_a_run_stands_for_it():
    attempts = [
        record(suite=PLACE | changed) for changed in ({}, {"attempt": 2}, {"repeat": 1}, {"set": "99"}, {"cell": "x"})
    ]
    assert superseded([*attempts, record()]) == {attempts[0].record_id}
    assert superseded(attempts[::-1]) == {attempts[0].record_id}
    assert superseded([record(suite={"attempt": "2"}), record(suite={"attempt": 1, "cell": ["?"]})]) == set()
