"""Trials of a search enter no comparison."""

import io

from results.__main__ import main
from results.checks import Facts, problems
from results.comparison.facts import admit
from results.store import write
from tests.results.records import record

TRIAL = {"set": "abc", "number": 2, "outcome": "fits", "peak_memory_bytes": 2_000_000}


def run(*arguments):
    stdout, stderr = io.StringIO(), io.StringIO()
    return main([*map(str, arguments)], stdout, stderr), stdout.getvalue(), stderr.getvalue()


def test_a_trial_is_doubtful_and_not_wrong():
    (problem,) = problems(Facts(trial="tune_cpu"))
    assert "a trial of --tune_cpu" in problem.text
    assert not problem.wrong


def test_no_comparison_admits_one_even_if_asked():
    found = admit([record(), record(trial=TRIAL)], include_invalid=True)
    assert len(found.runs) == 1
    assert found.left_out == {"made by a search": 1}


def test_a_gate_judges_the_night_that_is_no_search(tmp_path):
    days = ("2026-01-01", "2026-01-02", "2026-01-03")
    for day in days:
        for hour in (2, 3):
            write(record(started_at=f"{day}T0{hour}:00:00+00:00", finished_at=f"{day}T0{hour}:10:00+00:00"), tmp_path)
    before = run("gate", f"--baseline={tmp_path}")
    later = {"started_at": "2026-01-09T02:00:00+00:00", "finished_at": "2026-01-09T02:10:00+00:00"}
    write(record(trial=TRIAL, problems=("a trial of --find_batch_size",), **later), tmp_path)
    after = run("gate", f"--baseline={tmp_path}")
    assert after[:2] == before[:2]
    assert "Left out of the baseline: 1 made by a search." in after[2]


def test_it_is_explained(tmp_path):
    path = write(record(trial=TRIAL), tmp_path)
    code, out, _ = run("show", path)
    assert code == 0
    assert "trial       number 2 of the search abc: fits, at most 2.00 MB" in out
