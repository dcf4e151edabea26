"""The cluster that Slurm or Kubernetes has made, found by TensorFlow's resolvers."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf

from benchmarks.cluster import roles
from benchmarks.cluster.addresses import joined
from benchmarks.cluster.cluster import Cluster, Roles
from benchmarks.errors import UserError
from benchmarks.params import Params

_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")  # Kubernetes puts it into every pod
_RETRY_SECONDS = 1.0


def find(params: Params, *, pods: Any = None) -> Cluster:
    """The cluster that `params.cluster_resolver` knows. `pods` stands in for the Kubernetes client in tests.

    Raises UserError with every problem of it.
    """
    counts = roles.counted(params)
    if params.cluster_resolver == "slurm":
        found = _slurm(counts, params.cluster_port)
    else:
        found = _kubernetes(params, counts, pods or _client())
    if problems := roles.problems_of(found, params.variable_update):
        raise UserError("\n".join(problems))
    return roles.make(found, params.variable_update)


def _slurm(counts: Mapping[str, int], port: int) -> Roles:
    """The tasks of this job step: `counts` of them for each job, in Slurm's order, jobs by name."""
    try:
        resolver = tf.distribute.cluster_resolver.SlurmClusterResolver(
            jobs=dict(counts),
            port_base=port,
            gpus_per_node=_gpus_per_node(),
            gpus_per_task=1,  # only for the resolver's own sums: which GPUs a task sees is Slurm's business
            auto_set_gpu=False,
        )
        hosts = _addresses(resolver.cluster_spec())
    except (RuntimeError, ValueError) as error:
        raise UserError(
            f"--cluster_resolver=slurm --cluster_jobs={','.join(f'{job}:{n}' for job, n in counts.items())}: {error} "
            "Start the run with srun, and ask for as many tasks as --cluster_jobs has."
        ) from error
    job, index = resolver.get_task_info()
    return Roles(hosts, str(job), int(index), "Slurm")


def _gpus_per_node() -> int:
    """As many as tasks fit a node: the resolver gives no task an address for which there is no GPU."""
    return max(1, int(os.environ.get("SLURM_STEP_NUM_TASKS", "1")))


def _kubernetes(params: Params, counts: Mapping[str, int], client: Any) -> Roles:
    """The pods with the labels, once all of them run, and among them the one with this machine's address."""
    labels = {job: [label] for job, label in roles.pairs(params.kubernetes_labels).items() if job in counts}
    resolver = tf.distribute.cluster_resolver.KubernetesClusterResolver(
        labels, tf_server_port=params.cluster_port, override_client=_PodAddresses(client)
    )
    deadline = time.monotonic() + 0.8 * params.cluster_timeout_secs
    while True:
        try:
            hosts = _addresses(resolver.cluster_spec())
            found = {job: len(addresses) for job, addresses in hosts.items()}
            missing = None if found == dict(counts) else f"--cluster_jobs={params.cluster_jobs}, and there are {found}"
        except RuntimeError as error:  # a pod that does not run yet
            missing = str(error)
        if missing is None:
            break
        if time.monotonic() > deadline:
            raise UserError(f"--cluster_resolver=kubernetes: {missing}. See kubectl get pods.")
        time.sleep(_RETRY_SECONDS)
    if params.job_name:
        return Roles(hosts, params.job_name, params.task_index, "Kubernetes")
    own = joined(_own_address(), params.cluster_port)
    for job, addresses in hosts.items():
        if own in addresses:
            return Roles(hosts, job, addresses.index(own), "Kubernetes")
    raise UserError(f"--cluster_resolver=kubernetes: no pod with these labels has the address {own} of this process.")


def _addresses(spec: tf.train.ClusterSpec) -> dict[str, tuple[str, ...]]:
    return {job: tuple(spec.job_tasks(job)) for job in spec.jobs}


def _own_address() -> str:
    """The address of this pod: POD_IP where the manifest sets it, else what its host name stands for."""
    return os.environ.get("POD_IP") or socket.gethostbyname(socket.gethostname())


def _client() -> Any:
    try:
        from kubernetes import client, config
    except ImportError as error:
        raise UserError(
            "--cluster_resolver=kubernetes needs the package kubernetes: python -m pip install kubernetes."
        ) from error
    config.load_incluster_config()
    return client.CoreV1Api()


class _PodAddresses:
    """The Kubernetes client as TensorFlow's resolver uses it, with two corrections.

    The resolver takes the address of a pod's *node*, at which a pod can be reached only on the host's network; here it
    finds the pod's own. And it looks through all namespaces, for which few have the right; here it sees its own.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    def list_pod_for_all_namespaces(self, label_selector: str) -> Any:
        """The pods with this label."""
        namespace = _NAMESPACE.read_text().strip() if _NAMESPACE.exists() else "default"
        pods = self._client.list_namespaced_pod(namespace, label_selector=label_selector)
        for pod in pods.items:
            ip = pod.status.pod_ip
            pod.status.host_ip = f"[{ip}]" if ip and ":" in ip else ip  # a port is to follow
        return pods
