"""What a search for the batch size needs, and what it excludes."""

from __future__ import annotations

from benchmarks.params.conditions import EVALUATION_SCHEDULES, evaluates
from benchmarks.params.evaluation_points import schedules
from benchmarks.params.params import Params
from benchmarks.params.rules import excluded, rule

_EXPERIMENTS = ("measure_exchange", "diagnose", "step_breakdown", "measure_peak")
_FILES = ("trace_file", "tfprof_file", "graph_file", "summary_verbosity", "benchmark_log_dir")


@rule("find_batch_size", "input_only", "repeats", "eval", "train_dir", *_EXPERIMENTS, *_FILES, *EVALUATION_SCHEDULES)
def trials_of_a_plain_run(params: Params) -> list[str]:
    """A trial is a run, and nothing else takes memory or time in it."""
    if not params.find_batch_size:
        return []
    asked = f"--find_batch_size={params.find_batch_size}"
    reasons = dict.fromkeys(_EXPERIMENTS, "that takes memory beside the model's")
    reasons |= dict.fromkeys(_FILES, "each trial would write over those before it")
    reasons["train_dir"] = "each trial would go on with the training of the one before it"
    reasons["eval"] = "its batches are those of a training"
    reasons["input_only"] = "without a model nothing grows with the batch"
    found = [problem.replace("--find_batch_size", asked, 1) for problem in excluded(params, "find_batch_size", reasons)]
    if evaluates(params):
        found.append(f"{asked} and {schedules(params)[0]}: a trial is too short to evaluate. Leave one of them out.")
    if params.repeats > 1:
        found.append(
            f"{asked} and --repeats={params.repeats}: a search repeats its trials itself. Leave one of them out."
        )
    return found


@rule("find_batch_size", "advised", "trial_number", "trial_set")
def trial_of_a_search(params: Params) -> str | None:
    """A trial belongs to a search, and has a number in it."""
    number, search = params.trial_number, params.trial_set
    if bool(number) == bool(search) and (params.find_batch_size or params.advised or not number):
        return None
    return (
        f"--trial_number={number}, --trial_set={search} and --find_batch_size={params.find_batch_size} belong "
        "together, as a search gives them. Leave the first two out."
    )
