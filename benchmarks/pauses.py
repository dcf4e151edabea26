"""What the parameters of a run ask for beside its steps: what it pauses for, and files that tell of its step."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.build import build_evaluator
from benchmarks.compiled_step import CompiledStep
from benchmarks.console import Console
from benchmarks.draft import Draft
from benchmarks.evaluations import Evaluations
from benchmarks.measure import Outcome
from benchmarks.params.conditions import evaluates, traces
from benchmarks.params.evaluation_points import evaluation_points
from benchmarks.pause import Pause
from benchmarks.step import Step, TrainingStep
from benchmarks.window import WarmUp
from benchmarks.workload import Workload


def prepare_pauses(
    draft: Draft, workload: Workload, step: Step, console: Console, check: Callable[[], None]
) -> list[Pause]:
    """All that the training of `step` is to pause for."""
    pauses: list[Pause] = []
    if evaluates(workload.params):
        points = evaluation_points(workload.params)
        pauses.append(Evaluations(draft, build_evaluator(workload, step.strategy.stores[0]), points, console, check))
    if workload.params.summary_verbosity:
        pauses.append(prepare_summaries(workload, step, console))
    return pauses


def prepare_traces(
    draft: Draft, workload: Workload, step: Callable[[], Outcome], console: Console, check: Callable[[], None]
) -> tuple[WarmUp | None, list[Pause]]:
    """How to warm up while steps are traced, and what to pause for to trace some."""
    if not traces(workload.params):
        return None, []
    from benchmarks.tracing import TracePause, Tracing  # other runs do without

    tracing = Tracing(draft, workload.params, workload.devices.kind, console)
    if tracing.steps.in_warmup:
        return tracing.warm_up, []
    return None, [TracePause(tracing, step, check)]


def prepare_summaries(workload: Workload, step: Step, console: Console) -> Pause:
    """The pauses in which TensorBoard's events are written."""
    from benchmarks.summaries import Summaries  # other runs do without

    params = workload.params
    assert isinstance(step, TrainingStep), "a rule says so"
    assert params.train_dir, "a rule says so"
    console.notice(f"Summaries: {params.train_dir} (tensorboard --logdir={params.train_dir})")
    return Summaries(params.train_dir, step, params.save_summaries_steps, params.summary_verbosity)


def keep_graph(workload: Workload, step: object, console: Console) -> None:
    """Write the graph of `step` where it was asked for."""
    if not (file := workload.params.graph_file):
        return
    from benchmarks.graph_file import write_graph  # other runs do without

    assert isinstance(step, CompiledStep), "a rule says so"
    write_graph(file, step.graph)
    console.notice(f"Graph of the step: {file}")
