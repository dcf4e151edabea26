"""Sets of runs, each in a process of its own."""

import re
import subprocess
import time

import pytest

from tests.main.conftest import INTERRUPT, SHORT, TERMINATE, finish, run, start

LONG = [*SHORT, "--model=trivial", "--num_batches=100000", "--display_every=1"]


def test_each_run_has_its_total_and_record_and_the_dashes_end_both_streams(tmp_path):
    flags = [*SHORT, "--model=trivial", "--num_batches=60", "--repeats=2"]
    process = start(*flags, results_dir=tmp_path / "runs", stderr=subprocess.STDOUT)
    ran = finish(process, tmp_path / "runs")
    assert ran.code == 0
    lines = ran.out.splitlines()
    assert len(re.findall(r"^total images/sec: \d+\.\d\d$", ran.out, re.MULTILINE)) == 2
    assert lines[-1] == "-" * 64
    assert float(lines[-2].split(" ")[-1]) > 0
    assert [record["repeat"]["number"] for record in ran.records] == [1, 2]
    ((name, of),) = {(record["repeat"]["set"], record["repeat"]["of"]) for record in ran.records}
    assert of == 2
    (summary,) = [line for line in lines if line.startswith(f"Set {name}: ")]
    assert re.search(r"2 runs: [\d.]+ images a second, 95 % interval|of 2 runs are fit for comparison", summary)
    assert ran.records[0]["configuration_key"] == ran.records[1]["configuration_key"]


@pytest.mark.parametrize(("number", "code"), [(INTERRUPT, 130), (TERMINATE, 143)])
def test_a_signal_ends_the_set_with_the_records_so_far(number, code, tmp_path):
    process = start(*LONG, "--repeats=3", results_dir=tmp_path / "runs")
    for text in process.stdout:
        if text.startswith("5\timages"):
            break
    time.sleep(0.3)
    process.send_signal(number)
    ran = finish(process, tmp_path / "runs")
    assert ran.code == code
    (record,) = ran.records
    assert (record["status"], record["repeat"]["number"]) == ("interrupted", 1)
    assert "0 of 1 runs are fit for comparison" in ran.err
    assert "Traceback" not in ran.err


def test_what_cannot_be_used_is_not_tried_again(tmp_path):
    ran = run("--device=gpu", "--repeats=3", results_dir=tmp_path)
    assert (ran.code, ran.records) == (2, [])
    assert ran.err.count("--device=gpu") == 1


def test_the_worst_exit_code_counts(tmp_path):
    ran = run(*SHORT, "--model=trivial", "--init_learning_rate=1e30", "--repeats=2", results_dir=tmp_path)
    assert ran.code == 3
    assert len(ran.records) == 2


def test_a_target_ends_the_measurement_and_says_so(tmp_path):
    ran = run(*SHORT, "--model=trivial", "--num_batches=3000", "--target_precision=45%", results_dir=tmp_path)
    assert ran.code == 0
    (record,) = ran.records
    steps = len(record["measurement"]["step_seconds"])
    assert re.search(rf"NOTE: --target_precision=45.00%: (reached after {steps} of|not reached within) ", ran.err)
    assert (steps < 3000) == ("reached after" in ran.err)
