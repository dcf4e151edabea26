"""Whatever happens to one process, every other ends, names it, and the driver leaves its record.

How long all may take is tested in tests/cluster/test_control.py and test_progress.py: a busy machine has no part in it.
"""

import re
import signal
import socket
from functools import partial

import pytest

from tests.cluster.conftest import HASTY, PATIENT, PROJECT, nobody_listens, wait_until

LONG = ["--num_batches=1000000"]


@pytest.fixture
def cluster(cluster):
    return partial(cluster, f"--cluster_timeout_secs={PATIENT}")


GONE, SILENT = "it is gone: its connection ended", "it has been silent for"
SERVERS = ("parameter_server", {"ps": 1, "worker": 2})
PEERS = ("collective_all_reduce", {"worker": 2})


# Every role of each shape fails, and workers and drivers do in both ways; a worker beside servers is killed below.
@pytest.mark.parametrize(
    ("shape", "victim", "number", "known"),
    [
        (SERVERS, ("ps", 0), signal.SIGKILL, GONE),
        (SERVERS, ("worker", 1), signal.SIGSTOP, SILENT),
        (SERVERS, ("worker", 0), signal.SIGSTOP, SILENT),
        (PEERS, ("worker", 0), signal.SIGKILL, GONE),
        (PEERS, ("worker", 0), signal.SIGSTOP, SILENT),
        (PEERS, ("worker", 1), signal.SIGKILL, GONE),
    ],
)
def test_a_process_fails_in_the_middle(cluster, tmp_path, monkeypatch, shape, victim, number, known):
    strategy, counts = shape
    hasty = tmp_path / "hasty"
    monkeypatch.setenv("HASTY", str(hasty))
    processes = cluster(*LONG, f"--variable_update={strategy}", **counts).start(program=["-c", HASTY])
    processes.wait_for("5\timages")
    hasty.touch()
    processes.running[victim].send_signal(number)
    survivors = [role for role in processes.roles if role != victim]
    assert set(processes.ends(*survivors).values()) == {1}
    job, index = victim
    culprit = f"/job:{job}/task:{index} at {processes.hosts[job][index]}"
    for role in survivors:
        assert culprit in processes.err(*role)
        assert known in processes.err(*role)
        assert "total images/sec" not in processes.out(*role)
    if victim == ("worker", 0) and shape is SERVERS:  # who alone has measured
        assert processes.records() == []
    else:
        (record,) = processes.records()
        assert record["status"] == "failed"
        assert culprit in record["message"]
        assert len(record["measurement"]["step_seconds"]) >= 5
    processes.kill()
    assert all(nobody_listens(int(host.split(":")[1])) for hosts in processes.hosts.values() for host in hosts)


# run_benchmark.py, whose main thread hangs once it has told of its step 5, while all other threads go on. A step of it
# may take five seconds.
HANGS = f"""
import sys, threading
sys.path.insert(0, {str(PROJECT)!r})
import run_benchmark
from benchmarks.cluster.progress import Progress
from benchmarks.console import Narrator
Progress._patience = lambda self: 5.0
tell = Narrator.step
def hang(self, recording):
    tell(self, recording)
    if len(recording.step_seconds) == 5:
        threading.Event().wait()
Narrator.step = hang
sys.argv[0] = "run_benchmark.py"
sys.exit(run_benchmark.main(sys.argv[1:]))
"""


@pytest.mark.parametrize(
    ("shape", "victim"), [(PEERS, ("worker", 1)), (PEERS, ("worker", 0)), (SERVERS, ("worker", 0))]
)
def test_a_process_lives_and_does_not_get_on(cluster, shape, victim):
    strategy, counts = shape
    processes = cluster(*LONG, f"--variable_update={strategy}", **counts)
    others = [role for role in processes.roles if role != victim]
    processes.start(*others).start(victim, program=["-c", HANGS])
    processes.wait_for("5\timages", *victim)
    assert set(processes.ends().values()) == {1}
    job, index = victim
    told = f"/job:{job}/task:{index} at {processes.hosts[job][index]}: it lives but does not get on: past step 6 for "
    told = re.compile(re.escape(told) + r"(\d+) s, where 5 s are allowed")
    for role in processes.roles:
        assert int(told.search(processes.err(*role))[1]) >= 5
    (record,) = processes.records()
    assert record["status"] == "failed"
    assert told.search(record["message"])
    assert len(record["measurement"]["step_seconds"]) == 5


def test_a_process_never_comes_up(cluster):
    processes = cluster("--cluster_timeout_secs=15", ps=1, worker=2).start(("worker", 0))
    port = int(processes.hosts["worker"][0].split(":")[1])
    wait_until(lambda: not nobody_listens(port))  # then the other, which waits a little longer, cannot be the first
    processes.start(("ps", 0))
    assert set(processes.ends().values()) == {1}
    missing = f"/job:worker/task:1 at {processes.hosts['worker'][1]}: never came up"
    assert missing in processes.err("worker", 0)
    assert missing in processes.err("ps", 0)
    (record,) = processes.records()
    assert record["status"] == "failed"
    assert missing in record["message"]


def test_the_driver_never_comes_up(cluster):
    processes = cluster("--cluster_timeout_secs=5", ps=1, worker=2).start(("worker", 1))
    assert processes.ends() == {("worker", 1): 1}
    assert f"/job:worker/task:0 at {processes.hosts['worker'][0]}: never came up" in processes.err("worker", 1)
    assert processes.records() == []


def test_other_flags_are_named_before_anything_runs(cluster):
    processes = cluster(ps=1, worker=2)
    processes.start(("worker", 0), ("ps", 0)).start(("worker", 1), flags=["--batch_size=8", "--optimizer=adam"])
    assert set(processes.ends().values()) == {1}
    told = (
        f"/job:worker/task:1 at {processes.hosts['worker'][1]} does not run what the driver runs: it has "
        "--batch_size=8, and the driver --batch_size=4; it has --optimizer=adam, and the driver --optimizer=sgd"
    )
    assert told in processes.records()[0]["message"]
    for role in processes.roles:
        assert told in processes.err(*role)
    assert "TensorFlow:" not in processes.out("worker", 0)


def test_a_port_in_use_is_refused_at_once(cluster):
    processes = cluster(ps=1, worker=2)
    port = int(processes.hosts["worker"][0].split(":")[1])
    with socket.create_server(("", port)):
        processes.start(("worker", 0))
        assert processes.ends() == {("worker", 0): 2}
    assert f"port {port} of 127.0.0.1:{port}, where this process is to listen, cannot be had" in processes.err("worker")


@pytest.mark.parametrize(
    ("shape", "told"),
    [
        (SERVERS, [("worker", 0)]),
        (SERVERS, [("worker", 1), ("ps", 0), ("worker", 0)]),
        (PEERS, [("worker", 0)]),
        (PEERS, [("worker", 1), ("worker", 0)]),
    ],
)
def test_an_interrupted_driver_ends_the_others(cluster, shape, told):
    strategy, counts = shape
    processes = cluster(*LONG, f"--variable_update={strategy}", **counts).start()
    processes.wait_for("5\timages")
    for role in told:  # one of them, or all as a job's manager does
        processes.running[role].send_signal(signal.SIGTERM)
    assert set(processes.ends().values()) == {143}
    (record,) = processes.records()
    assert record["status"] == "interrupted"
    assert len(told) > 1 or "the driver, /job:worker/task:0 at" in processes.err("worker", 1)


def test_who_was_told_to_end_says_so_whatever_the_driver_says(cluster):
    strategy, counts = SERVERS
    processes = cluster(*LONG, f"--variable_update={strategy}", **counts).start()
    processes.wait_for("5\timages")
    server = processes.running["ps", 0]
    for number in (signal.SIGSTOP, signal.SIGTERM):  # it learns of both at once, when it goes on
        server.send_signal(number)
    processes.running["worker", 1].kill()
    assert processes.ends(("worker", 0)) == {("worker", 0): 1}
    assert f"/job:worker/task:1 at {processes.hosts['worker'][1]}" in processes.err("worker")
    assert GONE in processes.err("worker")
    (record,) = processes.records()
    assert record["status"] == "failed"
    server.send_signal(signal.SIGCONT)
    assert processes.ends(("ps", 0)) == {("ps", 0): 143}


def test_a_worker_that_is_told_to_end_ends_all(cluster):
    strategy, counts = PEERS
    processes = cluster(*LONG, f"--variable_update={strategy}", **counts).start()
    processes.wait_for("5\timages")
    processes.running["worker", 1].send_signal(signal.SIGTERM)
    assert processes.ends() == {("worker", 0): 1, ("worker", 1): 143}
    (record,) = processes.records()
    assert f"/job:worker/task:1 at {processes.hosts['worker'][1]}: ended by SIGTERM" in record["message"]
