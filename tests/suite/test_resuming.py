"""What --resume finds: which suite it is, and how its runs ended."""

import json

import pytest

import models
from benchmarks.errors import UserError
from benchmarks.suite.cells import Cell
from benchmarks.suite.journal import Header, Journal
from benchmarks.suite.resuming import resumed
from tests.suite.conftest import TINY


def test_a_second_start_is_refused_and_a_resume_runs_nothing_twice(suite):
    first = suite("--set", "model=trivial", *TINY)
    again = suite("--set", "model=trivial", *TINY)
    assert again.code == 2
    assert "has this suite already" in again.err
    assert "--resume goes on" in again.err
    other = suite("--set", "model=resnet20", *TINY)
    assert other.code == 2
    assert "is of another suite, sweep" in other.err
    assert "give another --results_dir" in other.err
    changed = suite("--set", "model=resnet20", *TINY, "--resume")
    assert changed.code == 2
    assert "has other cells now" in changed.err
    longer = ["--set", "model=trivial", "--set", "time_limit=6m", "--set", "repeats=1", *TINY]
    assert "sweep has other time_limit now" in suite(*longer, "--resume").err
    assert "is of this suite with other time_limit (began" in suite(*longer).err
    resumed = suite("--resume")
    assert resumed.code == 0
    assert len(resumed.records) == len(first.records) == 1
    assert "nothing is left to run" in resumed.err


def begun(folder, cell, **entry):
    folder.mkdir()
    journal = Journal(folder / "suite.jsonl")
    journal.begin(Header("s", "p", "0123", 7, [cell], [(0, 1)]))
    if entry:
        journal.append(**entry)
    journal.close()


def test_a_resume_with_a_version_that_has_other_flags(suite, tmp_path):
    begun(tmp_path / "runs", Cell({"modell": "lenet", "batch_size": "0"}, "lenet"))
    came = suite("--resume")
    assert came.code == 2
    assert "the suite began with a version whose flags were others" in came.err
    assert "lenet: Unknown flag --modell=lenet. Did you mean --model?" in came.err
    assert "Traceback" not in came.err
    assert len(came.journal) == 1


def first_line(folder, **changed):
    """Change what a journal's first line says; None: as if it did not."""
    path = folder / "suite.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    facts = json.loads(lines[0]) | changed
    facts = {name: value for name, value in facts.items() if value is not None}
    path.write_text("".join([json.dumps(facts) + "\n", *lines[1:]]))


def test_a_resume_with_other_software_says_so(suite, tmp_path):
    suite("--set", "model=trivial", *TINY)
    assert "now, and was" not in suite("--resume").err
    began = json.loads((tmp_path / "runs" / "suite.jsonl").read_text().splitlines()[0])["software"]
    assert began["tensorflow"]
    first_line(tmp_path / "runs", software=began | {"tensorflow": "2.13.0"})
    came = suite("--resume", "--dry_run")
    assert f"NOTE: TensorFlow is {began['tensorflow']} now, and was 2.13.0 before" in came.err
    assert "commit is" not in came.err


def test_a_journal_of_version_1_goes_on(suite, tmp_path):
    suite("--set", "model=trivial", "--set", "repeats=2", *TINY)
    without_last_end(tmp_path / "runs")
    first_line(tmp_path / "runs", version=1, software=None)
    came = suite("--resume")
    assert (came.code, came.outcomes()) == (0, ["done", "done"])
    assert "now, and was" not in came.err


def test_a_resume_of_a_cell_that_no_process_can_take(suite, tmp_path):
    begun(tmp_path / "runs", Cell({"model": "lenet", "tag": "a\0b"}, "lenet"))
    came = suite("--resume")
    assert came.code == 2
    assert "lenet: --tag: its value has a NUL character" in came.err


def test_a_journal_with_a_line_that_is_none(suite, tmp_path):
    begun(tmp_path / "runs", Cell({"model": "lenet"}, "lenet"), kind="end", repeat=1)
    came = suite("--resume")
    assert came.code == 2
    assert "has a line 'end' without cell, number, outcome, code, seconds, which is none of a journal" in came.err


def test_a_plan_of_what_is_left(suite, tmp_path):
    flags = ["--set", "model=trivial,resnet20", "--set", "repeats=2", *TINY]
    suite(*flags)
    path = tmp_path / "runs" / "suite.jsonl"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:3]))
    before = path.read_bytes()
    came = suite("--resume", "--dry_run")
    assert "3 runs in random order" in came.out
    assert path.read_bytes() == before


def test_a_resume_of_a_journal_that_was_torn_at_once(tmp_path):
    (tmp_path / "suite-1-of-2.jsonl").write_text('{"kind": "sui')
    told = "has no suite-1-of-2.jsonl with a whole first line: that has not begun. Leave --resume out"
    with pytest.raises(UserError, match=told):
        resumed(tmp_path, (1, 2), None)


def test_a_resume_of_nothing(suite, tmp_path):
    came = suite("--resume")
    assert came.code == 2
    assert "has no suite.jsonl: that has not begun. Leave --resume out to begin one." in came.err
    assert not (tmp_path / "runs").exists()


def test_a_record_from_before_its_line_in_the_journal_counts(suite, tmp_path):
    came = suite("--set", "model=trivial", "--set", "repeats=2", *TINY)
    path = tmp_path / "runs" / "suite.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-1]) + lines[-1][:20])
    resumed = suite("--resume")
    assert resumed.code == 0
    assert len(resumed.records) == len(came.records) == 2
    assert resumed.outcomes() == ["done", "done"]
    assert resumed.ends()[-1]["record"] == came.ends()[-1]["record"]


def without_last_end(folder):
    """As if the suite had been killed after the last record, before its line in the journal."""
    path = folder / "suite.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:-1]))


@pytest.mark.parametrize(
    ("fate", "outcome", "code", "told"),
    [
        ("wrong", "invalid", 3, "WRONG: the loss is NaN"),
        ("hang", "hang", 1, "HANG: ended after 0.5 s"),
        ("exit2", "unusable", 2, "UNUSABLE: run_benchmark.py: error: --device=gpu"),
        ("silent", "crash", 1, "CRASH: it ended with exit code 5 without a record"),
        ("late", "done", 0, "its record is complete; how its process ended then, nobody saw"),
    ],
)
def test_the_end_before_its_line_is_what_it_would_have_been(fate, outcome, code, told, suite, tmp_path):
    limits = [word for name in ("time_limit=0.5s", "retries.hang=0", "retries.crash=0") for word in ("--set", name)]
    came = suite("--set", "model=trivial", "--set", f"tag={fate}", *limits, *TINY)
    without_last_end(tmp_path / "runs")
    resumed = suite("--resume")
    assert len(resumed.records) == len(came.records) == 1, "it does not run again"
    assert (resumed.outcomes(), resumed.code) == ([outcome], code)
    assert told in resumed.out
    if fate == "hang":
        own = models.get("trivial", "cifar10").batch_size
        assert resumed.records[0].configuration["batch_size"] == own, "and not 0"
    if fate != "late":  # of which the record says nothing
        assert resumed.ends()[0]["code"] == came.ends()[0]["code"]


def test_a_clock_that_was_set_back(suite, tmp_path):
    suite("--set", "model=trivial", *TINY)
    without_last_end(tmp_path / "runs")
    (path,) = (tmp_path / "runs").glob("*.json")
    record = json.loads(path.read_text())
    path.write_text(json.dumps(record | {"finished_at": "2020-01-01T00:00:00+00:00"}))
    resumed = suite("--resume")
    assert resumed.ends()[0]["seconds"] == 0
    assert "1 runs done, 0 s." in resumed.out


def test_a_run_takes_from_its_start_in_the_journal(suite, tmp_path):
    suite("--set", "model=trivial", *TINY)
    without_last_end(tmp_path / "runs")
    path = tmp_path / "runs" / "suite.jsonl"
    first, start = map(json.loads, path.read_text().splitlines())
    path.write_text("".join(json.dumps(each) + "\n" for each in (first, start | {"at": "2020-01-01T00:00:00+00:00"})))
    assert suite("--resume").ends()[0]["seconds"] > 86400
