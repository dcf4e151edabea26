"""What the experiments after a run need: the breakdown a training step, and it and the peak one process."""

from __future__ import annotations

from benchmarks.params.cluster_rules import ROLES, several_processes
from benchmarks.params.params import Params
from benchmarks.params.rules import excluded, rule


@rule("step_breakdown", "forward_only", "input_only")
def training_step_to_take_apart(params: Params) -> list[str]:
    """Without training there is no backward pass, and no update."""
    reasons = {
        "forward_only": "a forward pass has no parts",
        "input_only": "without a model there is no step that has parts",
    }
    return excluded(params, "step_breakdown", reasons) if params.step_breakdown else []


@rule("step_breakdown", "variable_update", *ROLES)
def step_of_one_process(params: Params) -> str | None:
    """Steps without an exchange would leave processes that wait for one another behind."""
    if not params.step_breakdown or not several_processes(params):
        return None
    return (
        "--step_breakdown with several processes: only the step of one process is taken apart. Leave it out "
        "(--measure_exchange works there), or run on one machine with neither roles nor TF_CONFIG."
    )


@rule("measure_peak", "variable_update", *ROLES)
def peak_of_one_process(params: Params) -> str | None:
    """One process keeps all devices busy at once."""
    if not params.measure_peak or not several_processes(params):
        return None
    return (
        "--measure_peak with several processes: only one process can keep all devices busy at once. Measure it in a "
        "run with neither roles nor TF_CONFIG."
    )
