"""Suites that are stopped, by whatever, and go on: nothing is lost and nothing runs twice."""

import contextlib
import json
import resource
import shutil
import signal
import time

import psutil
import pytest

from benchmarks.suite.plan import read_plan
from tests.suite.conftest import TINY, left_in, lines_of, started


def wait_for(condition):
    end = time.monotonic() + 300
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


AFTER_THIS_RUN = "after this run; Ctrl-C again stops it now"


def until(words, process):
    """What `process` says on stderr, up to the line with `words`."""
    heard = ""
    while words not in heard:
        line = process.stderr.readline()
        assert line, heard
        heard += line
    return heard


def running(folder):
    """Whether the journal says that a process goes on."""
    entries = lines_of(folder)
    return bool(entries) and entries[-1]["kind"] == "start"


def test_kill_9_loses_nothing_and_runs_nothing_twice(suite, tmp_path):
    folder = tmp_path / "runs"
    arguments = ["--set", "batch_size=1,2,3,4", "--set", "model=trivial", *TINY]
    most = tmp_path / "most"  # so that it is in its middle however late it is killed
    for number in (1, 2):
        going_on = arguments if number == 1 else ["--resume"]
        most.write_text(str(number))
        with started(*going_on, folder=folder, STAND_IN_MOST=str(most)) as process:
            wait_for(lambda number=number: len(list(folder.glob("*.json"))) == number)
            runs = psutil.Process(process.pid).children()
            process.kill()
            process.wait()
            psutil.wait_procs(runs, timeout=60)  # which are killed with it
        for temporary in folder.glob(".*.tmp"):
            temporary.unlink()  # what a killed run had begun to write
    came = suite("--resume")
    assert came.code == 0
    done = [record.suite["cell"] for record in came.records if record.status == "completed"]
    assert sorted(done) == sorted({cell["id"] for cell in came.journal[0]["cells"]})
    assert came.outcomes() == ["done"] * 4


@pytest.mark.parametrize(("number", "times", "code"), [(signal.SIGINT, 2, 130), (signal.SIGTERM, 1, 143)])
def test_ctrl_c_lets_the_run_end_and_twice_or_sigterm_stops_it(number, times, code, tmp_path):
    folder = tmp_path / "runs"
    arguments = ["--set", "tag=wait", "--set", "model=trivial,resnet20", *TINY]
    with started(*arguments, folder=folder, STAND_IN_UP=str(tmp_path / "up")) as process:
        wait_for((tmp_path / "up").exists)
        heard = ""
        for _ in range(times - 1):
            process.send_signal(number)
            heard = until(AFTER_THIS_RUN, process)
            time.sleep(0.5)
            assert process.poll() is None, "the run goes on"
        process.send_signal(number)
        out, err = process.communicate(timeout=300)
    assert process.returncode == code
    assert (AFTER_THIS_RUN in heard + err) == (times == 2)
    assert "the run that goes on has 20 s to end" in err
    assert "To go on: python -m benchmarks.suite --resume" in err
    records, entries = left_in(folder)
    assert [record.status for record in records] == ["interrupted"]
    assert [entry["outcome"] for entry in entries if entry["kind"] == "end"] == ["interrupted"]
    assert "2 not run" in out


def test_ctrl_c_in_the_last_run_leaves_nothing_to_go_on_with(tmp_path):
    folder = tmp_path / "runs"
    with started("--set", "model=trivial", *TINY, folder=folder) as process:
        wait_for(lambda: running(folder))
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "nothing is left to run" in err
    assert "--resume" not in err


@contextlib.contextmanager
def stopping(arguments, folder, most):
    """A suite that is told to stop in its first run, which goes on once the file `most` says so."""
    most.write_text("0")
    with started(*arguments, folder=folder, STAND_IN_MOST=str(most)) as process:
        wait_for(lambda: running(folder))
        process.send_signal(signal.SIGINT)
        until(AFTER_THIS_RUN, process)
        yield process


def test_ctrl_c_when_the_budget_is_spent_says_that_runs_are_left(tmp_path):
    folder = tmp_path / "runs"
    arguments = ["--set", "model=trivial", "--set", "batch_size=1,2", "--budget=1", *TINY]
    most = tmp_path / "most"
    with stopping(arguments, folder, most) as process:
        time.sleep(1.2)  # more than the budget
        most.write_text("2")
        out, err = process.communicate(timeout=300)
    assert process.returncode == 130
    assert "3 not run" in out  # two of each, and then what tells most
    assert "nothing is left" not in err
    assert "3 runs were not reached within --budget=1 s. To go on: python -m benchmarks.suite --resume" in err


def test_ctrl_c_once_ends_with_a_whole_record(tmp_path):
    folder = tmp_path / "runs"
    arguments = ["--set", "model=trivial", "--set", "batch_size=1,2", *TINY]
    most = tmp_path / "most"
    with stopping(arguments, folder, most) as process:
        most.write_text("2")
        process.communicate(timeout=300)
    assert process.returncode == 130
    records, entries = left_in(folder)
    assert [record.status for record in records] == ["completed"]
    assert entries[-1]["kind"] == "end"


def full_disk(limit, arguments, suite, folder, told="Nothing that was measured is lost."):
    """A suite of five whose disk takes no file beyond `limit` bytes: how many records it leaves; the rest follows."""
    full = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {resource.RLIM_INFINITY}))"
    with started(*arguments, folder=folder, before=full) as process:
        _, err = process.communicate(timeout=300)
    assert process.returncode == 1
    assert "File too large" in err
    assert f"{told} To go on:" in err
    before, _ = left_in(folder)
    came = suite("--resume")
    assert came.code == 0
    assert sorted(record.params["batch_size"] for record in came.records) == [1, 2, 3, 4, 5]
    assert came.outcomes() == ["done"] * 5
    return len(before)


FIVE = ["--set", "model=trivial", "--set", "batch_size=1,2,3,4,5", *TINY]


def test_a_disk_too_full_for_a_record_stops_it_and_nothing_is_lost(suite, tmp_path):
    told = "The run that had just ended left no record, and runs again; no other is lost."
    assert full_disk(6_000, FIVE, suite, tmp_path / "runs", told) == 0


def test_a_disk_too_full_for_the_journal_stops_it_and_nothing_is_lost(suite, tmp_path):
    long = [*FIVE, "--set", f"tag={3000 * 'x'}"]  # the journal has it five times at its start, a record twice
    plan = read_plan(None, [each for each in long if each != "--set"], 200)
    begins = sum(len(json.dumps(cell.facts())) for cell in plan.cells)
    assert 0 < full_disk(begins + 1_200, long, suite, tmp_path / "runs") < 5


def test_a_folder_that_is_removed_while_it_runs(tmp_path):
    folder = tmp_path / "runs"
    with started("--set", "batch_size=1,2", "--set", "model=trivial", *TINY, folder=folder) as process:
        wait_for(lambda: running(folder))
        shutil.rmtree(folder)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "1 not run" in out or "2 not run" in out
    assert "What was measured may have gone with the journal. Begin anew" in err
    assert "--resume" not in err


def test_a_folder_that_cannot_be_written(suite, tmp_path):
    (tmp_path / "file").write_text("")
    came = suite("--set", "model=trivial", *TINY, folder=tmp_path / "file" / "runs")
    assert came.code == 2
    assert "Cannot write into results folder" in came.err
