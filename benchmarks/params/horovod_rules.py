"""What Horovod needs, and what is Horovod's to decide."""

from __future__ import annotations

import importlib.util

from benchmarks.params.params import Params
from benchmarks.params.resolve import gradient_transfer
from benchmarks.params.rules import rule

_ROLES = ("job_name", "ps_hosts", "worker_hosts", "controller_host")
_HOROVOD = "--variable_update=horovod"


@rule("variable_update")
def horovod_installed(params: Params) -> str | None:
    """The package is there."""
    if params.variable_update != "horovod" or importlib.util.find_spec("horovod"):
        return None
    return (
        f"{_HOROVOD}: the package horovod is not installed. Install it with HOROVOD_WITH_TENSORFLOW=1 "
        "python -m pip install --no-build-isolation horovod, or take --variable_update=collective_all_reduce: it makes "
        "the same update over several processes, by TensorFlow's own collective operations."
    )


@rule("variable_update", "num_gpus", "gpu_indices")
def process_per_tower(params: Params) -> list[str]:
    """Horovod has one tower a process, and counts the GPUs of a machine out to its processes."""
    if params.variable_update != "horovod":
        return []
    found = []
    if params.num_gpus > 1:
        found.append(
            f"--num_gpus={params.num_gpus} with {_HOROVOD}: it has one tower a process. Leave --num_gpus out, and "
            f"start {params.num_gpus} processes: horovodrun -np {params.num_gpus} python run_benchmark.py ..."
        )
    if params.gpu_indices:
        found.append(
            f"--gpu_indices={params.gpu_indices} with {_HOROVOD}: each process takes the GPU of its own number on its "
            "machine. Leave --gpu_indices out, and choose with CUDA_VISIBLE_DEVICES."
        )
    return found


@rule("variable_update", *_ROLES, "cluster_resolver")
def processes_of_horovod(params: Params) -> str | None:
    """The processes are those that Horovod has started."""
    given = [name for name in _ROLES if getattr(params, name)]
    if params.cluster_resolver not in ("auto", "flags"):
        given.append("cluster_resolver")
    if params.variable_update != "horovod" or not given:
        return None
    return (
        f"{' and '.join(f'--{name}={getattr(params, name)}' for name in given)} with {_HOROVOD}: Horovod starts the "
        "processes and tells each which it is. Leave it out, and start the run with horovodrun, mpirun or srun."
    )


@rule("variable_update", "horovod_device", "device")
def device_of_horovod(params: Params) -> str | None:
    """A run on the CPU is added up there."""
    if params.variable_update == "horovod" and params.horovod_device == "gpu" and params.device == "cpu":
        return "--horovod_device=gpu needs GPUs, but --device=cpu uses none. Leave one of the two out."
    return None


@rule("variable_update", "all_reduce_spec", "hierarchical_copy")
def algorithm_of_horovod(params: Params) -> str | None:
    """How it adds up is Horovod's to choose."""
    if params.variable_update != "horovod" or not (params.all_reduce_spec or params.hierarchical_copy):
        return None
    asked = f"--all_reduce_spec={params.all_reduce_spec}" if params.all_reduce_spec else "--hierarchical_copy"
    return f"{asked} with {_HOROVOD}: the algorithm is Horovod's. Leave the flag out; HOROVOD_* variables tune it."


@rule("variable_update", "gradient_transfer", "precision", "use_fp16", "compact_gradient_transfer")
def format_of_horovod(params: Params) -> str | None:
    """Horovod's operation for TensorFlow knows no bfloat16."""
    if params.variable_update != "horovod" or gradient_transfer(params) != "bf16":
        return None
    return (
        f"{_HOROVOD} does not add up bfloat16, in which gradients would travel here. Add --gradient_transfer=fp32 or "
        "fp16."
    )
