"""TensorFlow's part in a cluster: servers, the connection of the driver to them, and names of devices everywhere."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from benchmarks import devices
from benchmarks.cluster.cluster import Cluster, Task
from benchmarks.devices import Devices
from benchmarks.errors import UserError
from benchmarks.params import Params
from benchmarks.params.resolve import intra_threads

_kept: list[Any] = []  # what ends with the process, and not before


def serve(params: Params, cluster: Cluster) -> None:
    """Let this process compute for the driver: TensorFlow's server, on this process's port of the cluster.

    It can be ended only with the process. Raises UserError where this machine lacks the GPUs that `params` ask for.
    """
    devices.configure(params)
    server = tf.distribute.Server(
        dict(cluster.hosts),
        job_name=cluster.task.job,
        task_index=cluster.task.index,
        protocol=params.server_protocol,
        config=_server_config(params, cluster.task.job),
    )
    _kept.append(server)


def drive(params: Params, cluster: Cluster) -> Devices:
    """Connect this process to all servers, which must be up: the devices of the run, here and there.

    Raises UserError where a process has not the devices that `params` ask for.
    """
    local = _set_up_driver(params, cluster)
    tf.config.experimental_connect_to_cluster(
        tf.train.ClusterSpec(dict(cluster.hosts)),
        job_name=cluster.task.job,
        task_index=cluster.task.index,
        protocol=params.server_protocol,
    )
    gpus = tf.config.list_logical_devices("GPU")
    kind = local.kind if local else devices.kind_of_towers(params, any_gpus=bool(gpus))
    if params.device == "auto" and kind == "cpu":
        _check_no_gpus(gpus, cluster)
    towers: list[str] = []
    for worker in cluster.workers:
        own = local.towers if local and worker == cluster.task else _numbered(kind, params.num_gpus)
        towers += [device_of(worker, tower) for tower in own]
    parameters = ["/cpu:0"]
    if servers := [task for task in cluster.tasks if task.job == "ps"]:
        on_server = _numbered("gpu", params.num_gpus) if params.local_parameter_device == "gpu" else ["/cpu:0"]
        parameters = [device_of(server, device) for server in servers for device in on_server]
        _check_there(parameters, cluster)
    _check_there(towers, cluster)
    return Devices(kind, tuple(towers), tuple(parameters))


def join_collective(params: Params, cluster: Cluster) -> Devices:
    """Let this process take part in collective operations with all others, which do the same at this time.

    The devices are this process's own. TensorFlow's strategy starts its runtime; but for mirrored, that is all.
    """
    local = devices.set_up(params)
    resolver = tf.distribute.cluster_resolver.SimpleClusterResolver(
        tf.train.ClusterSpec(dict(cluster.hosts)),
        task_type=cluster.task.job,
        task_id=cluster.task.index,
        rpc_layer=params.server_protocol,
    )
    heard_by = signal.getsignal(signal.SIGTERM) or signal.SIG_DFL
    runtime = tf.distribute.MultiWorkerMirroredStrategy(cluster_resolver=resolver)
    signal.signal(signal.SIGTERM, heard_by)  # TensorFlow has taken the signal for itself, and does nothing with it
    _kept.append(runtime)
    towers = tuple(device_of(cluster.task, tower) for tower in local.towers)
    return Devices(local.kind, towers, ("/cpu:0",), len(cluster.workers), cluster.task.index, runtime)


def device_of(task: Task, device: str) -> str:
    """The name by which every process knows `device` of `task`, as in /job:worker/replica:0/task:1/gpu:0."""
    return f"/job:{task.job}/replica:0/task:{task.index}{device}"


def _server_config(params: Params, job: str) -> Any:
    """What a server makes of its machine. It heeds no tf.config, only this message of TensorFlow 1."""
    may_use_gpus = params.device != "cpu" and (job == "worker" or params.local_parameter_device == "gpu")
    gpus = tf.config.list_physical_devices("GPU") if may_use_gpus else []
    kind = devices.kind_of_towers(params, any_gpus=bool(gpus))
    indices = devices.gpu_indices(params, gpus) if may_use_gpus and kind == "gpu" else []
    config = tf.compat.v1.ConfigProto(
        device_count={
            "CPU": params.num_gpus if kind == "cpu" and job == "worker" else 1,
            "GPU": len(indices),
        },
        intra_op_parallelism_threads=intra_threads(params) or 0,
        inter_op_parallelism_threads=params.num_inter_threads,
    )
    if indices:
        config.gpu_options.visible_device_list = ",".join(map(str, indices))
        config.gpu_options.allow_growth = bool(params.allow_growth)
        config.gpu_options.per_process_gpu_memory_fraction = params.gpu_memory_frac_for_testing
    return config


def _set_up_driver(params: Params, cluster: Cluster) -> Devices | None:
    """The devices of this process; None where it only drives those of others, and takes no GPU."""
    if cluster.task.job == "worker":
        return devices.set_up(params)
    devices.configure(params)
    tf.config.set_visible_devices([], "GPU")
    return None


def _numbered(kind: str, count: int) -> list[str]:
    return [f"/{kind}:{index}" for index in range(count)]


def _check_no_gpus(gpus: Sequence[tf.config.LogicalDevice], cluster: Cluster) -> None:
    """Raise UserError where a worker has a GPU that auto would leave idle, since the driver has none."""
    for spec in (tf.DeviceSpec.from_string(gpu.name) for gpu in gpus):
        if spec.job == "worker":
            raise UserError(
                f"--device=auto: {cluster.name(Task(spec.job, spec.task))} has a GPU, and "
                f"{cluster.name(cluster.task)} has none. Pass --device=cpu, or see whether nvidia-smi works on both."
            )


def _check_there(wanted: Sequence[str], cluster: Cluster) -> None:
    there = {tf.DeviceSpec.from_string(device.name) for device in tf.config.list_logical_devices()}
    for device in wanted:
        spec = tf.DeviceSpec.from_string(device)
        if spec not in there:
            of_task = sorted(_short(each) for each in there if (each.job, each.task) == (spec.job, spec.task))
            raise UserError(
                f"{cluster.name(Task(spec.job, spec.task))} has no {_short(spec)}, only {', '.join(of_task)}: ask for "
                "fewer with --num_gpus, or pass --device=cpu. If it has more, see whether nvidia-smi works there."
            )


def _short(spec: Any) -> str:
    return f"{spec.device_type}:{spec.device_index}"
