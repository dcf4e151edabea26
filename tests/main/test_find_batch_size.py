"""Searches for a batch size: the choices by themselves, and real trials."""

import json
import re
import signal
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.batch_search.search import PRECISION, best, contenders, doubled, largest
from tests.main.conftest import INTERRUPT, PROJECT, run, start

# The command, with a coarser search: so many real trials would take minutes.
COARSE = f"""
import sys
sys.path.insert(0, {str(PROJECT)!r})
import run_benchmark
from benchmarks.batch_search import command, search
search.PRECISION, search.GAIN, search.DOUBLINGS_WITHOUT_GAIN, command.RUNS = 1, 1e9, 1, 2
sys.argv[0] = "run_benchmark.py"
sys.exit(run_benchmark.main(sys.argv[1:]))
"""


@given(
    true=st.integers(0, 5000),
    start_at=st.integers(1, 6000),
    more=st.integers(0, 100_000),
)
def test_the_largest_is_found_to_a_sixteenth_and_no_batch_is_tried_twice(true, start_at, more):
    bound, tried = start_at + more, []

    def fits(batch):
        tried.append(batch)
        return batch <= true

    low, high = largest(fits, start_at, bound)
    assert low <= true < high or (low == bound <= true and high == bound + 1)
    assert high > bound or high - low <= max(1, low // PRECISION)
    assert len(set(tried)) == len(tried) <= 40
    assert all(1 <= batch <= bound for batch in tried)
    assert low == 0 or low in tried


@pytest.mark.parametrize(
    ("fitting", "bound", "found", "tried"),
    [
        (0, 1000, (0, 1), [8, 1]),
        (3, 1000, (3, 4), [8, 1, 2, 4, 3]),
        (100, 1000, (100, 104), [8, 16, 32, 64, 128, 96, 112, 104, 100]),
        (1000, 100, (100, 101), [8, 16, 32, 64, 100]),
    ],
)
def test_doubling_then_bisection(fitting, bound, found, tried):
    asked = []
    assert largest(lambda batch: asked.append(batch) or batch <= fitting, 8, bound) == found
    assert asked == tried


def test_a_start_far_too_large_costs_few_trials():
    asked = []
    low, high = largest(lambda batch: asked.append(batch) or batch <= 300, 30_000, 50_000)
    assert low <= 300 < high <= low + low // PRECISION
    assert len(asked) <= 10


@pytest.mark.parametrize(
    ("speeds", "bound", "tried", "why"),
    [
        ([100, 190, 350, None], 1000, [1, 2, 4], "8 does not fit"),
        ([100, 190, 350], 4, [1, 2, 4], "8 would be more than there are training images for each tower"),
        ([100, 190, 188, 193], 1000, [1, 2, 4, 8], "2 doublings in a row gained less than 2%"),
        ([100, 90, 120, 121, 119], 1000, [1, 2, 4, 8, 16], "2 doublings in a row gained less than 2%"),
        ([None], 1000, [], "1 does not fit"),
    ],
)
def test_where_doubling_ends(speeds, bound, tried, why):
    answers = iter(speeds)
    found, reason = doubled(lambda _: next(answers), 1, bound)
    assert list(found) == tried
    assert reason == why
    assert next(answers, "all were asked for") == "all were asked for"


def test_the_smallest_that_is_not_measurably_slower_is_the_best():
    clearly_slower, as_fast, fastest = [80, 81, 82], [99, 100, 103], [100, 102, 101]
    assert best({8: clearly_slower, 16: as_fast, 32: fastest}) == (16, 32)
    assert best({8: clearly_slower, 32: fastest}) == (32, 32)
    assert best({8: [98.0, 98.1, 98.05], 32: [100, 100.1, 100.05]}) == (32, 32)
    assert best({8: [50, 99, 150], 32: fastest}) == (8, 32)  # so noisy that nothing can be said against it
    assert best({32: [1.0]}) == (32, 32)


def test_batches_far_behind_are_not_run_again():
    assert contenders({1: [50], 2: [79], 4: [81], 8: [100, 100], 16: [90]}) == [4, 8, 16]


def searched(*flags, results_dir):
    command = [sys.executable, "-c", COARSE, "--device=cpu", f"--results_dir={results_dir}", *flags]
    ran = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=300, check=False)
    records = [json.loads(path.read_text()) for path in sorted(results_dir.glob("*.json"))]
    records.sort(key=lambda record: record["trial"]["number"])
    return ran, records


def test_a_search_under_a_limit_of_memory(tmp_path):
    # An image takes some 47 kB: with 20,000 of them TensorFlow takes more than the limit, with a few it takes less.
    flags = ["--model=trivial", "--data_name=cifar10", "--find_batch_size=max", "--memory_limit_mib=1200"]
    flags += ["--batch_size=20000", "--tag=x"]
    ran, records = searched(*flags, results_dir=tmp_path)
    assert ran.returncode == 0, ran.stderr
    outcomes = {record["params"]["batch_size"]: record["trial"]["outcome"] for record in records}
    assert outcomes[20000] == "out of memory"
    assert next(iter(outcomes.values())) == "out of memory"
    found = max(batch for batch, outcome in outcomes.items() if outcome == "fits")
    assert all((outcome == "fits") == (batch <= found) for batch, outcome in outcomes.items())
    rows = {int(row[0]): row for line in ran.stdout.splitlines()[1:-2] if (row := line.split())}
    assert set(rows) == set(outcomes)
    *_, words, command = ran.stdout.splitlines()
    assert words.startswith(f"The largest --batch_size found to fit is {found}; ")
    flags = f"--model=trivial --data_name=cifar10 --device=cpu --results_dir={tmp_path} --tag=x --batch_size={found}"
    assert set(command.split()) == {"python", "run_benchmark.py", *flags.split()}
    for record in records:
        fits = record["trial"]["outcome"] == "fits"
        _, trials, *outcome, peak, speed = rows[record["params"]["batch_size"]]
        assert (trials, " ".join(outcome)) == ("1", record["trial"]["outcome"])
        assert (int(peak.replace(",", "")) <= 1200, speed != "-") == (fits, fits)
        assert record["valid"] is False
        assert record["status"] == ("completed" if fits else "failed")
        assert fits or record["message"].startswith("out of memory with --batch_size=")
        assert ("a trial of --find_batch_size" in " ".join(record["problems"])) is fits
    assert len({record["trial"]["set"] for record in records}) == 1
    assert "images/sec" not in ran.stdout + ran.stderr


def test_where_nothing_fits_the_search_ends_and_says_so(tmp_path):
    flags = ["--model=trivial", "--find_batch_size=max", "--memory_limit_mib=150", "--batch_size=2"]
    ran, records = searched(*flags, results_dir=tmp_path)
    assert ran.returncode == 1
    assert ran.stdout.splitlines()[-1].startswith("No batch fits: one image a tower takes too much memory.")
    assert [(record["params"]["batch_size"], record["trial"]["outcome"]) for record in records] == [
        (2, "out of memory"),
        (1, "out of memory"),
    ]


def test_the_fastest_is_measured_several_times(tmp_path):
    flags = ["--model=trivial", "--data_name=cifar10", "--find_batch_size=best", "--batch_size=8", "--num_batches=5"]
    ran, records = searched(*flags, results_dir=tmp_path)
    assert ran.returncode == 0, ran.stderr
    tried = [record["params"]["batch_size"] for record in records]
    assert tried[:2] == [8, 16]
    found = int(ran.stdout.splitlines()[-1].rsplit("=", 1)[1])
    assert tried.count(found) == 2
    assert f" {found} (" in ran.stdout.splitlines()[-2]
    assert "No larger one was tried, as 1 doublings in a row gained less than" in ran.stdout
    assert "80% of what is available now" in ran.stderr
    assert all(len(record["measurement"]["step_seconds"]) == 5 for record in records)


def test_ctrl_c_ends_the_trial_and_tells_what_was_found(tmp_path):
    flags = ["--model=trivial", "--data_name=cifar10", "--device=cpu", "--find_batch_size=max", "--batch_size=8"]
    process = start(*flags, results_dir=tmp_path)
    for line in process.stderr:
        if line.startswith("NOTE: trial 1: --batch_size=8: fits"):
            break
    process.send_signal(INTERRUPT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGINT
    (tried,) = map(int, re.findall("run_benchmark.py: interrupted in the trial of --batch_size=(\\d+)\n", err))
    fitting = tried // 2  # 8, unless more trials have ended before the signal came
    assert err.splitlines()[-1] == f"The search ended early: the largest --batch_size known to fit is {fitting}."
    assert out.splitlines()[1].split()[:3] == ["8", "1", "fits"]
    assert "Traceback" not in err


def test_what_cannot_be_used_ends_the_search(tmp_path):
    ran = run("--model=trivial", "--device=gpu", "--find_batch_size=max", results_dir=tmp_path)
    assert (ran.code, ran.records) == (2, [])
    assert "--device=gpu: this process sees no GPU" in ran.err
