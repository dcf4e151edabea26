"""The story of a run."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import tensorflow as tf

from benchmarks import failures
from benchmarks.build import build_forward_step, build_input_step, build_step, verify_update
from benchmarks.checkpoint_evaluation import CheckpointEvaluation, evaluation_batch_size
from benchmarks.cluster.place import Place
from benchmarks.console import Console, Header
from benchmarks.devices import peak_device_bytes
from benchmarks.draft import Draft, placement_facts
from benchmarks.ending import Ending, run_to_end
from benchmarks.experiments import experiment
from benchmarks.horovod_place import HorovodPlace
from benchmarks.inputs.stage_times import measure_stages
from benchmarks.measure import Recording
from benchmarks.onednn_lines import PrimitiveLines
from benchmarks.params import CommandLine
from benchmarks.params.conditions import quantizes
from benchmarks.pauses import keep_graph, prepare_pauses, prepare_traces
from benchmarks.resuming import begun_with
from benchmarks.saving import Kept, open_checkpoints, prepare_saving
from benchmarks.settling import settle_workload
from benchmarks.signals import Signals, Terminated
from benchmarks.step import Step
from benchmarks.topology import tower_wiring
from benchmarks.window import make_steps
from benchmarks.workload import Workload, input_stages
from results.mode import mode


def run(
    command: CommandLine,
    command_line: Sequence[str],
    console: Console,
    *,
    started: float,
    clock: Callable[[], float] = time.perf_counter,
    known: Mapping[str, Any] = MappingProxyType({}),
) -> Ending:
    """Do what `command` asks for; the record says how far it came. `started` is when the process did, by `clock`.

    `known` are sections of the record that are known before.

    From its end on the process ignores SIGINT and SIGTERM: the record is still to be written.
    """
    draft = Draft(command, command.params, command_line, sections=dict(known))
    if command.params.onednn_verbose:
        draft.primitives = PrimitiveLines()
        console.write_to(draft.primitives.own_stdout)

    place = Place()

    def story() -> None:
        nonlocal place
        with Signals() as signals:
            if command.params.variable_update == "horovod":
                place = HorovodPlace()
            train(draft, console, signals.check, started, clock, place)

    def explain(error: Exception) -> str:
        draft.out_of_memory = failures.out_of_memory(error)
        return failures.explain(error, draft.params)

    ending = run_to_end(draft, story, explain)
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
        steps_per_call=params.steps_per_loop,
    )
    if params.eval:
        evaluate(draft, workload, console, check)
        return
    if params.input_only:
        measure_input(draft, workload, place, console, check, clock)
        return
    if quantizes(params):  # --train_dir has its weights, and nothing is saved there
        train_workload(draft, workload, None, place, console, check)
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
        prove_update(draft, workload, place, console, check)

    console.line("Generating training model")
    check()
    place.stage("building the model")
    step = built_step(workload, console, check)
    saving = prepare_saving(draft, workload, step, kept, console) if kept else None
    check = saving.heeding(check) if saving else check
    draft.sections |= place.agree(step, workload.devices.towers, check)
    draft.sections["exchange"] |= tower_wiring.facts(workload.topology)
    console.line("Initializing graph")
    check()
    place.stage("building the graph")
    recording.trace_seconds = step.trace()
    if quantizes(params):
        keep_conversion(draft, step)
    keep_graph(workload, step, console)
    traced_warm_up, pauses = prepare_traces(draft, workload, step, console, check)
    pauses += [*prepare_pauses(draft, workload, step, console, check), *([saving] if saving else [])]

    try:
        make_steps(draft, workload, step, place, console, check, pauses, traced_warm_up)
        if saving:
            saving.finish(recording)
    except (KeyboardInterrupt, Terminated) as told:
        if saving:
            saving.interrupted(recording, told)
        raise
    finally:
        if params.trial_set:
            draft.peaks = {"peak_device_bytes": peak_device_bytes(workload.devices)}
        draft.sections["dataset"] = workload.source.facts | counted(workload, console)
    experiment(draft, workload, step, place, console, check)


def built_step(workload: Workload, console: Console, check: Callable[[], None]) -> Step:
    """The step of `workload`, with its variables in place, not traced yet. Raises UserError."""
    if quantizes(workload.params):
        from benchmarks.quantization.quantized_step import build_quantized_step  # needs LiteRT, which others do without

        def on_image(number: int) -> None:
            console.progress(f"calibration: image {number}/{workload.params.num_calibration_images}")
            check()

        return build_quantized_step(workload, on_image=on_image)
    return build_forward_step(workload) if workload.params.forward_only else build_step(workload)


def keep_conversion(draft: Draft, step: Step) -> None:
    """Have in the record what the conversion of `step` made."""
    from benchmarks.quantization.quantized_step import QuantizedStep  # as above

    assert isinstance(step, QuantizedStep), "a run that quantises makes such steps"
    draft.sections["quantization"] = step.facts()


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
    keep_graph(workload, step, console)
    traced_warm_up, pauses = prepare_traces(draft, workload, step, console, check)
    try:
        make_steps(draft, workload, step, place, console, check, pauses, traced_warm_up)
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


def prove_update(draft: Draft, workload: Workload, place: Place, console: Console, check: Callable[[], None]) -> None:
    """See whether the variables are updated as on one device, before anything is timed."""
    check()
    place.stage("verifying the variable update")
    draft.verdict = verify_update(workload)
    if draft.wrong_update:
        console.notice(f"WARNING: {draft.wrong_update}: this run will be invalid.")


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
        numa=params.use_numa_affinity or params.numa_node is not None,
    )
