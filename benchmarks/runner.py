"""The story of a run, and how it ended."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import tensorflow as tf

from benchmarks import failures
from benchmarks.console import Console, Header, Narrator, table_head
from benchmarks.devices import unused_gpus
from benchmarks.draft import Draft, exchange_facts, model_facts, placement_facts
from benchmarks.errors import ExitCode, UserError
from benchmarks.exposed_exchange import PAIRS, measure_exposed
from benchmarks.measure import Recording, measure, warm_up
from benchmarks.params import CommandLine
from benchmarks.signals import Signals, Terminated
from benchmarks.step import TrainingStep
from benchmarks.workload import Workload, build_independent_step, build_step, settle, verify_update
from results.record import RunRecord


class Ending(NamedTuple):
    """The record of a run, good or bad, and what the process should say of it."""

    record: RunRecord
    exit_code: ExitCode


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
    try:
        with Signals() as signals:
            train(draft, console, signals, started, clock)
    except KeyboardInterrupt:
        return Ending(draft.record("interrupted", "interrupted by Ctrl-C"), ExitCode.INTERRUPTED)
    except Terminated:
        return Ending(draft.record("interrupted", "ended by SIGTERM"), ExitCode.TERMINATED)
    except Exception as error:  # noqa: BLE001  whatever ended the run, its record is due
        if draft.params.debug:
            traceback.print_exc()
        record = draft.record("failed", failures.explain(error, draft.params))
        return Ending(record, ExitCode.UNUSABLE if isinstance(error, UserError) else ExitCode.FAILED)
    record = draft.record("completed")
    accepted = record.valid or (draft.params.allow_nonfinite_loss and not draft.wrong_update)
    return Ending(record, ExitCode.VALID if accepted else ExitCode.INVALID)


def train(draft: Draft, console: Console, signals: Signals, started: float, clock: Callable[[], float]) -> None:
    """Train as long as the parameters say, and measure it; `draft` learns everything as it becomes known."""
    asked = draft.notices()
    workload = settle(draft.params)
    if draft.params.device == "auto" and (warning := unused_gpus(workload.devices, draft.hardware["gpus"])):
        console.notice(f"WARNING: {warning}")
    draft.params = params = workload.params
    for notice in draft.notices():
        if notice not in asked:  # those were told before TensorFlow was imported
            console.notice(f"WARNING: {notice}")
    draft.recording = Recording(params.batch_size, len(workload.devices.towers), started, clock)
    draft.sections["dataset"] = workload.source.facts
    draft.sections["model"] = model_facts(params.model, workload.declarations)
    for line in header(workload).lines():
        console.line(line)

    if params.verify_variable_update:
        draft.verdict = verify_update(workload)
        if draft.wrong_update:
            console.notice(f"WARNING: {draft.wrong_update}: this run will be invalid.")
    console.line("Generating training model")
    signals.check()
    step = build_step(workload)
    draft.sections["placement"] = placement_facts(workload.devices.towers, step.strategy.stores)
    draft.sections["exchange"] = exchange_facts(step.strategy.traffic())
    console.line("Initializing graph")
    signals.check()
    draft.recording.trace_seconds = step.trace()

    console.line("Running warm up")
    if not params.num_warmup_batches:
        console.notice("WARNING: --num_warmup_batches=0: the first step, with its one-time costs, is measured too.")
    narrator = Narrator(
        console, params.num_warmup_batches, params.num_batches, params.display_every, params.display_perf_ewma
    )
    signals.check()
    warm_up(step, draft.recording, params.num_warmup_batches, after(narrator.warm_up, signals))
    console.line("Done warm up")
    console.line(table_head(params.loss_type_to_report, params.print_training_accuracy))
    measure(step, draft.recording, params.num_batches, after(narrator.step, signals))
    if params.measure_exchange:
        draft.sections["exchange"] |= measured_exchange(workload, step, console, signals)


def measured_exchange(workload: Workload, step: TrainingStep, console: Console, signals: Signals) -> dict[str, Any]:
    """What the exchange of `step` costs, measured against a step without it."""
    independent = build_independent_step(workload)

    def on_pair(number: int) -> None:
        console.progress(f"exchange: pair {number}/{PAIRS}")
        signals.check()

    signals.check()
    exposed = measure_exposed(step, independent, on_pair=on_pair)
    console.notice(
        f"Exposed exchange: {1e3 * exposed.exposed_seconds:.2f} ms a step ({exposed.exposed_share:.1%}), "
        f"against independent towers in {PAIRS} pairs."
    )
    return exposed.facts()


def after(tell: Callable[[Recording], None], signals: Signals) -> Callable[[Recording], None]:
    """What is done after each step: `tell` of it, and end the run if a signal has come."""

    def on_step(recording: Recording) -> None:
        tell(recording)
        signals.check()

    return on_step


def header(workload: Workload) -> Header:
    """What the header says of a run."""
    params, towers = workload.params, workload.devices.towers
    return Header(
        tensorflow=tf.__version__,
        model=params.model,
        dataset=workload.source.title,
        batch_size=params.batch_size,
        num_towers=len(towers),
        num_batches=params.num_batches,
        num_epochs=params.num_epochs,
        devices=towers,
        data_format=params.data_format,
        optimizer=params.optimizer,
        variables=params.variable_update,
        all_reduce=params.all_reduce_spec,
    )
