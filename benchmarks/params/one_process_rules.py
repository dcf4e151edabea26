"""What only a run of one process can do, and why."""

from __future__ import annotations

from benchmarks.params.cluster_rules import ROLES, several_processes
from benchmarks.params.conditions import EVALUATION_SCHEDULES
from benchmarks.params.params import Params
from benchmarks.params.rules import rule

_OWN_INPUT = "each makes the input of its own towers"
_OWN_PART = "each sees its own part of a step only"
_REASONS = {
    "find_batch_size": "only a run of one process can be tried",
    "tune_cpu": "only a run of one process can be tried",
    "onednn_verbose": "each has primitives of its own",
    "train_dir": "only a run of one process writes or reads checkpoints",
    "input_only": _OWN_INPUT,
    "diagnose": _OWN_INPUT,
    "step_breakdown": "only the step of one process is taken apart (--measure_exchange works there)",
    "measure_peak": "only one process can keep all devices busy at once",
    "deterministic": "the order in which their gradients are added up is not settled",
    "trace_file": _OWN_PART,
    "tfprof_file": _OWN_PART,
    "graph_file": _OWN_PART,
    **dict.fromkeys(EVALUATION_SCHEDULES, "only a run of one process evaluates"),
}


@rule("variable_update", *ROLES, *_REASONS)
def of_one_process(params: Params) -> list[str]:
    """Others would be left behind, or do the same beside it."""
    if not several_processes(params):
        return []
    return [
        f"--{name}{'' if asked is True else f'={asked}'} with several processes: {reason}. Leave it out, or run on one "
        "machine with neither roles nor TF_CONFIG."
        for name, reason in _REASONS.items()
        if (asked := getattr(params, name))
    ]
