import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from matplotlib.image import imread

from results.__main__ import main
from results.store import write
from tests.results.records import record

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments):
    """Run `python -m results` in a fresh process; it fails if that imports TensorFlow."""
    code = (
        "import runpy, sys\n"
        "sys.modules['tensorflow'] = None  # to import it is an ImportError\n"
        "runpy.run_module('results', run_name='__main__', alter_sys=True)\n"
    )
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)


@pytest.fixture
def runs(tmp_path):
    folder = tmp_path / "runs"
    write(record(minute=1), folder)
    write(record(minute=2, problems=("the loss is NaN",)), folder)
    write(record(minute=3, status="failed", message="out of memory", measurement=None), folder)
    return folder


def test_good_invalid_failed_and_corrupt_records_are_all_told(runs):
    (runs / "corrupt.json").write_text("{")
    ended = run(runs, f"--plot={runs.parent}/chart.png")
    assert ended.returncode == 1
    assert "UNFIT [1]" in ended.stdout
    assert "FAILED [2]" in ended.stdout
    unreadable, plot = ended.stderr.splitlines()
    assert unreadable.startswith(f"Not a readable record: {runs}/corrupt.json: not JSON, or cut short")
    assert plot == f"Plot: {runs.parent}/chart.png"
    assert imread(runs.parent / "chart.png").shape[1] == 1350
    assert sorted(path.name for path in runs.parent.iterdir()) == ["chart.png", "runs"]


def output(*arguments):
    stdout, stderr = io.StringIO(), io.StringIO()
    return main([str(argument) for argument in arguments], stdout, stderr), stdout.getvalue(), stderr.getvalue()


def test_csv_and_json_have_every_column(runs):
    code, text, _ = output(runs, "--format=csv")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert code == 0
    assert [(row["images_per_second"], row["valid"], row["status"]) for row in rows] == [
        ("500.0", "True", "completed"),
        ("500.0", "False", "completed"),
        ("", "False", "failed"),
    ]
    _, text, _ = output(runs, "--format=json")
    assert [row["images_per_second"] for row in json.loads(text)] == [500.0, 500.0, None]
    assert json.loads(text)[0].keys() == rows[0].keys()


def test_a_folder_without_a_record_is_an_error(tmp_path):
    assert output(tmp_path / "none") == (
        2, "", f"Cannot read results folder '{tmp_path}/none': No such file or directory. Give a record, or a folder "
        "with records: the --results_dir of runs, by default 'runs'.\n"
    )  # fmt: skip
    (tmp_path / "nightly_runs").mkdir()
    (tmp_path / "nightly_run.txt").write_text("")  # which is nothing to give
    assert output(tmp_path / "nigthly_runs")[2].endswith(f"Did you mean '{tmp_path}/nightly_runs'?\n")
    (tmp_path / "nightly_runs").rmdir()
    assert output("a" * 300)[2].endswith("File name too long.\n")
    code, text, error = output(tmp_path)
    assert (code, text) == (2, "")
    assert error == f"No readable record in '{tmp_path}'. Is it the --results_dir of a run?\n"


def test_a_command_that_is_misspelt_is_not_taken_for_a_folder(runs, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, text, error = output("comapre", runs, runs)
    assert (code, text) == (2, "")
    assert error.startswith("No command and no folder 'comapre'. Did you mean 'compare'? The commands: table, compare,")
    runs.rename(tmp_path / "reports")
    assert output("reports")[0] == 0


def test_a_reader_that_has_seen_enough_gets_no_traceback(runs):
    command = [sys.executable, "-m", "results", str(runs)]
    reader, writer = os.pipe()
    os.close(reader)
    ended = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True, cwd=ROOT, check=False)
    os.close(writer)
    assert ended.stderr == ""


def test_a_plot_that_cannot_be_written_is_an_error(runs):
    code, text, error = output(runs, f"--plot={runs}/none/chart.png")
    assert (code, text) == (2, "")
    assert error == f"Cannot write plot '{runs}/none/chart.png': No such file or directory.\n"


def test_help_tells_the_exit_codes():
    ended = run("table", "--help")
    assert ended.returncode == 0
    assert "exit codes:" in ended.stdout


def test_matplotlib_waits_for_a_plot(runs):
    code = "import sys; from results.__main__ import main; main(sys.argv[1:]); sys.exit('matplotlib' in sys.modules)"
    assert (
        subprocess.run(
            [sys.executable, "-c", code, str(runs)], cwd=ROOT, check=False, stdout=subprocess.DEVNULL
        ).returncode
        == 0
    )
