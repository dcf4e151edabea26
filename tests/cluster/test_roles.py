"""Which process this is, from flags and TF_CONFIG, and everything that can be wrong with that."""

import json
import socket

import pytest

from benchmarks.cluster.cluster import Task
from benchmarks.cluster.roles import find, problems
from benchmarks.params import Params

WORKERS = "localhost:2222,localhost:2223"
PS = {"ps_hosts": "localhost:2224", "worker_hosts": WORKERS}


def tf_config(cluster, kind="worker", index=0):
    return {"TF_CONFIG": json.dumps({"cluster": cluster, "task": {"type": kind, "index": index}})}


def test_no_cluster():
    assert find(Params(), {}) is None
    assert problems(Params(), {}) == []


def test_flags():
    params = Params(job_name="worker", task_index=1, **PS)
    assert problems(params, {}) == []
    cluster = find(params, {})
    assert cluster.task == Task("worker", 1)
    assert cluster.driver == Task("worker", 0)
    assert not cluster.drives
    assert cluster.counts() == {"ps": 1, "worker": 2}
    assert cluster.others == [Task("ps", 0), Task("worker", 1)]
    assert cluster.name(cluster.task) == "/job:worker/task:1 at localhost:2223"
    assert cluster.source == "flags"


def test_the_controller_drives():
    params = Params(
        job_name="controller", controller_host="localhost:2221", worker_hosts=WORKERS,
        variable_update="distributed_all_reduce",
    )  # fmt: skip
    assert problems(params, {}) == []
    assert find(params, {}).drives


HOSTS = {"worker": ["localhost:2222", "localhost:2223"], "ps": ["localhost:2224"]}


def test_tf_config_is_used_where_no_role_is_given():
    cluster = find(Params(), tf_config(HOSTS, "ps"))
    assert cluster.task == Task("ps", 0)
    assert cluster.source == "TF_CONFIG"
    assert problems(Params(), tf_config(HOSTS, "ps")) == []


def test_tf_config_and_equal_flags_go_together():
    params = Params(job_name="worker", task_index=1, **PS)
    assert problems(params, tf_config(HOSTS, "worker", 1)) == []


def test_flags_only_where_that_is_asked_for():
    assert find(Params(cluster_resolver="flags"), tf_config(HOSTS)) is None


@pytest.mark.parametrize("text", ["", "{}", json.dumps({"cluster": {"worker": ["localhost:1"]}, "task": {}})])
def test_a_tf_config_of_one_process_is_no_cluster(text):
    assert find(Params(variable_update="replicated"), {"TF_CONFIG": text}) is None
    assert problems(Params(variable_update="replicated"), {"TF_CONFIG": text}) == []


def test_a_chief_is_the_first_worker():
    hosts = {"chief": ["localhost:2221"], "worker": ["localhost:2222"]}
    params = Params(variable_update="collective_all_reduce")
    cluster = find(params, tf_config(hosts, "worker", 0))
    assert cluster.task == Task("worker", 1)
    assert cluster.multi_client
    assert find(params, tf_config(hosts, "chief")).task == Task("worker", 0)


def test_or_it_is_the_controller():
    hosts = {"chief": ["localhost:2221"], "worker": ["localhost:2222"]}
    cluster = find(Params(variable_update="distributed_all_reduce"), tf_config(hosts, "chief"))
    assert cluster.task == cluster.driver == Task("controller", 0)


@pytest.mark.parametrize(
    ("params", "environment", "problem"),
    [
        (
            Params(job_name="worker", ps_hosts="localhost:2224", worker_hosts="localhost:2222,localhost:2222"),
            {},
            "localhost:2222 stands twice among the hosts: each process needs a port of its own.",
        ),
        (
            Params(job_name="worker", ps_hosts="localhost:2222", worker_hosts="localhost:2222"),
            {},
            "localhost:2222 stands twice among the hosts",
        ),
        (
            Params(job_name="worker", ps_hosts="localhost:2222", worker_hosts="localhost"),
            {},
            "--worker_hosts names 'localhost', which is not host:port. Write it as in host:2222, or [::1]:2222 for",
        ),
        (
            Params(job_name="worker", ps_hosts="localhost:2222", worker_hosts="localhost:66000"),
            {},
            "--worker_hosts names 'localhost:66000', which is not host:port.",
        ),
        (
            Params(job_name="worker", ps_hosts="localhost:2222", worker_hosts="no.such.host.invalid:2222"),
            {},
            "--worker_hosts names no.such.host.invalid:2222, and no.such.host.invalid cannot be resolved here: ",
        ),
        (
            Params(job_name="worker", task_index=2, **PS),
            {},
            "--task_index=2 is out of range: --worker_hosts has 2 hosts, numbered from 0.",
        ),
        (
            Params(job_name="controller", **PS),
            {},
            "--job_name=controller without hosts of that role: add --controller_host=host:port.",
        ),
        (
            Params(**PS),
            {},
            "--ps_hosts and --worker_hosts without --job_name: say which process this is, with --job_name and",
        ),
        (
            Params(job_name="worker", worker_hosts=WORKERS),
            {},
            "--variable_update=parameter_server needs a ps process: add --ps_hosts=host:port.",
        ),
        (
            Params(job_name="worker", worker_hosts=WORKERS, variable_update="distributed_all_reduce"),
            {},
            "--variable_update=distributed_all_reduce needs a controller process: add --controller_host=host:port.",
        ),
        (
            Params(),
            tf_config({"worker": HOSTS["worker"]}),
            "--variable_update=parameter_server needs a ps process: add the job 'ps' to TF_CONFIG.",
        ),
        (
            Params(variable_update="sharded"),
            tf_config(HOSTS),
            "--variable_update=sharded has no ps process: leave the job 'ps' out of TF_CONFIG.",
        ),
        (
            Params(job_name="ps", variable_update="collective_all_reduce", **PS),
            {},
            "--variable_update=collective_all_reduce has no ps process: leave --ps_hosts out.",
        ),
        (
            Params(job_name="worker", variable_update="replicated", **PS),
            {},
            "--variable_update=replicated keeps to one process, and flags ask for several. Take one of parameter",
        ),
        (
            Params(variable_update="independent"),
            tf_config(HOSTS),
            "--variable_update=independent keeps to one process, and TF_CONFIG asks for several.",
        ),
        (
            Params(variable_update="distributed_all_reduce"),
            {},
            "--variable_update=distributed_all_reduce runs on several processes: add --controller_host and --worker_ho",
        ),
        (
            Params(job_name="ps", **PS),
            tf_config(HOSTS, "worker"),
            "--job_name=ps and TF_CONFIG, which has 'worker', contradict each other: leave one of them out",
        ),
        (Params(), {"TF_CONFIG": "{"}, 'TF_CONFIG in the environment is not of the form {"cluster": {"worker": '),
        (Params(), {"TF_CONFIG": '{"cluster": ["a"]}'}, "TF_CONFIG in the environment is not of the form"),
        (
            Params(),
            tf_config(HOSTS, "evaluator"),
            "TF_CONFIG in the environment has the job 'evaluator', and here there are controller, ps, worker (and",
        ),
        (
            Params(cluster_resolver="tf_config"),
            {},
            "TF_CONFIG in the environment is not set, or names no cluster, and --cluster_resolver=tf_config asks",
        ),
        (
            Params(cluster_resolver="slurm"),
            {},
            "--cluster_jobs= is not of the form ps:1,worker:2, which --cluster_resolver=slurm needs.",
        ),
        (
            Params(cluster_resolver="slurm", cluster_jobs="worker:2"),
            {},
            "--variable_update=parameter_server needs a ps process: add ps:1 to --cluster_jobs.",
        ),
        (
            Params(cluster_resolver="slurm", cluster_jobs="ps:1,worker:2", variable_update="collective_all_reduce"),
            {},
            "--variable_update=collective_all_reduce has no ps process: leave ps out of --cluster_jobs.",
        ),
        (
            Params(cluster_resolver="slurm", cluster_jobs="ps:1,worker:2", variable_update="replicated"),
            {},
            "--variable_update=replicated keeps to one process, and --cluster_jobs asks for several. Take one of",
        ),
        (
            Params(cluster_resolver="slurm", cluster_jobs="ps:1,worker:2", job_name="ps"),
            {},
            "--job_name=ps with --cluster_resolver=slurm: Slurm says which process this is. Leave --job_name out.",
        ),
        (
            Params(cluster_resolver="slurm", cluster_jobs="ps:1,worker:2", task_index=1),
            {},
            "--task_index=1 with --cluster_resolver=slurm: Slurm says which process this is. Leave --task_index out.",
        ),
        (
            Params(job_name="worker", ps_hosts="localhost:2222", worker_hosts="127.0.0.1:2222"),
            {},
            "localhost:2222 and 127.0.0.1:2222 are the same address: each process needs a port of its own.",
        ),
        (
            Params(job_name="worker", ps_hosts="[::1]:2222", worker_hosts="127.0.0.1:2222"),
            {},
            "[::1]:2222 and 127.0.0.1:2222 are the same address: each process needs a port of its own.",
        ),
        (
            Params(job_name="worker", ps_hosts="localhost:2222", worker_hosts="::1:2223"),
            {},
            "--worker_hosts names '::1:2223', which is not host:port. Write it as in host:2222, or [::1]:2222 for an",
        ),
        (
            Params(cluster_resolver="kubernetes", cluster_jobs="ps:1,worker:2", kubernetes_labels="worker:app=x"),
            {},
            "--kubernetes_labels has no label of the ps pods: add ps:key=value.",
        ),
    ],
)
def test_problem(params, environment, problem):
    [found] = problems(params, environment)
    assert found.startswith(problem)


def test_all_problems_come_together():
    params = Params(
        job_name="worker", task_index=5, worker_hosts="localhost:1,localhost:1,localhost",
        variable_update="distributed_all_reduce",
    )  # fmt: skip
    assert len(problems(params, {})) == 4


def test_a_port_that_is_in_use():
    with socket.create_server(("", 0)) as taken:
        port = taken.getsockname()[1]
        params = Params(job_name="worker", ps_hosts="localhost:2224", worker_hosts=f"localhost:{port}")
        [found] = problems(params, {})
    assert found.startswith(f"port {port} of localhost:{port}, where this process is to listen, cannot be had: Address")
    assert problems(params, {}) == []
