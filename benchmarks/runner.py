"""The story of a run."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from benchmarks import failures
from benchmarks.checkpoint_evaluation import CheckpointEvaluation, evaluation_batch_size
from benchmarks.cluster.place import Place
from benchmarks.console import Console, Header
from benchmarks.devices import unused_gpus
from benchmarks.diagnosis.diagnose import measured_diagnosis
from benchmarks.diagnosis.rounds import ROUNDS
from benchmarks.draft import Draft, model_facts, placement_facts
from benchmarks.ending import Ending, run_to_end
from benchmarks.evaluations import Evaluations
from benchmarks.exposed_exchange import PAIRS, measure_exposed
from benchmarks.horovod_place import HorovodPlace
from benchmarks.inputs.stage_times import measure_stages
from benchmarks.measure import Recording
from benchmarks.params import CommandLine
from benchmarks.params.conditions import evaluates
from benchmarks.params.evaluation_points import evaluation_points
from benchmarks.pause import Pause
from benchmarks.resuming import begun_with
from benchmarks.saving import Kept, open_checkpoints, prepare_saving
from benchmarks.signals import Signals
from benchmarks.step import Step
from benchmarks.window import make_steps
from benchmarks.workload import (
    Workload,
    build_evaluator,
    build_forward_step,
    build_independent_step,
    build_input_step,
    build_step,
    input_stages,
    settle,
    verify_update,
)
from results.diagnosis import WAYS, report
from results.mode import mode


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
    return ending._replace(leaves_record=ending.leaves_record and place.leaves_record)


def train(
    draft: Draft,
    console: Console,
    check: Callable[[], None],
    started: float,
    clock: Callable[[], float] = time.perf_counter,
    place: Place | None = None,
) -> None:
    """Train as long as the parameters say, or do what else they say, and measure it.

    `draft` learns everything as it becomes known. `check` is called where it is safe to end, and raises if something
    asks for that. `place` is where the run takes place: this process, or a cluster.
    """
    place = place or Place()
    workload = settle_workload(draft, console, place)
    params = workload.params
    draft.recording = Recording(
        evaluation_batch_size(workload) if params.eval else params.batch_size,
        workload.devices.num_towers,
        started,
        clock,
        has_losses=not (params.input_only or params.forward_only or params.eval),
    )
    if params.eval:
        evaluate(draft, workload, console, check)
        return
    if params.input_only:
        measure_input(draft, workload, place, console, check, clock)
        return
    with open_checkpoints(draft, workload, console) as kept:
        train_workload(draft, begun_with(workload, kept.resumed if kept else None), kept, place, console, check)


def train_workload(
    draft: Draft,
    workload: Workload,
    kept: Kept | None,
    place: Place,
    console: Console,
    check: Callable[[], None],
) -> None:
    """Train `workload`, or make its forward pass alone, and measure that; save it in what is `kept` of it, if that is.

    What experiments are asked for follow.
    """
    params, recording = workload.params, draft.recording
    assert recording is not None, "the run has begun to record"
    for line in header(workload).lines():
        console.line(line)
    if params.verify_variable_update and not params.forward_only:
        check()
        place.stage("verifying the variable update")
        prove_update(draft, console, workload)

    console.line("Generating training model")
    check()
    place.stage("building the model")
    step: Step = build_forward_step(workload) if params.forward_only else build_step(workload)
    saving = prepare_saving(draft, workload, step, kept, console) if kept else None
    draft.sections |= place.agree(step, workload.devices.towers, check)
    console.line("Initializing graph")
    check()
    place.stage("building the graph")
    recording.trace_seconds = step.trace()
    pauses = [*prepare_pauses(draft, workload, step, console, check), *([saving] if saving else [])]

    try:
        make_steps(draft, workload, step, place, console, check, pauses)
        if saving:
            saving.finish(recording)
    finally:
        draft.sections["dataset"] = workload.source.facts | counted(workload, console)
    if params.measure_exchange:
        draft.sections["exchange"] |= measured_exchange(workload, step, place, console, check)
    if params.diagnose:
        draft.sections["diagnosis"] = find_bound(workload, console, check)


def measure_input(
    draft: Draft,
    workload: Workload,
    place: Place,
    console: Console,
    check: Callable[[], None],
    clock: Callable[[], float],
) -> None:
    """Measure the input of all towers without a model, and then the stages of one tower's pipeline."""
    for line in header(workload).lines():
        console.line(line)
    towers = workload.devices.towers
    draft.sections["placement"] = placement_facts(towers, [])
    console.line("Initializing graph")
    check()
    step = build_input_step(workload)
    assert draft.recording is not None, "the run has begun to record"
    draft.recording.trace_seconds = step.trace()
    try:
        make_steps(draft, workload, step, place, console, check)
        times = measure_stages(input_stages(workload), workload.params.batch_size, clock=clock, check=check)
    finally:
        draft.sections["dataset"] = workload.source.facts | counted(workload, console)
    console.notice(f"The input of one tower ({towers[0]}) alone, stage by stage:")
    for stage in times:
        console.notice(f"  {stage}")
    draft.sections["dataset"]["stages"] = [stage.facts() for stage in times]


def evaluate(draft: Draft, workload: Workload, console: Console, check: Callable[[], None]) -> None:
    """Evaluate the checkpoints of a training."""
    assert draft.recording is not None, "the run has begun to record"
    evaluation = CheckpointEvaluation(draft, workload, console, check)
    told = header(workload)
    for line in dataclasses.replace(
        told, batch_size=evaluation_batch_size(workload), num_batches=evaluation.steps, num_epochs=1.0
    ).lines():
        console.line(line)
    console.line("Generating evaluation model")
    console.line("Initializing graph")
    evaluation.warm_up(draft.recording)
    evaluation.run(draft.recording)


def prepare_pauses(
    draft: Draft, workload: Workload, step: Step, console: Console, check: Callable[[], None]
) -> list[Pause]:
    """All that the training of `step` is to pause for."""
    pauses: list[Pause] = []
    if evaluates(workload.params):
        points = evaluation_points(workload.params)
        pauses.append(Evaluations(draft, build_evaluator(workload, step.strategy.stores[0]), points, console, check))
    return pauses


def counted(workload: Workload, console: Console) -> dict[str, Any]:
    """What the input has counted until now, none of which goes unsaid."""
    try:
        counts = workload.source.counted()
    except tf.errors.OpError:  # a machine that is gone: why is what the run's end tells
        return {}
    if number := counts.get("skipped_images"):
        console.notice(f"WARNING: {number} skipped images: they could not be decoded. The first are:")
        for image in counts["skipped"]:
            console.notice(f"  {image}")
    return counts


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
    if workload.source.facts.get("deterministic_order") is False:
        console.notice("NOTE: the order of the images depends on timing: runs with the same seed see other batches.")
    draft.sections["dataset"] = workload.source.facts
    if not workload.params.input_only:
        draft.sections["model"] = model_facts(workload.params.model, workload.declarations)
    return workload


def prove_update(draft: Draft, console: Console, workload: Workload) -> None:
    """See whether the variables are updated as on one device, before anything is timed."""
    draft.verdict = verify_update(workload)
    if draft.wrong_update:
        console.notice(f"WARNING: {draft.wrong_update}: this run will be invalid.")


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

    def on_block(way: str, number: int) -> None:
        console.progress(f"diagnosis: {WAYS[way]}, {f'round {number}/{ROUNDS}' if number else 'warm-up'}")
        check()

    facts = measured_diagnosis(workload, on_block)
    for line in report(facts):
        console.notice(line)
    return facts


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
        mode=mode(vars(params)),
    )
