"""The steps that a run makes: warm-up and window, and what is looked at beside them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple

from benchmarks.cluster.place import Place
from benchmarks.console import Console, Narrator, table_head
from benchmarks.copies import compare_copies
from benchmarks.devices import addresses_in_use
from benchmarks.draft import Draft
from benchmarks.load import HostLoad, gpu_state, over_window
from benchmarks.looped_step import LoopedStep
from benchmarks.measure import Outcome, Recording, measure, measure_in_calls, warm_up, warm_up_in_calls
from benchmarks.onednn_lines import facts, report
from benchmarks.params import ResolvedParams
from benchmarks.pause import Pause
from benchmarks.placement import first_step
from benchmarks.precision_target import PrecisionTarget
from benchmarks.step import TrainingStep
from benchmarks.telemetry.telemetry import Telemetry
from benchmarks.workload import Workload

WarmUp = Callable[[Callable[[], Outcome], Recording, int, Callable[[Recording], None]], None]


class Length(NamedTuple):
    """Numbers of steps that a process makes: of warm-up, and measured ones."""

    warmup: int
    measured: int


def length_of_rest(params: ResolvedParams, done: int) -> Length:
    """What is left of a training of which `done` steps are done; at least one of them is measured.

    In all a training makes --num_warmup_batches + --num_batches steps, as in tf_cnn_benchmarks. A process that goes on
    with one has a warm-up too, whose steps train as any other.
    """
    left = params.num_warmup_batches + params.num_batches - done
    assert left > 0, "there is something left to train"
    warmup = min(params.num_warmup_batches, left - 1)
    return Length(warmup, left - warmup)


def make_steps(
    draft: Draft,
    workload: Workload,
    step: Callable[[], Outcome],
    place: Place,
    console: Console,
    check: Callable[[], None],
    pauses: Sequence[Pause] = (),
    traced_warm_up: WarmUp | None = None,
) -> None:
    """Warm up, and measure as long as the parameters say, with `pauses`; see whether the towers agree at the end.

    In a `traced_warm_up` there are no pauses: a rule keeps traces from what is saved.
    """
    params, recording = workload.params, draft.recording
    assert recording is not None, "the run has begun to record"
    length = length_of_rest(params, recording.earlier.steps)
    narrator = Narrator(console, *length, params.display_every, params.display_perf_ewma)
    console.line("Running warm up")
    if not length.warmup:
        console.notice("WARNING: there is no warm-up: the first step, with its one-time costs, is measured too.")
    check()
    watched = place.watched(step)
    if isinstance(step, LoopedStep):
        make_calls(draft, workload, step, place, length, narrator, console, check)
        return
    warm_up_step, ended = after(narrator.warm_up, check), False
    first = min(length.warmup, 1)
    with first_step(draft, params, step, console, in_warmup=bool(first)):
        ended = warm_up_with_pauses(watched, recording, first, warm_up_step, pauses)
    if traced_warm_up:
        traced_warm_up(watched, recording, length.warmup - first, warm_up_step)
    elif not ended:
        ended = warm_up_with_pauses(watched, recording, length.warmup - first, warm_up_step, pauses)
    console.line("Done warm up")
    console.line(table_head(params.loss_type_to_report, params.print_training_accuracy or params.forward_only))
    if not ended:
        on_step = after(narrator.step, check)
        measure_window(draft, workload, watched, place, console, length.measured, on_step, pauses)
    if isinstance(step, TrainingStep) and (copies := compare_copies(step.strategy)):
        draft.checks["copies"] = copies.facts()


def make_calls(
    draft: Draft,
    workload: Workload,
    step: LoopedStep,
    place: Place,
    length: Length,
    narrator: Narrator,
    console: Console,
    check: Callable[[], None],
) -> None:
    """Warm up and measure as above, with many steps a call: rules keep away all that is done between two steps."""
    params, recording, calls = workload.params, draft.recording, Length(*(each // step.steps for each in length))
    assert recording is not None, "the run has begun to record"
    warm_up_call, first = after(narrator.warm_up, check), min(calls.warmup, 1)
    with first_step(draft, params, step, console, in_warmup=bool(first)):
        warm_up_in_calls(step.outcomes, recording, first, warm_up_call)
    warm_up_in_calls(step.outcomes, recording, calls.warmup - first, warm_up_call)
    console.line("Done warm up")
    console.line(table_head(params.loss_type_to_report, params.print_training_accuracy))
    with watching(draft, workload, place, console) as part, part():
        measure_in_calls(step.outcomes, recording, calls.measured, after(narrator.step, check))
    if copies := compare_copies(step.strategy):
        draft.checks["copies"] = copies.facts()


def warm_up_with_pauses(
    step: Callable[[], Outcome],
    recording: Recording,
    steps: int,
    on_step: Callable[[Recording], None],
    pauses: Sequence[Pause],
) -> bool:
    """Make the `steps` of the warm-up; returns whether one of `pauses` has ended the training.

    In the first process of a training nothing but a checkpoint is due so early.
    """
    for _ in range(steps):
        warm_up(step, recording, 1, on_step)
        if taken([pause for pause in pauses if pause.due(recording)], recording):
            return True
    return False


def measure_window(
    draft: Draft,
    workload: Workload,
    step: Callable[[], Outcome],
    place: Place,
    console: Console,
    steps: int,
    on_step: Callable[[Recording], None],
    pauses: Sequence[Pause],
) -> None:
    """Measure a window of `steps` steps, in the parts between `pauses`, and look what else the machine did."""
    params, recording = workload.params, draft.recording
    assert recording is not None, "there was a warm-up"
    target = PrecisionTarget(params.target_precision) if params.target_precision else None
    pauses = [*pauses, *([target] if target else [])]
    with watching(draft, workload, place, console) as part:
        measure_with_pauses(step, recording, steps, on_step, pauses, part)
    if target:
        verdict = target.verdict(recording.step_seconds, steps)
        console.notice(f"NOTE: --target_precision={target.share:.2%}: {verdict}.")


@contextlib.contextmanager
def watching(
    draft: Draft, workload: Workload, place: Place, console: Console
) -> Iterator[Callable[[], AbstractContextManager[None]]]:
    """What to enter for each part of the window, so that `draft` knows what hardware and host did meanwhile."""
    load = HostLoad(alone=place.alone)
    addresses = addresses_in_use(workload.devices)
    with telemetry_of(draft, place, addresses, console) as part, primitives_of(draft, console, part) as part:
        yield part
    draft.checks["load"] = load.facts()
    if workload.devices.kind == "gpu":
        now = gpu_state(addresses=addresses)  # at once: the GPU is still as warm as it was
        draft.checks["gpus"] = over_window(now, draft.sections.get("telemetry", {}))


@contextlib.contextmanager
def telemetry_of(
    draft: Draft, place: Place, addresses: Sequence[str] | None, console: Console
) -> Iterator[Callable[[], AbstractContextManager[None]]]:
    """What to enter for each part of the window, so that `draft` knows at the end, whatever it is, what was seen.

    `addresses` are those of this process's GPUs, as for `own_gpus`. GPUs of which not all was told are named.
    """
    recording, interval = draft.recording, draft.params.telemetry_interval
    assert recording is not None, "there was a warm-up"
    if not interval:
        yield contextlib.nullcontext
        return
    telemetry = Telemetry(interval, recording.clock, addresses)
    try:
        yield telemetry.part
    finally:
        images = recording.images_per_step * len(recording.step_seconds)
        seen = draft.sections["telemetry"] = telemetry.facts(images if place.alone else None)
        for name, gpu in seen["gpus"].items():
            if gpu["failure"]:
                console.notice(f"WARNING: telemetry of {name} is not whole: {gpu['failure']}.")


@contextlib.contextmanager
def primitives_of(
    draft: Draft, console: Console, part: Callable[[], AbstractContextManager[None]]
) -> Iterator[Callable[[], AbstractContextManager[None]]]:
    """What to enter for each part of the window, beside `part`, so that what oneDNN tells there is summed up."""
    lines, recording = draft.primitives, draft.recording
    assert recording is not None, "there was a warm-up"
    if lines is None:
        yield part
        return

    @contextlib.contextmanager
    def both() -> Iterator[None]:
        with part(), lines.part():
            yield

    try:
        yield both
    finally:
        told, steps = lines.told(), len(recording.step_seconds)
        draft.sections["onednn"] = facts(told, steps)
        for line in report(told, steps):
            console.notice(line)


def measure_with_pauses(
    step: Callable[[], Outcome],
    recording: Recording,
    steps: int,
    on_step: Callable[[Recording], None],
    pauses: Sequence[Pause],
    part: Callable[[], AbstractContextManager[None]] = contextlib.nullcontext,
) -> None:
    """Measure `steps` steps, or until one of `pauses` ends the training; each part between two pauses within `part`."""
    due: list[Pause] = []

    def interrupted(recording: Recording) -> bool:
        due[:] = [pause for pause in pauses if pause.due(recording)]
        return bool(due)

    ended = False
    while not ended and len(recording.step_seconds) < steps:
        with part():
            measure(step, recording, steps - len(recording.step_seconds), on_step, interrupted)
        ended = taken(due, recording)


def taken(pauses: Sequence[Pause], recording: Recording) -> bool:
    """Take all of `pauses`; returns whether one of them ends the training."""
    answers = [pause(recording) for pause in pauses]
    return any(answers)


def after(tell: Callable[[Recording], None], check: Callable[[], None]) -> Callable[[Recording], None]:
    """What is done after each step: `tell` of it, and end the run if something asks for that."""

    def on_step(recording: Recording) -> None:
        tell(recording)
        check()

    return on_step
