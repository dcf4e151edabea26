"""The story of a run."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from benchmarks import failures
from benchmarks.asynchronous_step import AsynchronousStep
from benchmarks.cluster.place import Place
from benchmarks.console import Console, Header, Narrator, table_head
from benchmarks.copies import compare_copies
from benchmarks.devices import unused_gpus
from benchmarks.draft import Draft, model_facts
from benchmarks.ending import Ending, run_to_end
from benchmarks.exposed_exchange import PAIRS, measure_exposed
from benchmarks.horovod_place import HorovodPlace
from benchmarks.load import HostLoad, gpu_state
from benchmarks.measure import Outcome, Recording, measure, warm_up
from benchmarks.params import CommandLine
from benchmarks.precision_target import PrecisionTarget
from benchmarks.signals import Signals
from benchmarks.step import TrainingStep
from benchmarks.workload import (
    Workload,
    build_independent_step,
    build_step,
    settle,
    verify_update,
)


def run(
    command: CommandLine,
    command_line: Sequence[str],
    console: Console,
    *,
    started: float,
    clock: Callable[[], float] = time.perf_counter,
) -> Ending:
    """Do what `command` asks for; the record says how far it came. `started` is when the process did, by `clock`.

    From its end on the process ignores SIGINT and SIGTERM: the record is still to be written.
    """
    draft = Draft(command, command.params, command_line)

    place = Place()

    def story() -> None:
        nonlocal place
        with Signals() as signals:
            if command.params.variable_update == "horovod":
                place = HorovodPlace()
            train(draft, console, signals.check, started, clock, place)

    ending = run_to_end(draft, story, lambda error: failures.explain(error, draft.params))
    return ending._replace(leaves_record=place.leaves_record)


def train(
    draft: Draft,
    console: Console,
    check: Callable[[], None],
    started: float,
    clock: Callable[[], float] = time.perf_counter,
    place: Place | None = None,
) -> None:
    """Train as long as the parameters say, and measure it; `draft` learns everything as it becomes known.

    `check` is called where it is safe to end, and raises if something asks for that. `place` is where the run takes
    place: this process, or a cluster.
    """
    place = place or Place()
    workload = settle_workload(draft, console, place)
    params = workload.params
    draft.recording = Recording(params.batch_size, workload.devices.num_towers, started, clock)
    for line in header(workload).lines():
        console.line(line)
    if params.verify_variable_update:
        check()
        place.stage("verifying the variable update")
        prove_update(draft, console, workload)

    console.line("Generating training model")
    check()
    place.stage("building the model")
    step = build_step(workload)
    draft.sections |= place.agree(step, workload.devices.towers, check)
    console.line("Initializing graph")
    check()
    place.stage("building the graph")
    draft.recording.trace_seconds = step.trace()

    console.line("Running warm up")
    if not params.num_warmup_batches:
        console.notice("WARNING: --num_warmup_batches=0: the first step, with its one-time costs, is measured too.")
    narrator = Narrator(
        console, params.num_warmup_batches, params.num_batches, params.display_every, params.display_perf_ewma
    )
    check()
    watched = place.watched(step)
    warm_up(watched, draft.recording, params.num_warmup_batches, after(narrator.warm_up, check))
    console.line("Done warm up")
    console.line(table_head(params.loss_type_to_report, params.print_training_accuracy))
    measure_watched(draft, console, workload, step, watched, after(narrator.step, check))
    if params.measure_exchange:
        draft.sections["exchange"] |= measured_exchange(workload, step, place, console, check)


def measure_watched(
    draft: Draft,
    console: Console,
    workload: Workload,
    step: TrainingStep | AsynchronousStep,
    watched: Callable[[], Outcome],
    on_step: Callable[[Recording], None],
) -> None:
    """Measure the window, and look what else the machine did meanwhile and whether the towers still agree.

    `watched` is `step`, as the other processes watch it.
    """
    params, recording = workload.params, draft.recording
    assert recording is not None, "there was a warm-up"
    target = PrecisionTarget(params.target_precision) if params.target_precision else None
    load = HostLoad(alone=not params.job_name)
    measure(watched, recording, params.num_batches, on_step, target.reached if target else None)
    draft.checks["load"] = load.facts()
    if workload.devices.kind == "gpu":
        draft.checks["gpus"] = gpu_state()  # at once: the GPU is still as warm as it was
    if isinstance(step, TrainingStep) and (copies := compare_copies(step.strategy)):
        draft.checks["copies"] = copies.facts()
    if target:
        verdict = target.verdict(recording.step_seconds, params.num_batches)
        console.notice(f"NOTE: --target_precision={target.share:.2%}: {verdict}.")


def settle_workload(draft: Draft, console: Console, place: Place) -> Workload:
    """Settle devices and data at `place`, and warn of what shows only now."""
    asked = draft.notices()
    workload = settle(draft.params, place.set_up)
    if draft.params.device == "auto" and (warning := unused_gpus(workload.devices, draft.hardware["gpus"])):
        console.notice(f"WARNING: {warning}")
    draft.params = workload.params
    draft.sections |= place.sections()
    for notice in draft.notices():
        if notice not in asked:  # those were told before TensorFlow was imported
            console.notice(f"WARNING: {notice}")
    draft.sections["dataset"] = workload.source.facts
    draft.sections["model"] = model_facts(workload.params.model, workload.declarations)
    return workload


def prove_update(draft: Draft, console: Console, workload: Workload) -> None:
    """See whether the variables are updated as on one device, before anything is timed."""
    draft.verdict = verify_update(workload)
    if draft.wrong_update:
        console.notice(f"WARNING: {draft.wrong_update}: this run will be invalid.")


def measured_exchange(
    workload: Workload,
    step: TrainingStep | AsynchronousStep,
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


def after(tell: Callable[[Recording], None], check: Callable[[], None]) -> Callable[[Recording], None]:
    """What is done after each step: `tell` of it, and end the run if something asks for that."""

    def on_step(recording: Recording) -> None:
        tell(recording)
        check()

    return on_step


def header(workload: Workload) -> Header:
    """What the header says of a run."""
    params, found = workload.params, workload.devices
    by_horovod = params.variable_update == "horovod"
    return Header(
        tensorflow=tf.__version__,
        model=params.model,
        dataset=workload.source.title,
        batch_size=params.batch_size,
        num_towers=found.num_towers,
        num_batches=params.num_batches,
        num_epochs=params.num_epochs,
        devices=[f"horovod/{found.kind}:{n}" for n in range(found.processes)] if by_horovod else found.towers,
        data_format=params.data_format,
        optimizer=params.optimizer,
        variables=params.variable_update,
        all_reduce=params.all_reduce_spec,
        sync=params.cross_replica_sync if params.job_name else None,
        horovod_on=params.horovod_device if by_horovod else "",
    )
