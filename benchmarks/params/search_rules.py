"""What a search by trials needs, for a batch size or for the processors, and what it excludes."""

from __future__ import annotations

from benchmarks.params.conditions import EVALUATION_SCHEDULES, evaluates
from benchmarks.params.evaluation_points import schedules
from benchmarks.params.params import Params
from benchmarks.params.rules import excluded, rule

_EXPERIMENTS = ("measure_exchange", "diagnose", "step_breakdown", "measure_peak")
_FILES = ("trace_file", "tfprof_file", "graph_file", "summary_verbosity", "benchmark_log_dir")
_NO_PLAIN_RUN = ("input_only", "repeats", "eval", "train_dir", *_EXPERIMENTS, *_FILES, *EVALUATION_SCHEDULES)
_OF_GPUS = "it is about the CPU, whose threads, layout and towers it tries; on GPUs what it finds would not hold"


@rule("find_batch_size", *_NO_PLAIN_RUN)
def trials_of_a_batch(params: Params) -> list[str]:
    """A trial is a run, and nothing else takes memory or time in it."""
    if not params.find_batch_size:
        return []
    own = dict.fromkeys(_EXPERIMENTS, "that takes memory beside the model's")
    own |= {"eval": "its batches are those of a training", "input_only": "without a model nothing grows with the batch"}
    return _of_a_plain_run(params, "find_batch_size", f"--find_batch_size={params.find_batch_size}", own)


@rule(
    "tune_cpu", "find_batch_size", "device", "gpu_indices", "local_parameter_device", "onednn_verbose", *_NO_PLAIN_RUN
)
def trials_of_the_cpu(params: Params) -> list[str]:
    """A trial is a run on the CPU, and nothing else takes time in it."""
    if not params.tune_cpu:
        return []
    own = dict.fromkeys(_EXPERIMENTS, "a trial is a run and no more")
    own |= {
        "find_batch_size": "each tries one thing while the other is settled. First find the batch, then tune",
        "eval": "it is a training that is tuned",
        "input_only": "without a model there is no layout, and there are no towers",
        "gpu_indices": _OF_GPUS,
        "onednn_verbose": "telling of each primitive takes time",
    }
    found = _of_a_plain_run(params, "tune_cpu", "--tune_cpu", own)
    for name in ("device", "local_parameter_device"):
        if getattr(params, name) == "gpu":
            found.append(f"--tune_cpu with --{name}=gpu: {_OF_GPUS}. Leave one of them out.")
    return found


@rule("find_batch_size", "tune_cpu", "advised", "trial_number", "trial_set")
def trial_of_a_search(params: Params) -> str | None:
    """A trial belongs to a search, and has a number in it."""
    number, search = params.trial_number, params.trial_set
    searches = params.find_batch_size or params.tune_cpu or params.advised
    if bool(number) == bool(search) and (searches or not number):
        return None
    return (
        f"--trial_number={number}, --trial_set={search} and --find_batch_size={params.find_batch_size} or --tune_cpu "
        "belong together, as a search gives them. Leave the first two out."
    )


def _of_a_plain_run(params: Params, name: str, asked: str, own: dict[str, str]) -> list[str]:
    """The problems of a search that `name` asks for, in the words `asked`; `own` are reasons that are its own."""
    reasons = dict.fromkeys(_FILES, "each trial would write over those before it") | own
    reasons["train_dir"] = "each trial would go on with the training of the one before it"
    found = [problem.replace(f"--{name}", asked, 1) for problem in excluded(params, name, reasons)]
    if evaluates(params):
        found.append(f"{asked} and {schedules(params)[0]}: a trial is too short to evaluate. Leave one of them out.")
    if params.repeats > 1:
        found.append(
            f"{asked} and --repeats={params.repeats}: a search repeats its trials itself. Leave one of them out."
        )
    return found
