"""`python -m benchmarks.all_reduce`: its flags, its figures, and one real run."""

import argparse
import json
import os
import subprocess
import sys

import pytest

from benchmarks import all_reduce
from benchmarks.bandwidth import Result, line, percentile, table
from benchmarks.errors import ExitCode, UserError
from tests.main.conftest import PROJECT
from tests.studies.runs import rows
from variable_mgr.all_reduce_spec import parse
from variable_mgr.exchange_plan import ReduceOptions


def result(**changed):
    facts = {
        "case": "1MB", "algorithm": "xring", "transfer_format": "float32", "towers": 4, "nbytes": 2**20, "exchanges": 1,
        "sent_bytes": {"/cpu:0": 3 * 2**19, "/cpu:1": 2**19}, "seconds": [0.002, 0.001, 0.004], "largest_error": 1e-7,
    }  # fmt: skip
    return Result(**facts | changed)


def test_bandwidths_are_those_of_nccl_tests():
    assert result().algorithm_bandwidth == 2**20 / 0.002
    assert result().bus_bandwidth == pytest.approx(2**20 / 0.002 * 2 * 3 / 4)
    assert result(towers=2).bus_bandwidth == result(towers=2).algorithm_bandwidth


def test_a_row_can_be_told_by_itself():
    assert line(result()) == (
        "1MB: xring: median 2.000 ms, p99 3.960 ms, algbw 0.524 GB/s, busbw 0.786 GB/s, error 1.0e-07 right"
    )


@pytest.mark.parametrize(("percent", "expected"), [(0, 1), (50, 2.5), (99, 3.97), (100, 4)])
def test_percentiles_lie_between_neighbours(percent, expected):
    assert percentile([4, 1, 3, 2], percent) == pytest.approx(expected)


@pytest.mark.parametrize(("form", "right"), [("float32", False), ("float16", True), ("bfloat16", True)])
def test_rounding_is_no_error(form, right):
    assert result(transfer_format=form, largest_error=1e-3).right == right
    assert not result(transfer_format=form, largest_error=float("inf")).right


def test_a_row():
    assert rows(table([result(), result(largest_error=1.0)])) == [
        ["1MB", "xring", "1", "1.049", "1.573", "2.000", "3.960", "0.524", "0.786", "1.0e-07", "right"],
        ["1MB", "xring", "1", "1.049", "1.573", "2.000", "3.960", "0.524", "0.786", "1.0e+00", "WRONG"],
    ]


@pytest.mark.parametrize(
    ("text", "nbytes"), [("400B", 400), ("1kB", 1024), ("1KB", 1024), ("32MB", 2**25), ("1GB", 2**30)]
)
def test_sizes(text, nbytes):
    assert all_reduce.size(text) == (text, nbytes)


@pytest.mark.parametrize("text", ["", "1", "1k", "0B", "6B", "-4B", "1.5kB"])
def test_what_is_no_size(text):
    with pytest.raises(argparse.ArgumentTypeError, match=r"is no size: a multiple of 4 bytes, such as 400B"):
        all_reduce.size(text)


def test_every_algorithm_that_the_towers_have(capsys):
    gpus = all_reduce.possible(ReduceOptions(), ["/gpu:0", "/gpu:1"])
    assert capsys.readouterr().err == ""
    assert gpus[0] == all_reduce.NO_SPEC
    assert [str(parse(name)) for name in gpus[1:]] == gpus[1:]
    cpus = all_reduce.possible(ReduceOptions(), ["/cpu:0", "/cpu:1"])
    lacking = ["nccl", "psgpu", "nccl/xring", "nccl/rechd", "nccl/pscpu"]
    assert cpus == [name for name in gpus if name not in lacking]
    assert capsys.readouterr().err == f"left out, as they cannot be had here: {', '.join(lacking)}\n"


def test_run_flags():
    assert all_reduce.run_flags([]).params.num_gpus == 2
    assert all_reduce.run_flags(["--num_gpus=4"]).params.num_gpus == 4
    assert all_reduce.run_flags(["--list_models"]).answer


@pytest.mark.parametrize(
    ("flags", "problem"),
    [
        (["--variable_update=independent"], "--variable_update=independent: what is timed here is the all-reduce of"),
        (["--variable_update=collective_all_reduce"], "--variable_update=collective_all_reduce: what is timed here"),
        (["--num_gpus=1"], "--num_gpus=1: there is nothing to exchange. Pass at least --num_gpus=2."),
        (["--job_name=worker", "--worker_hosts=localhost:2222"], "--variable_update=replicated keeps to one process"),
        (["--cluster_resolver=slurm", "--cluster_jobs=worker:2"], "--variable_update=replicated keeps to one process"),
    ],
)
def test_what_exchanges_nothing_here_is_refused(flags, problem):
    with pytest.raises(UserError, match=problem):
        all_reduce.run_flags(flags)


def flags_without_effect(*flags, algorithms=None):
    return {notice.flag for notice in all_reduce.without_effect(all_reduce.run_flags(flags), algorithms)}


def test_what_has_no_effect_here_is_said():
    idle = ["--optimizer=adam", "--measure_exchange", "--variable_consistency=relaxed", "--cluster_timeout_secs=9"]
    assert flags_without_effect(*idle, "--model=resnet20", "--data_name=cifar10", "--staged_vars", "--debug") == {
        "optimizer", "debug", "staged_vars", "variable_consistency", "measure_exchange", "cluster_timeout_secs"
    }  # fmt: skip
    assert flags_without_effect("--task_index=1", "--fp16_vars", "--kmp_blocktime=3") == {
        "kmp_blocktime", "fp16_vars", "task_index"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("flags", "algorithms", "acts"),
    [
        ([], None, True),
        ([], ["hierarchical_copy#2", "xring"], True),
        (["--all_reduce_spec=hierarchical_copy"], None, True),
        ([], ["xring"], False),
        (["--all_reduce_spec=xring"], None, False),
    ],
)
def test_the_wiring_acts_where_an_algorithm_heeds_it(flags, algorithms, acts):
    found = flags_without_effect("--num_gpus=8", "--network_topology=gcp_v100", *flags, algorithms=algorithms)
    assert found == (set() if acts else {"network_topology"})


@pytest.mark.parametrize("flag", ["--all_reduce_spec=xring", "--hierarchical_copy"])
def test_one_flag_chooses_the_algorithm(flag):
    with pytest.raises(UserError, match=f"{flag} and --algorithms=tree,pscpu both choose the algorithm"):
        flags_without_effect(flag, algorithms=["tree", "pscpu"])


def command(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "benchmarks.all_reduce", *arguments],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env=os.environ | {"CUDA_VISIBLE_DEVICES": "-1"},
    )


def test_a_run(tmp_path):
    output = tmp_path / "figures.json"
    ran = command(
        "--device=cpu", "--num_gpus=3", "--model=trivial", "--data_name=cifar10", "--algorithms=default,tree:1k:xring",
        "--sizes=400B,1000GB", "--iters_per_step=2", "--num_batches=4", "--gradient_transfer=bf16",
        "--bytes_per_pack=4096", "--optimizer=adam", f"--output={output}",
    )  # fmt: skip
    assert ran.returncode == ExitCode.VALID, ran.stderr
    assert "images/sec" not in ran.stdout
    assert "WARNING: --optimizer=adam: no effect: this command does without it.\n" in ran.stderr
    assert "1000GB is left out: 3 towers need" in ran.stderr
    rows = [line for line in ran.stderr.splitlines() if ": median " in line]
    assert [row.split(": median ")[0] for row in rows] == [
        f"{case}: {name}" for case in ("trivial", "400B") for name in ("default", "tree:1k:xring")
    ]
    document = json.loads(output.read_text())
    assert document["iters_per_step"] == 2
    assert [(each["case"], each["algorithm"]) for each in document["results"]] == [
        (case, name) for case in ("trivial", "400B") for name in ("default", "tree:1k:xring")
    ]
    for each in document["results"]:
        assert each["right"]
        assert each["towers"] == 3
        assert each["transfer_format"] == "bfloat16"
        assert 3 <= len(each["seconds"]) <= 4
    assert [each["exchanges"] for each in document["results"]][2:] == [1, 1]
    assert document["results"][2]["nbytes"] == 200
    assert "| 400B " in ran.stdout


@pytest.mark.parametrize(
    ("flags", "problem"),
    [
        (["--algorithms=xrnig"], "'xrnig': at character 1: 'xrnig' is no algorithm."),
        (["--num_gpus=two", "--modle=x"], "error: Unknown flag --modle=x. Did you mean --model? See --help."),
        (
            ["--device=cpu", "--algorithms=default,nccl"],
            "--all_reduce_spec=nccl: nccl needs GPUs, and the towers are on",
        ),
        (["--num_gpus=2"], "Pass --device=cpu"),
        (["--output=/no/such/file.json"], "--output=/no/such/file.json: cannot be written"),
    ],
)
def test_what_cannot_be_done_is_said(flags, problem):
    ran = command(*flags)
    assert ran.returncode == ExitCode.UNUSABLE
    assert problem in ran.stderr
    assert "Traceback" not in ran.stderr
