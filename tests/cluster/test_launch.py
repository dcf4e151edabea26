"""One command for a cluster on this machine."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import psutil
import pytest

from tests.cluster.conftest import HASTY, LIMIT, PATIENT, PROJECT, SHORT, wait_until
from tests.main.conftest import run_program, sample_data  # noqa: F401  a fixture


def launch(*arguments, flags, results_dir, program=("-m", "benchmarks.launch")):
    command = [
        "env",
        "--default-signal=INT",
        sys.executable,
        *program,
        *arguments,
        "--",
        *SHORT,
        *flags,
    ]
    command += [f"--cluster_timeout_secs={PATIENT}", f"--results_dir={results_dir}"]
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": "-1"}
    return subprocess.Popen(
        command, cwd=PROJECT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def records(results_dir):
    return [json.loads(path.read_text()) for path in results_dir.glob("*.json")]


def test_a_cluster_that_reads_images(sample_data, tmp_path):  # noqa: F811
    flags = [f"--data_dir={sample_data}", "--num_gpus=2", "--nocross_replica_sync"]
    process = launch("--workers=2", "--ps=2", flags=flags, results_dir=tmp_path)
    out, err = process.communicate(timeout=LIMIT)
    assert process.returncode == 0, err
    lines = out.splitlines()
    assert all(re.match(r"\[(ps|worker) [01]\] ", line) for line in lines)
    assert "[ps 1] Running parameter server 1" in lines
    assert "[worker 0] Sync:        False" in lines
    assert "[worker 0] Dataset:     cifar10 (sample)" in lines
    totals = [line for line in lines if "total images/sec" in line]
    assert [line.split("] ")[0] for line in sorted(totals)] == ["[worker 0", "[worker 1"]
    (record,) = records(tmp_path)
    assert record["measurement"]["num_towers"] == 4
    assert record["checks"]["variable_update"]["passed"]
    assert "one step of each worker, one after the other" in record["checks"]["variable_update"]["compared"]
    sent, gradients = record["exchange"]["sent_bytes"], 4 * record["model"]["parameters"]
    by_workers = [nbytes for device, nbytes in sent.items() if "/job:worker/" in device]
    assert by_workers == [gradients] * 4
    assert sum(sent.values()) == 2 * 4 * gradients  # the servers send the variables to every tower
    assert record["exchange"]["exchanges"] == 2 * 6  # of six variables with each of two workers
    assert record["status"] == "completed"
    assert "[worker 0] Record: " in err


# The launcher, which leaves those that it has told to end all the time that they need.
PATIENTLY = f"""
import sys
import benchmarks.launch as launch
launch.PROGRAM, launch._TOLD_SECONDS, launch._END_SECONDS = PROGRAM, {LIMIT}, 2.0
sys.exit(launch.main(sys.argv[1:]))
"""


def begun(**options):
    """A launcher whose cluster makes steps, and the processes that it has started."""
    flags = ["--num_batches=1000000", "--display_every=5"]
    process = launch("--workers=2", "--ps=1", flags=flags, **options)
    assert any("[worker 0] 5\t" in line for line in process.stdout), process.stderr.read()
    started = psutil.Process(process.pid).children(recursive=True)
    assert len(started) == 3
    return process, started


def sleeps(process):
    """Whether its main thread waits for something at every look, as in a step that hangs."""
    for _ in range(10):
        if process.status() != psutil.STATUS_SLEEPING:
            return False
        time.sleep(0.05)
    return True


def test_ctrl_c_and_a_process_that_is_stuck(tmp_path, monkeypatch):
    hasty, program = tmp_path / "hasty", tmp_path / "run_benchmark.py"
    monkeypatch.setenv("HASTY", str(hasty))
    program.write_text(HASTY)
    process, started = begun(results_dir=tmp_path / "runs", program=["-c", f"PROGRAM = {str(program)!r}{PATIENTLY}"])
    (stuck,) = [each for each in started if "--job_name=ps" in each.cmdline()]
    (driver,) = [each for each in started if {"--job_name=worker", "--task_index=0"} < set(each.cmdline())]
    stuck.send_signal(signal.SIGSTOP)
    wait_until(lambda: sleeps(driver))
    process.send_signal(signal.SIGINT)
    hasty.touch()
    _, err = process.communicate(timeout=LIMIT)
    assert process.returncode == 137
    assert "benchmarks.launch: killing ps 0, which does not end" in err
    assert not any(each.is_running() for each in started)
    (record,) = records(tmp_path / "runs")
    assert record["status"] == "failed"  # a step that hangs cannot be interrupted, but its end is told
    assert "/job:ps/task:0" in record["message"]
    assert "it has been silent for" in record["message"]


def test_kill_minus_nine_takes_the_others_along(tmp_path):
    process, started = begun(results_dir=tmp_path)
    started[0].send_signal(signal.SIGSTOP)  # who is stopped can still be killed
    process.kill()
    _, alive = psutil.wait_procs(started, timeout=LIMIT)
    assert [each for each in alive if each.status() != psutil.STATUS_ZOMBIE] == []
    process.communicate(timeout=LIMIT)


def test_a_reader_that_goes_holds_no_process_up(tmp_path):
    """As in `| head`: a pipe that nobody empties would stop them when it is full."""
    flags = ["--variable_update=sharded", "--num_batches=1500"]
    process = launch("--workers=2", flags=flags, results_dir=tmp_path)
    process.stdout.close()
    process.communicate(timeout=LIMIT)
    (record,) = records(tmp_path)
    assert len(record["measurement"]["step_seconds"]) == 1500  # 100 kB of lines, where a pipe holds 64


@pytest.mark.parametrize(
    ("arguments", "flags", "problems"),
    [
        (["--workers=0"], [], ["argument --workers: '0' is not a whole number from 1 on"]),
        (["--ps=-1"], [], ["argument --ps: '-1' is not a whole number from 0 on"]),
        (
            ["--workers=2", "--device=cpu"],
            [],
            ["error: --device=cpu: flags of the run stand after --, as in --workers=2 -- --device=cpu"],
        ),
        (["--ps=two"], [], ["argument --ps: 'two' is not a whole number from 0 on"]),
        (
            ["--workers=2"],
            ["--modle=x"],
            [
                "error: Unknown flag --modle=x. Did you mean --model?",
                "needs a ps process: add --ps=N, before the --.\n",
            ],
        ),
        (
            ["--workers=2"],
            ["--variable_update=distributed_all_reduce"],
            ["needs a controller process: add --controller, before the --.\n"],
        ),
        (
            ["--workers=2", "--ps=1"],
            ["--repeats=2"],
            ["error: --repeats=2 in a cluster: only a run of one process can be repeated."],
        ),
    ],
)
def test_what_cannot_be_started_is_said_once(tmp_path, arguments, flags, problems):
    process = launch(*arguments, flags=flags, results_dir=tmp_path)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert out == ""
    for problem in problems:
        assert err.count(problem) == 1


def test_help_is_that_of_the_run(tmp_path):
    out, _ = launch("--ps=1", flags=["--help"], results_dir=tmp_path).communicate(timeout=60)
    assert "--cluster_timeout_secs" in out
    assert "[worker" not in out


def test_the_timeout_is_understood_in_every_form():
    """As two words, and from a file: who is told less than a process waits would kill it too early."""
    program = """
import benchmarks.launch as launch
class Seen:
    def __init__(self, cluster, flags, timeout_seconds): print(cluster.counts(), timeout_seconds)
    def run(self): return 0
launch._Processes = Seen
launch.main(["--ps=1", "--", "--device=cpu", "--cluster_timeout_secs", "77"])
"""
    assert run_program(program) == "{'ps': 1, 'worker': 2} 77.0\n"
