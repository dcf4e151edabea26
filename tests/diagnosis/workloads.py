"""Workloads on the logical CPU devices of the process that runs the tests."""

from benchmarks.devices import Devices
from benchmarks.params import parse
from benchmarks.workload import settle

BATCH = 16


def workload(*flags, sample=None):
    """What a run with `flags` computes; `sample` is the folder that it reads images from."""
    given = ["--data_name=cifar10", "--device=cpu", f"--batch_size={BATCH}", *flags]
    given += [f"--data_dir={sample}"] if sample else []
    return settle(parse(given).params, on_logical_cpus)


def on_logical_cpus(params):
    """Devices of this process: it has begun to compute, so that nothing can be configured."""
    return Devices("cpu", tuple(f"/cpu:{tower}" for tower in range(params.num_gpus)), ("/cpu:0",))
