"""GPUs that were asked for and are not there, in words: which flag asks for them, and what to do."""

from __future__ import annotations

from benchmarks.params import Params


def asking_flag(params: Params, count: int) -> str:
    """The flag that asks for more GPUs than the `count` that there are."""
    if params.gpu_indices:
        return f"--gpu_indices={params.gpu_indices}"
    if params.device == "gpu" and not count:
        return "--device=gpu"
    return f"--num_gpus={params.num_gpus}"


def counted(params: Params, count: int) -> str:
    """How many GPUs there are; by their numbers too, where `params` ask for numbers."""
    words = "no GPU" if not count else f"{count} GPU{'s' if count > 1 else ''}"
    return f"{words} ({_numbers(count)})" if count and params.gpu_indices else words


def way_out(params: Params, count: int) -> str:
    """What to pass where there are `count` GPUs, without a full stop."""
    if params.gpu_indices and count:
        return f"Name others: --gpu_indices takes {_numbers(count)}"
    if count:
        return f"Pass --num_gpus={count}" + (" or fewer" if count > 1 else "")
    on_cpu = f", whose {params.num_gpus} towers share the processors" if params.num_gpus > 1 else ""
    return f"Pass --device=cpu{on_cpu}"


def _numbers(count: int) -> str:
    return "0" if count == 1 else f"0 to {count - 1}"
