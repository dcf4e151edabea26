"""Runs of a suite: explained, chosen by their cell, and judged by their last attempt."""

import io
import json

from results.__main__ import main
from results.commands import arguments
from results.naming import counted
from results.store import read, write
from results.suites import MADE_AGAIN, records_set_aside
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
    assert (code, out.count("(2 runs, 2 NOT VALID)")) == (0, 2), out + err
    assert "Left out of A: 4 that their suite made again." in err


def test_the_last_attempt_at_a_run_stands_for_it():
    attempts = [
        record(suite=PLACE | changed) for changed in ({}, {"attempt": 2}, {"repeat": 1}, {"set": "99"}, {"cell": "x"})
    ]
    assert records_set_aside([*attempts, record()]) == {attempts[0].record_id: MADE_AGAIN}
    assert records_set_aside(attempts[::-1]) == {attempts[0].record_id: MADE_AGAIN}
    assert records_set_aside([record(suite={"attempt": "2"}), record(suite={"attempt": 1, "cell": ["?"]})]) == {}


def test_no_command_takes_trials_or_what_was_made_again(tmp_path):
    """Beside four good runs, whether what is not valid is asked for or not."""
    trial = "a trial of --find_batch_size, made to find what to run and not to be compared"
    folder, other = tmp_path / "a", tmp_path / "b"
    for number in range(4):
        write(record(number), folder)
        write(record(number + 10), other)
    write(record(4, problems=(trial,), trial={"search": "find_batch_size", "set": "t", "number": 1}), folder)
    for attempt in (1, 2):
        write(record(4 + attempt, problems=("foreign load",), suite=PLACE | {"attempt": attempt}), folder)
    said = {"Left out: 1 record made by a search.", "Left out: 1 record that their suite made again."}
    for more, runs in (((), 4), (("--include_invalid",), 5)):
        _, out, err = run("history", folder, "--format=json", *more)
        assert [len(series["runs"]) for series in json.loads(out)["series"]] == [runs]
        assert said <= set(err.splitlines())
        _, out, err = run("export", folder, "--format=csv", *more)
        assert len(out.splitlines()) == 1 + runs
        assert said <= set(err.splitlines())
        assert run("report", folder, f"--out={tmp_path / 'r.md'}", *more)[0] == 0
        page = (tmp_path / "r.md").read_text()
        assert f"Entered into the figures: {counted(runs, 'run')} in 1 configuration." in page
        assert f"{7 - runs} runs left out of all of the above." in page
        assert "foreign load; its suite made it again" in page
        _, out, _ = run("compare", folder, other, "--format=json", *more)
        assert [row["runs_a"] for row in json.loads(out)["rows"]] == [runs]
