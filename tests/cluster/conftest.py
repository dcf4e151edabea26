"""Clusters of real processes on this machine, one by one under a test's control."""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
SHORT = ["--model=trivial", "--data_name=cifar10", "--device=cpu", "--batch_size=4"]
SHORT += ["--num_batches=5", "--num_warmup_batches=1", "--display_every=1"]
TIMEOUT = 10  # where the end is what is tested; a busy machine may need longer for all to come up


def _of_ipv6():
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


LOOPBACK_V6 = "[::1]" if _of_ipv6() else "127.0.0.1"  # some containers have no IPv6
HOST_FLAGS = {"controller": "controller_host", "ps": "ps_hosts", "worker": "worker_hosts"}


_given = set()


def free_port():
    """A port that was free a moment ago, below those that connections take by themselves; never the same twice."""
    while True:
        port = int.from_bytes(os.urandom(2), "big") % 10_000 + 20_000
        if port in _given:
            continue
        _given.add(port)
        with socket.socket() as probe:
            try:
                probe.bind(("", port))
            except OSError:
                continue
        return port


def nobody_listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


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
        for _ in range(600):
            if text in self.out(job, index):
                return
            assert self.running[job, index].poll() is None, self.err(job, index)
            time.sleep(0.1)
        raise AssertionError(f"{text!r} never came: {self.out(job, index)}\n{self.err(job, index)}")

    def ends(self, *roles, within=120):
        """The exit codes of `roles` (or of all), which must end within so many seconds."""
        deadline = time.monotonic() + within
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
