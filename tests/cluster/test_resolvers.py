"""Roles from Slurm's environment and from Kubernetes' pods, by TensorFlow's resolvers."""

import dataclasses
from types import SimpleNamespace

import pytest

from benchmarks.cluster import resolvers
from benchmarks.cluster.cluster import Task
from benchmarks.errors import UserError
from benchmarks.params import Params

SLURM = {
    "SLURM_PROCID": "2",
    "SLURM_STEP_NUM_TASKS": "3",
    "SLURM_STEP_NODELIST": "localhost",
    "SLURM_STEP_TASKS_PER_NODE": "3",
}


def with_environment(monkeypatch, variables):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


def test_slurm(monkeypatch):
    with_environment(monkeypatch, SLURM)
    cluster = resolvers.find(Params(cluster_resolver="slurm", cluster_jobs="ps:1,worker:2", cluster_port=21470))
    assert cluster.hosts == {"ps": ("localhost:21470",), "worker": ("localhost:21471", "localhost:21472")}
    assert cluster.task == Task("worker", 1)
    assert cluster.source == "Slurm"


def test_slurm_with_another_number_of_tasks(monkeypatch):
    with_environment(monkeypatch, SLURM)
    with pytest.raises(UserError, match=r"--cluster_jobs=ps:1,worker:4: Requested 5 tasks but only 3 were assigned"):
        resolvers.find(Params(cluster_resolver="slurm", cluster_jobs="ps:1,worker:4"))


def test_outside_of_slurm(monkeypatch):
    for name in SLURM:
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(UserError, match=r"SLURM_PROCID not found in environment.*Start the run with srun"):
        resolvers.find(Params(cluster_resolver="slurm", cluster_jobs="ps:1,worker:2"))


class Pods:
    """A Kubernetes client that shows more of its pods each time it is asked."""

    def __init__(self, **of_label):
        self._of_label = of_label
        self._asked = 0

    def list_namespaced_pod(self, namespace, label_selector):
        assert namespace == "default"
        self._asked += 1
        addresses = self._of_label[label_selector.replace("app=", "")]
        return SimpleNamespace(items=[self._pod(number, address) for number, address in enumerate(addresses)])

    def _pod(self, number, address):
        phase = "Running" if self._asked > 2 else "Pending"
        status = SimpleNamespace(phase=phase, pod_ip=address, host_ip="10.9.9.9")
        return SimpleNamespace(metadata=SimpleNamespace(name=f"pod-{number}"), status=status)


KUBERNETES = Params(
    cluster_resolver="kubernetes", cluster_jobs="ps:1,worker:2", kubernetes_labels="ps:app=ps,worker:app=workers",
    cluster_port=21470, cluster_timeout_secs=60.0,
)  # fmt: skip
ADDRESSES = {"ps": ["127.0.0.1"], "workers": ["127.0.0.2", "127.0.0.3"]}


def test_kubernetes_waits_for_the_pods_and_finds_its_own(monkeypatch):
    monkeypatch.setenv("POD_IP", "127.0.0.3")
    cluster = resolvers.find(KUBERNETES, pods=Pods(**ADDRESSES))
    assert cluster.hosts == {"ps": ("127.0.0.1:21470",), "worker": ("127.0.0.2:21470", "127.0.0.3:21470")}
    assert cluster.task == Task("worker", 1)


def test_kubernetes_without_this_pod(monkeypatch):
    monkeypatch.setenv("POD_IP", "127.0.0.9")
    with pytest.raises(UserError, match=r"no pod with these labels has the address 127\.0\.0\.9:21470"):
        resolvers.find(KUBERNETES, pods=Pods(**ADDRESSES))


def test_kubernetes_with_too_few_pods():
    with pytest.raises(UserError, match=r"--cluster_jobs=ps:1,worker:2, and there are {'ps': 1, 'worker': 1}"):
        resolvers.find(
            dataclasses.replace(KUBERNETES, cluster_timeout_secs=5.0),
            pods=Pods(ps=["127.0.0.1"], workers=["127.0.0.2"]),
        )
