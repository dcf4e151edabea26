"""What traces, profiles, graphs and summaries need, and what they exclude."""

from __future__ import annotations

from pathlib import Path

from benchmarks.params.conditions import EVALUATION_SCHEDULES, evaluates, traces
from benchmarks.params.evaluation_points import schedules
from benchmarks.params.output_files import file_problem
from benchmarks.params.params import Params
from benchmarks.params.resolve import DEFAULT_NUM_BATCHES, warmup_batches
from benchmarks.params.rules import rule
from benchmarks.params.traced_steps import WANTED, TracedSteps, traced_steps

_TRACES = ("trace_file", "tfprof_file")
_FILES = (*_TRACES, "graph_file")
_SUMMARIES = ("summary_verbosity", "save_summaries_steps", "train_dir")


@rule(*_FILES)
def writable_files(params: Params) -> list[str]:
    """Each can be written, and none over another."""
    given = {name: getattr(params, name) for name in _FILES if getattr(params, name)}
    found = [problem for name, value in given.items() if (problem := file_problem(name, value))]
    files: dict[Path, str] = {}
    for name, value in given.items():
        other = files.setdefault(Path(value).expanduser().absolute(), name)
        if other != name:
            found.append(f"--{other}={value} and --{name}={value} are one file. Give each its own.")
    return found


@rule(*_TRACES, "trace_steps", "num_warmup_batches", "autotune_threshold", "num_batches", "target_precision")
def steps_to_trace(params: Params) -> str | None:
    """The steps can be read, and the run has them."""
    if not traces(params):
        return None
    given = f"--trace_steps={params.trace_steps}"
    try:
        steps = traced_steps(params.trace_steps)
    except ValueError:
        return f"{given} names no steps: give {WANTED}."
    return _not_in_warmup(given, steps, params) if steps.in_warmup else _not_in_table(given, steps, params)


def _not_in_warmup(given: str, steps: TracedSteps, params: Params) -> str | None:
    """The first step of all is not traced: its time is a figure of its own, and would be the profiler's too."""
    warmup = warmup_batches(params)
    if -steps.first < warmup:
        return None
    reason = "the first step, whose time is a figure of its own, is not traced" if warmup else "there is no warm-up"
    return (
        f"{given} with --num_warmup_batches={warmup}: {reason}. Give --num_warmup_batches={1 - steps.first} or more, "
        "or --trace_steps=1, a step made after step 1 of the table."
    )


def _not_in_table(given: str, steps: TracedSteps, params: Params) -> str | None:
    if params.target_precision is not None:
        return (
            f"{given} with --target_precision={params.target_precision}: whether the run gets to step {steps.first} "
            "depends on how steady the machine is. Trace a step of the warm-up, as --trace_steps=-2 does."
        )
    if params.num_batches is not None and steps.first > params.num_batches:
        return f"{given} is beyond the end of the run, --num_batches={params.num_batches}. Give a step that it has."
    return None


@rule(*_TRACES, *EVALUATION_SCHEDULES)
def trace_beside_time_to_accuracy(params: Params) -> str | None:
    """The time to accuracy counts the warm-up, and what happens between the steps."""
    if not (traces(params) and evaluates(params)):
        return None
    return (
        f"{' and '.join(_given(params, _TRACES))} with {schedules(params)[0]}: the time to accuracy would have the "
        "time of the traced steps in it. Leave one of them out."
    )


@rule(*_FILES, "repeats")
def written_once(params: Params) -> str | None:
    """The runs of a set would write over one another."""
    given = _given(params, _FILES)
    if not given or params.repeats == 1:
        return None
    return (
        f"{' and '.join(given)} with --repeats={params.repeats}: every run would write the same. Leave one of them out."
    )


@rule(*_SUMMARIES, "num_batches", "num_epochs")
def summaries_somewhere(params: Params) -> str | None:
    """Summaries have a folder, and an interval that the run gets to the end of.

    What else they need, checkpoints in that folder need too.
    """
    if not params.summary_verbosity:
        return None
    missing = [] if params.train_dir else ["--train_dir=FOLDER for the events"]
    missing += [] if params.save_summaries_steps else ["--save_summaries_steps=N to write them every N steps"]
    if missing:
        return f"--summary_verbosity={params.summary_verbosity} writes nothing yet: add {' and '.join(missing)}."
    steps = params.num_batches or DEFAULT_NUM_BATCHES
    if params.num_epochs is None and params.save_summaries_steps > steps:
        return (
            f"--save_summaries_steps={params.save_summaries_steps}: the run ends after {steps} steps, before anything "
            f"is written. Give at most {steps}, or a larger --num_batches."
        )
    return None


def _given(params: Params, names: tuple[str, ...]) -> list[str]:
    return [f"--{name}={getattr(params, name)}" for name in names if getattr(params, name)]
