"""What candidates are to give on several devices, from what one device gives under any of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchmarks.advice.candidates import Candidate
from benchmarks.advice.cost_model import Layout, Prediction, Workload, predict
from benchmarks.advice.machine import Machine

_ALONE = Layout(1)
_ROUNDS = 12  # of the search below, at most; it settles within eight
_SETTLED = 1e-3  # relative; a figure is not known better


def predictions(
    workloads: Mapping[Candidate, Workload],
    machine: Machine,
    measured: Workload,
    images_per_second: float,
    counts: Sequence[int],
) -> dict[int, list[tuple[Candidate, Prediction]]]:
    """By number of devices, each candidate with what is predicted of its workload, the fastest first.

    One device gives `images_per_second` with the workload `measured`, whose variables may be on the CPU, where every
    step brings them over, or beside it. So each candidate is predicted from what one device would give under it.
    """
    (alone,) = predict(measured, machine, {_ALONE: images_per_second}, [_ALONE])
    layouts = [Layout(count) for count in counts]
    found: dict[int, list[tuple[Candidate, Prediction]]] = {count: [] for count in counts}
    for candidate, workload in workloads.items():
        own = images_per_second if workload == measured else _figure(workload, machine, alone.compute_seconds)
        for each in predict(workload, machine, {_ALONE: own}, layouts):
            found[each.layout.devices].append((candidate, each))
    return {count: sorted(each, key=lambda pair: -pair[1].images_per_second) for count, each in found.items()}


def _figure(workload: Workload, machine: Machine, compute_seconds: float) -> float:
    """The images/sec of one device that computes so long for a step, and then waits for what it exchanges."""
    step = compute_seconds
    for _ in range(_ROUNDS):
        (alone,) = predict(workload, machine, {_ALONE: workload.batch_size / step}, [_ALONE])
        before, step = step, compute_seconds + alone.exposed_seconds + alone.waiting_seconds
        if abs(step - before) < _SETTLED * step:
            break
    return workload.batch_size / step
