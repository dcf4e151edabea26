"""Clusters of real processes on this machine, one by one under a test's control."""

import json
import os
import random
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
SHORT = ["--model=trivial", "--data_name=cifar10", "--device=cpu", "--batch_size=4"]
SHORT += ["--num_batches=5", "--num_warmup_batches=1", "--display_every=1"]
LIMIT = 300  # seconds for what comes to its end by itself, but on a dead machine
PATIENT = 180  # --cluster_timeout_secs where nothing is to fail but what the test makes fail


def _of_ipv6():
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


LOOPBACK_V6 = "[::1]" if _of_ipv6() else "127.0.0.1"  # some containers have no IPv6
HOST_FLAGS = {"controller": "controller_host", "ps": "ps_hosts", "worker": "worker_hosts"}


# Each process of pytest-xdist ("gw1") gives ports of its own: what one has given may be bound much later. The one after
# each stays free: Slurm's second task on a node takes it.
_numbers = range(20_000 + int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) % 10 * 1_000, 30_000)[:1_000:2]
_left = random.Random(os.getpid()).sample(_numbers, len(_numbers))


def free_port():
    """A port that was free a moment ago, below those that connections take by themselves; never the same twice."""
    while True:
        port = _left.pop()
        with socket.socket() as probe:
            try:
                probe.bind(("", port))
            except OSError:
                continue
        return port


def nobody_listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def wait_until(condition):
    end = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


# run_benchmark.py, to which five seconds of silence are a fault once the file that $HASTY names is there: until then
# all may come up as slowly as the machine is.
HASTY = f"""
import os, sys
sys.path.insert(0, {str(PROJECT)!r})
import run_benchmark
from benchmarks.cluster.control import Control
patient = Control.silence_seconds.fget
Control.silence_seconds = property(lambda self: 5.0 if os.path.exists(os.environ["HASTY"]) else patient(self))
sys.argv[0] = "run_benchmark.py"
sys.exit(run_benchmark.main(sys.argv[1:]))
"""


class Processes:
    """run_benchmark.py once for each role of a cluster; what they print goes into files."""

    def __init__(self, folder, *flags, host="127.0.0.1", **counts):
        self.results_dir = folder / "runs"
        self._folder = folder
        self._flags = [*SHORT, f"--results_dir={self.results_dir}", *flags]
        self.hosts = {job: [f"{host}:{free_port()}" for _ in range(count)] for job, count in counts.items()}
        self.running = {}
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def roles(self):
        return [(job, index) for job, hosts in self.hosts.items() for index in range(len(hosts))]

    def start(self, *roles, flags=(), told_by=None, program=()):
        """Start `roles`, or all; `told_by` gives flags and environment of each, in place of TCB's flags.

        `program` are Python's arguments in place of run_benchmark.py.
        """
        for job, index in roles or self.roles:
            role, environment = (told_by or by_flags)(self, job, index)
            command = ["env", "--default-signal=INT", sys.executable, *(program or [str(PROJECT / "run_benchmark.py")])]
            command += [*self._flags, *role, *flags]
            variables = {key: value for key, value in os.environ.items() if key != "TF_CONFIG"} | environment
            variables |= {"http_proxy": "http://127.0.0.1:9"}  # must not matter
            with self.path(job, index, "out").open("wb") as out, self.path(job, index, "err").open("wb") as err:
                self.running[job, index] = subprocess.Popen(
                    command, stdout=out, stderr=err, env=variables | {"CUDA_VISIBLE_DEVICES": "-1"}
                )
        return self

    def path(self, job, index, stream):
        return self._folder / f"{job}-{index}.{stream}"

    def out(self, job, index=0):
        return self.path(job, index, "out").read_text()

    def err(self, job, index=0):
        return self.path(job, index, "err").read_text()

    def wait_for(self, text, job="worker", index=0):
        def came():
            over = self.running[job, index].poll() is not None
            found = text in self.out(job, index)
            assert found or not over, f"{text!r} never came: {self.out(job, index)}\n{self.err(job, index)}"
            return found

        wait_until(came)

    def ends(self, *roles):
        """The exit codes of `roles` (or of all)."""
        deadline = time.monotonic() + LIMIT
        roles = roles or tuple(self.running)
        while late := [role for role in roles if self.running[role].poll() is None]:
            assert time.monotonic() < deadline, f"{late} do not end: {self.err(*late[0])}"
            time.sleep(0.05)
        return {role: self.running[role].returncode for role in roles}

    def kill(self):
        for process in self.running.values():
            process.kill()
            process.wait()

    def records(self):
        return [json.loads(path.read_text()) for path in sorted(self.results_dir.glob("*.json"))]


def by_flags(processes, job, index):
    hosts = [f"--{HOST_FLAGS[each]}={','.join(hosts)}" for each, hosts in processes.hosts.items()]
    return [*hosts, f"--job_name={job}", f"--task_index={index}"], {}


def by_tf_config(processes, job, index):
    return [], {"TF_CONFIG": json.dumps({"cluster": processes.hosts, "task": {"type": job, "index": index}})}


def by_slurm(processes, job, index):
    """Slurm's environment for the workers of a cluster without others, all on one node."""
    assert list(processes.hosts) == [job]
    assert len(processes.hosts[job]) <= 2, "the ports of more are not kept free"
    count, port = len(processes.hosts[job]), processes.hosts[job][0].split(":")[1]
    return ["--cluster_resolver=slurm", f"--cluster_jobs={job}:{count}", f"--cluster_port={port}"], {
        "SLURM_PROCID": str(index),
        "SLURM_STEP_NUM_TASKS": str(count),
        "SLURM_STEP_NODELIST": "127.0.0.1",
        "SLURM_STEP_TASKS_PER_NODE": str(count),
    }


@pytest.fixture
def cluster(tmp_path):
    made = []

    def make(*flags, folder="", **counts):
        made.append(Processes(tmp_path / folder, *flags, **counts))
        return made[-1]

    yield make
    for each in made:
        each.kill()


def alone(tmp_path, *flags):
    """The record of the same training in one process."""
    command = [sys.executable, str(PROJECT / "run_benchmark.py"), *SHORT, f"--results_dir={tmp_path}/alone", *flags]
    subprocess.run(command, check=True, capture_output=True, env=os.environ | {"CUDA_VISIBLE_DEVICES": "-1"})
    (path,) = (tmp_path / "alone").glob("*.json")
    return json.loads(path.read_text())
