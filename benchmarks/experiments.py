"""What a run measures beside itself once its window is over: the experiments that its parameters ask for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from benchmarks.breakdown.measured import ROUNDS as BREAKDOWN_ROUNDS
from benchmarks.breakdown.measured import measured_breakdown
from benchmarks.build import build_independent_step
from benchmarks.cluster.place import Place
from benchmarks.console import Console
from benchmarks.diagnosis.diagnose import measured_diagnosis
from benchmarks.diagnosis.rounds import ROUNDS as DIAGNOSIS_ROUNDS
from benchmarks.draft import Draft
from benchmarks.exposed_exchange import PAIRS, measure_exposed
from benchmarks.params.conditions import quantizes
from benchmarks.peaks import kernels, measure_peak
from benchmarks.precision import COMPUTE_DTYPE
from benchmarks.step import Step
from benchmarks.workload import Workload
from results import breakdown, diagnosis


def experiment(
    draft: Draft, workload: Workload, step: Step, place: Place, console: Console, check: Callable[[], None]
) -> None:
    """Make the experiments on the workload of a run, and on its `step`; what they find is in the record of `draft`."""
    params, recording = workload.params, draft.recording
    assert recording is not None, "there was a run"
    if quantizes(params):
        from benchmarks.quantization.measured import measure_quantized  # needs LiteRT, which others do without

        measure_quantized(draft, workload, step, console, check)
    if params.measure_exchange:
        draft.sections["exchange"] |= measured_exchange(workload, step, place, console, check)
    if params.diagnose:
        draft.sections["diagnosis"] = find_bound(workload, console, check)
    if params.step_breakdown:
        draft.sections["step_breakdown"] = find_parts(workload, recording.step_seconds, console, check)
    if params.measure_peak:
        draft.sections["cost"]["peaks"] = measured_peaks(workload, console, check)


def measured_exchange(
    workload: Workload,
    step: Step,
    place: Place,
    console: Console,
    check: Callable[[], None],
) -> dict[str, Any]:
    """What the exchange of `step` costs, measured against a step without it."""
    check()
    place.stage("building the step without an exchange")
    independent = build_independent_step(workload)

    def on_pair(number: int) -> None:
        console.progress(f"exchange: pair {number}/{PAIRS}")
        check()

    exposed = measure_exposed(place.watched(step), place.watched(independent), on_pair=on_pair)
    console.notice(
        f"Exposed exchange: {1e3 * exposed.exposed_seconds:.2f} ms a step ({exposed.exposed_share:.1%}), "
        f"against independent towers in {PAIRS} pairs."
    )
    return exposed.facts()


def find_bound(workload: Workload, console: Console, check: Callable[[], None]) -> dict[str, Any]:
    """What bounds the step, by experiment."""
    check()
    facts = measured_diagnosis(workload, telling("diagnosis", diagnosis.WAYS, DIAGNOSIS_ROUNDS, console, check))
    for line in diagnosis.report(facts):
        console.notice(line)
    return facts


def find_parts(
    workload: Workload, own_steps: Sequence[float], console: Console, check: Callable[[], None]
) -> dict[str, Any]:
    """What the parts of the step take, by ablation; the run took `own_steps`."""
    check()
    on_block = telling("step breakdown", breakdown.WAYS, BREAKDOWN_ROUNDS, console, check)
    facts = measured_breakdown(workload, own_steps, on_block)
    for line in breakdown.report(facts):
        console.notice(line)
    return facts


def telling(
    what: str, names: Mapping[str, str], rounds: int, console: Console, check: Callable[[], None]
) -> Callable[[str, int], None]:
    """What is done before each block of an experiment: tell way and round, and end the run if something asks for it."""

    def on_block(way: str, number: int) -> None:
        console.progress(f"{what}: {names[way]}, {f'round {number}/{rounds}' if number else 'warm-up'}")
        check()

    return on_block


def measured_peaks(workload: Workload, console: Console, check: Callable[[], None]) -> dict[str, Any]:
    """What the devices of the run multiply in its precision, compiled as it was, where they do nothing else."""
    params, found = workload.params, workload.devices
    peaks = {}
    for name, kernel in kernels(found.kind, params.data_format).items():
        console.progress(f"peak: {kernel.name}")
        peak = measure_peak(kernel, found.towers, COMPUTE_DTYPE[params.precision], xla=params.xla_compile, check=check)
        peaks[name] = peak.facts()
    return peaks
