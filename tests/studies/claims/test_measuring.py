"""A way is measured in a process of its own, which leaves nothing behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from benchmarks.studies.claims import command
from benchmarks.studies.claims.budget import Budget
from benchmarks.studies.claims.claim import Case, Measured, Preparation, Way
from benchmarks.studies.claims.measuring import Measuring, WayError
from benchmarks.studies.claims.work_folder import work_folder
from results import store
from tests.studies.claims.planted import claim, two_cores


def test_a_run_leaves_an_ordinary_record(tmp_path, stand_in):
    measuring = Measuring(tmp_path / "runs", program=stand_in)
    measured = measuring.measure(Way("good", ("--good",)))
    (kept,), unreadable = store.load(tmp_path / "runs")
    assert (measured.record, unreadable) == (kept, [])
    assert measured.figure == kept.steady_images_per_second > 0


def test_a_way_that_fails_says_what_was_run_and_why(tmp_path, stand_in):
    with pytest.raises(WayError, match=r"--fails(.|\n)*the device is gone"):
        Measuring(tmp_path / "runs", program=stand_in).measure(Way("bad", ("--fails",)))


def test_a_way_that_hangs_is_ended(tmp_path, stand_in):
    with pytest.raises(WayError, match="was not done after 1 s and was ended"):
        Measuring(tmp_path / "runs", limit_seconds=1, program=stand_in).measure(Way("bad", ("--hangs",)))


@pytest.mark.parametrize(
    "said", ["nothing", '{"figure": 0, "facts": {}}', '{"facts": {}}', '{"figure": NaN, "facts": {}}']
)
def test_a_program_that_measures_nothing_has_failed(tmp_path, said):
    with pytest.raises(WayError):
        Measuring(tmp_path).measure(Way("own", program=("-c", f"print('{said}')")))


def test_a_program_of_a_studys_own_tells_its_figure(tmp_path):
    program = ("-c", 'print(\'so it goes\'); print(\'{"figure": 3, "facts": {"nodes": 7}}\')')
    assert Measuring(tmp_path).measure(Way("own", program=program)) == Measured(3.0, {"nodes": 7}, None)


def test_what_ways_read_is_made_once(tmp_path):
    made_by = Preparation(("-c", f"open({str(tmp_path / 'log')!r}, 'a').write('made ')"), 1.0)
    read = f"print('{{\"figure\": ' + str(len(open({str(tmp_path / 'log')!r}).read())) + ', \"facts\": {{}}}}')"
    measuring = Measuring(tmp_path)
    ways = [Way(name, program=("-c", read), prepared_by=made_by) for name in ("one", "other")]
    story = command.plan([claim(Case("first", *ways), Case("second", *ways))], two_cores(tmp_path))
    command.measure(story, measuring.measure, 1, Budget(), prepare=measuring.prepare)
    assert [side.figure for each in story.cases for pair in each.pairs for side in pair] == [5] * 4


def test_what_cannot_be_made_is_told(tmp_path):
    with pytest.raises(WayError, match="the disk is full"):
        Measuring(tmp_path).prepare(Preparation(("-c", "raise OSError('the disk is full')"), 1.0))


KILLED = """\
import os, pathlib, sys
sys.path.insert(0, {project!r})
from benchmarks.studies.claims.claim import Way
from benchmarks.studies.claims.measuring import Measuring
from benchmarks.studies.claims.work_folder import work_folder
run = "import os, pathlib, time; pathlib.Path({told!r}).write_text(str(os.getpid())); time.sleep(60)"
with work_folder(pathlib.Path({parent!r})) as work:
    Measuring(work, work=work).measure(Way("own", program=("-c", run)))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a process outlives the one that started it")
def test_a_study_that_is_killed_takes_its_run_with_it_and_the_next_one_removes_its_folder(tmp_path):
    told, parent = tmp_path / "told", tmp_path / "parent"
    parent.mkdir()
    program = KILLED.format(project=str(Path(__file__).parents[3]), told=str(told), parent=str(parent))
    study = subprocess.Popen([sys.executable, "-c", program])
    await_true(lambda: told.exists() and told.read_text())
    run = psutil.Process(int(told.read_text()))
    with work_folder(parent) as another:
        assert len(list(parent.iterdir())) == 2, "the folder of a study that goes on stays"
        study.send_signal(signal.SIGKILL)
        study.wait()
        await_true(lambda: not run.is_running() or run.status() == psutil.STATUS_ZOMBIE)
        with work_folder(parent) as third:
            assert set(parent.iterdir()) == {another, third}
    assert list(parent.iterdir()) == []


def test_a_pipe_in_place_of_a_lock_keeps_no_study_waiting(tmp_path):
    foreign = tmp_path / "benchmark_studies_foreign"
    foreign.mkdir()
    os.mkfifo(foreign / "lock")
    program = f"""
import pathlib, sys
sys.path.insert(0, {str(Path(__file__).parents[3])!r})
from benchmarks.studies.claims.work_folder import work_folder
with work_folder(pathlib.Path({str(tmp_path)!r})):
    pass
"""
    subprocess.run([sys.executable, "-c", program], timeout=60, check=True)
    assert foreign.is_dir()


def await_true(found, seconds=60):
    """Return once `found` returns something true, on however busy a machine."""
    end = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < end
        time.sleep(0.02)
