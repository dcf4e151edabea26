"""The story of a run, and how it ended."""

from __future__ import annotations

import signal
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import tensorflow as tf

import models
from benchmarks import devices, environment, failures, optimizers, precision
from benchmarks.console import Console, Header, Narrator, table_head
from benchmarks.draft import Draft, model_facts, placement_facts
from benchmarks.errors import ExitCode, UserError
from benchmarks.inputs.sources import Source, open_source
from benchmarks.measure import Recording, measure, warm_up
from benchmarks.params import CommandLine, ResolvedParams, resolve
from benchmarks.step import StepOptions, TrainingStep
from models.layers import declarations
from results.record import RunRecord
from variable_mgr import strategies


class Terminated(BaseException):
    """Somebody asked the process to end (SIGTERM)."""


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
    """Do what `command` asks for; the record says how far it came. `started` is when the process did, by `clock`."""
    draft = Draft(command, command.params, command_line)
    try:
        with _sigterm_raises():
            train(draft, console, started, clock)
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
    accepted = record.valid or draft.params.allow_nonfinite_loss
    return Ending(record, ExitCode.VALID if accepted else ExitCode.INVALID)


def train(draft: Draft, console: Console, started: float, clock: Callable[[], float]) -> None:
    """Train as long as the parameters say, and measure it; `draft` learns everything as it becomes known."""
    tf.random.set_seed(draft.params.tf_random_seed)
    machine = devices.set_up(draft.params)
    if draft.params.device == "auto" and (warning := devices.unused_gpus(machine, environment.gpus()["gpus"])):
        console.notice(f"WARNING: {warning}")
    source = open_source(draft.params)
    draft.params = params = resolve(draft.params, device=machine.kind, examples=source.examples)
    devices.check_layout(params.data_format, params.precision, machine.towers[0])
    draft.recording = Recording(params.batch_size, len(machine.towers), started, clock)
    draft.sections["dataset"] = source.facts
    for line in header(params, machine.towers, source).lines():
        console.line(line)

    console.line("Generating training model")
    network = models.get(params.model, source.dataset.name)
    variables = declarations(network, source.num_classes)
    draft.sections["model"] = model_facts(params.model, variables)
    strategy = strategies.make(
        params.variable_update, variables, machine.towers, machine.parameters, params.tf_random_seed
    )
    draft.sections["placement"] = placement_facts(machine.towers, strategy.stores)
    step = TrainingStep(
        network,
        strategy,
        machine.towers,
        source.towers(params, network.image_size, machine.towers),
        optimizers.make(params),
        precision.make_loss_scale(params),
        step_options(params, source.num_classes),
    )
    console.line("Initializing graph")
    draft.recording.trace_seconds = step.trace()
    console.line("Running warm up")
    if not params.num_warmup_batches:
        console.notice("WARNING: --num_warmup_batches=0: the first step, with its one-time costs, is measured too.")
    narrator = Narrator(
        console, params.num_warmup_batches, params.num_batches, params.display_every, params.display_perf_ewma
    )
    warm_up(step, draft.recording, params.num_warmup_batches, narrator.warm_up)
    console.line("Done warm up")
    console.line(table_head(params.loss_type_to_report, params.print_training_accuracy))
    measure(step, draft.recording, params.num_batches, narrator.step)


def header(params: ResolvedParams, towers: Sequence[str], source: Source) -> Header:
    """What the header says of a run of `params`."""
    return Header(
        tensorflow=tf.__version__,
        model=params.model,
        dataset=source.title,
        batch_size=params.batch_size,
        num_towers=len(towers),
        batch_group_size=params.batch_group_size,
        num_batches=params.num_batches,
        num_epochs=params.num_epochs,
        devices=towers,
        numa_bind=params.use_numa_affinity,
        data_format=params.data_format,
        optimizer=params.optimizer,
        variables=params.variable_update,
        all_reduce=params.all_reduce_spec,
    )


def step_options(params: ResolvedParams, num_classes: int) -> StepOptions:
    """How `params` want a step computed."""
    return StepOptions(
        num_classes=num_classes,
        data_format=params.data_format,
        dtype=precision.COMPUTE_DTYPE[params.precision],
        weight_decay=params.weight_decay,
        report_total_loss=params.loss_type_to_report == "total_loss",
        single_l2_loss_op=params.single_l2_loss_op,
        accuracy=params.print_training_accuracy,
        xla=params.xla_compile,
    )


@contextmanager
def _sigterm_raises() -> Iterator[None]:
    """Let SIGTERM end the run as Ctrl-C does, so that its record is written."""

    def terminate(*_: object) -> None:
        raise Terminated

    previous = signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)
