"""The steps that a run makes: warm-up and window, and what is looked at beside them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager

from benchmarks.cluster.place import Place
from benchmarks.console import Console, Narrator, table_head
from benchmarks.copies import compare_copies
from benchmarks.draft import Draft
from benchmarks.load import HostLoad, gpu_state
from benchmarks.measure import Outcome, Recording, measure, warm_up
from benchmarks.pause import Pause
from benchmarks.precision_target import PrecisionTarget
from benchmarks.step import TrainingStep
from benchmarks.telemetry.telemetry import Telemetry
from benchmarks.workload import Workload

WarmUp = Callable[[Callable[[], Outcome], Recording, int, Callable[[Recording], None]], None]


def make_steps(
    draft: Draft,
    workload: Workload,
    step: Callable[[], Outcome],
    place: Place,
    console: Console,
    check: Callable[[], None],
    pauses: Sequence[Pause] = (),
    warm_up: WarmUp = warm_up,
) -> None:
    """Warm up, and measure as long as the parameters say, with `pauses`; see whether the towers agree at the end."""
    params, recording = workload.params, draft.recording
    assert recording is not None, "the run has begun to record"
    narrator = Narrator(
        console, params.num_warmup_batches, params.num_batches, params.display_every, params.display_perf_ewma
    )
    console.line("Running warm up")
    if not params.num_warmup_batches:
        console.notice("WARNING: --num_warmup_batches=0: the first step, with its one-time costs, is measured too.")
    check()
    watched = place.watched(step)
    warm_up(watched, recording, params.num_warmup_batches, after(narrator.warm_up, check))
    console.line("Done warm up")
    console.line(table_head(params.loss_type_to_report, params.print_training_accuracy or params.forward_only))
    measure_window(draft, workload, watched, place, console, after(narrator.step, check), pauses)
    if isinstance(step, TrainingStep) and (copies := compare_copies(step.strategy)):
        draft.checks["copies"] = copies.facts()


def measure_window(
    draft: Draft,
    workload: Workload,
    step: Callable[[], Outcome],
    place: Place,
    console: Console,
    on_step: Callable[[Recording], None],
    pauses: Sequence[Pause],
) -> None:
    """Measure the window, in the parts between `pauses`, and look what else the machine did meanwhile."""
    params, recording = workload.params, draft.recording
    assert recording is not None, "there was a warm-up"
    target = PrecisionTarget(params.target_precision) if params.target_precision else None
    load = HostLoad(alone=place.alone)
    pauses = [*pauses, *([target] if target else [])]
    with telemetry_of(draft, place) as part:
        measure_with_pauses(step, recording, params.num_batches, on_step, pauses, part)
    draft.checks["load"] = load.facts()
    if workload.devices.kind == "gpu":
        draft.checks["gpus"] = gpu_state()  # at once: the GPU is still as warm as it was
    if target:
        verdict = target.verdict(recording.step_seconds, params.num_batches)
        console.notice(f"NOTE: --target_precision={target.share:.2%}: {verdict}.")


@contextlib.contextmanager
def telemetry_of(draft: Draft, place: Place) -> Iterator[Callable[[], AbstractContextManager[None]]]:
    """What to enter for each part of the window, so that `draft` knows at the end, whatever it is, what was seen."""
    recording, interval = draft.recording, draft.params.telemetry_interval
    assert recording is not None, "there was a warm-up"
    if not interval:
        yield contextlib.nullcontext
        return
    telemetry = Telemetry(interval, recording.clock)
    try:
        yield telemetry.part
    finally:
        images = recording.images_per_step * len(recording.step_seconds)
        draft.sections["telemetry"] = telemetry.facts(images if place.alone else None)


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
        answers = [pause(recording) for pause in due]
        ended = any(answers)


def after(tell: Callable[[Recording], None], check: Callable[[], None]) -> Callable[[Recording], None]:
    """What is done after each step: `tell` of it, and end the run if something asks for that."""

    def on_step(recording: Recording) -> None:
        tell(recording)
        check()

    return on_step
