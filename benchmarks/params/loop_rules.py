"""What many steps in a call exclude: all that looks at a step, is fed to it, or is done between two."""

from __future__ import annotations

from benchmarks.params.cluster_rules import ROLES, in_cluster
from benchmarks.params.conditions import EVALUATION_SCHEDULES, evaluates
from benchmarks.params.evaluation_points import schedules
from benchmarks.params.params import Params
from benchmarks.params.resolve import DEFAULT_NUM_BATCHES, warmup_batches
from benchmarks.params.rules import rule

_LOOKS_AT_STEPS = "it looks at steps by themselves"
_MAKES_STEPS = "it makes steps of its own, one a call"
_REASONS = {
    "input_only": "only steps of training are made in a loop",
    "forward_only": "only steps of training are made in a loop",
    "eval": "only steps of training are made in a loop",
    "train_dir": "a checkpoint is written between two steps",
    "trace_file": _LOOKS_AT_STEPS,
    "tfprof_file": _LOOKS_AT_STEPS,
    "target_precision": _LOOKS_AT_STEPS,
    "measure_exchange": _MAKES_STEPS,
    "diagnose": _MAKES_STEPS,
    "step_breakdown": _MAKES_STEPS,
    "find_batch_size": _MAKES_STEPS,
    "tune_cpu": "its runs have a length of their own",
    "num_epochs": "the steps of an epoch may not fill whole calls",
}


@rule("steps_per_loop", *_REASONS, *EVALUATION_SCHEDULES, "input_method", "data_dir")
def steps_in_a_loop(params: Params) -> list[str]:
    """Nothing is wanted of a single step of them."""
    if params.steps_per_loop == 1:
        return []
    asked = {f"--{name}": reason for name, reason in _REASONS.items() if getattr(params, name)}
    if evaluates(params):
        asked[schedules(params)[0]] = "an evaluation is made between two steps"
    if params.input_method == "feed" and params.data_dir:
        asked["--input_method=feed"] = "within a call nothing can be fed"
    return [_refused(params, what, reason) for what, reason in asked.items()]


@rule("steps_per_loop", *ROLES, "variable_update")
def loop_of_one_process(params: Params) -> list[str]:
    """Several processes watch each other's steps, and some exchange in ways of their own."""
    if params.steps_per_loop == 1 or not (in_cluster(params) or params.variable_update == "horovod"):
        return []
    return [_refused(params, "several processes", "they wait for each other at each step")]


@rule("steps_per_loop", "num_batches", "num_warmup_batches", "autotune_threshold")
def whole_calls(params: Params) -> list[str]:
    """Each call makes all its steps."""
    steps = params.steps_per_loop
    lengths = {"num_batches": params.num_batches or DEFAULT_NUM_BATCHES, "num_warmup_batches": warmup_batches(params)}
    return [
        f"--steps_per_loop={steps} does not divide --{name}={length}, and a call makes all its steps. Give "
        f"--{name}={-(-length // steps) * steps}."
        for name, length in lengths.items()
        if length % steps
    ]


def _refused(params: Params, what: str, reason: str) -> str:
    return f"--steps_per_loop={params.steps_per_loop} with {what}: {reason}. Leave one of them out."
