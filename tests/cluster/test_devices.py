"""Which devices the processes of a cluster take, and what is refused."""

from types import SimpleNamespace

import pytest

from benchmarks.cluster import runtime
from benchmarks.cluster.cluster import Cluster, Task
from benchmarks.errors import UserError


def test_auto_takes_no_cpu_for_several_towers_of_a_worker(cluster):
    processes = cluster(
        "--device=auto", "--num_gpus=2", "--variable_update=distributed_all_reduce", controller=1, worker=1
    ).start()
    assert processes.ends() == {("controller", 0): 1, ("worker", 0): 2}
    for role in processes.roles:
        assert "--num_gpus=2: TensorFlow 2." in processes.err(*role)
        assert "sees no GPU. Pass --device=cpu, whose 2 towers share the processors." in processes.err(*role)
    (record,) = processes.records()
    assert record["message"].startswith(f"/job:worker/task:0 at {processes.hosts['worker'][0]}: --num_gpus=2: ")


def test_auto_leaves_no_gpu_of_a_worker_idle():
    cluster = Cluster({"ps": ("a:1",), "worker": ("a:2", "b:2")}, Task("worker", 0), "flags")
    gpus = [SimpleNamespace(name=f"/job:{job}/replica:0/task:{task}/device:GPU:0") for job, task in (("ps", 0),)]
    runtime._check_no_gpus(gpus, cluster)
    gpus.append(SimpleNamespace(name="/job:worker/replica:0/task:1/device:GPU:0"))
    message = r"--device=auto: /job:worker/task:1 at b:2 has a GPU, and /job:worker/task:0 at a:2 has none\. Pass"
    with pytest.raises(UserError, match=message):
        runtime._check_no_gpus(gpus, cluster)
