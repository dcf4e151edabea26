"""The ways in which the step of a run is made to find out what its parts take."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.breakdown.partial_steps import ForwardInTraining, WithoutUpdate
from benchmarks.build import build_step
from benchmarks.diagnosis.ways import exchanges, held_ready, traced, with_made_up_input
from benchmarks.input_step import InputStep
from benchmarks.workload import Workload, inputs_of


def build_ways(workload: Workload) -> dict[str, Callable[[], object]]:
    """The steps, ready to be called, by the names of results.breakdown.WAYS: each lacks one part of that before it.

    "real" is there if the run reads images, "gradients" if it exchanges something. Each has variables of its own.
    """
    held = held_ready(workload)
    made_up = with_made_up_input(held)
    alone = made_up.with_params(variable_update="independent")
    ways: dict[str, Callable[[], object]] = {}
    if workload.params.data_dir:
        ways["real"] = traced(build_step(held))
    ways["synthetic"] = traced(build_step(made_up))
    ways["without_update"] = traced(build_step(made_up, make=WithoutUpdate))
    if exchanges(workload):
        ways["gradients"] = traced(build_step(alone, make=WithoutUpdate))
    ways["forward"] = traced(build_step(alone, make=ForwardInTraining))
    ways["empty"] = traced(InputStep(workload.devices.towers, inputs_of(made_up)))
    return ways
