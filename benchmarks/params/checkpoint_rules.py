"""What checkpoints and their evaluation need, and what they exclude."""

from __future__ import annotations

from pathlib import Path

from benchmarks.params.conditions import EVALUATION_SCHEDULES, quantizes
from benchmarks.params.output_files import folder_problem
from benchmarks.params.params import Params
from benchmarks.params.rules import excluded, rule

_NOTHING_TRAINED = "nothing is trained that could be saved"
STATE_FILE = "checkpoint"  # TensorFlow's name for the file that says which checkpoints count


def no_checkpoint(train_dir: str) -> str:
    """What --eval says of a folder in which nothing is to be evaluated; tf_cnn_benchmarks' words first."""
    return (
        f"--eval: Checkpoint not found in {train_dir}. Give the --train_dir of a training that has saved one, or "
        "--eval_interval_secs to wait for it."
    )


@rule("save_model_secs", "save_model_steps")
def one_interval(params: Params) -> str | None:
    """Checkpoints are so many seconds or so many steps apart."""
    if not (params.save_model_secs and params.save_model_steps):
        return None
    return (
        f"--save_model_secs={params.save_model_secs} and --save_model_steps={params.save_model_steps} both say when to "
        "save: give one of them."
    )


@rule("train_dir", "eval", "eval_dir", "quantize")
def writable_folders(params: Params) -> list[str]:
    """What is to be written can be."""
    if quantizes(params):  # reads --train_dir
        return []
    folders = {"eval_dir": params.eval_dir} if params.eval else {"train_dir": params.train_dir}
    found = [folder_problem(name, folder) for name, folder in folders.items() if folder]
    return [problem for problem in found if problem]


@rule("train_dir", "eval", "forward_only", "input_only", "quantize")
def training_to_save(params: Params) -> list[str]:
    """Checkpoints are of what is trained; a model that is quantised may come from one."""
    if not params.train_dir or params.eval or quantizes(params):
        return []
    reasons = dict.fromkeys(("forward_only", "input_only"), _NOTHING_TRAINED)
    return excluded(params, "train_dir", reasons)


@rule("train_dir", "trace_file", "tfprof_file", "eval", "quantize")
def training_without_traces(params: Params) -> list[str]:
    """A checkpoint counts every step, and what goes on with one has another warm-up."""
    if not params.train_dir or params.eval or quantizes(params):
        return []
    reasons = dict.fromkeys(("trace_file", "tfprof_file"), "steps that are traced have no place in a saved training")
    return excluded(params, "train_dir", reasons)


@rule("train_dir", "repeats", "eval", "quantize")
def one_training(params: Params) -> str | None:
    """Each run of a set would go on with what the one before it has trained."""
    if not params.train_dir or params.repeats == 1 or params.eval or quantizes(params):
        return None
    return (
        f"--train_dir={params.train_dir} with --repeats={params.repeats}: every run after the first would find its "
        "training done. Leave one of them out."
    )


@rule("eval", "train_dir", "data_dir", "input_method", "eval_interval_secs")
def checkpoints_to_evaluate(params: Params) -> list[str]:
    """There are checkpoints to evaluate, and images to do it on; with an interval the checkpoints may come yet."""
    if not params.eval:
        return []
    found = []
    if not params.train_dir:
        found.append("--eval without --train_dir, whose checkpoints it evaluates: give the folder of a training.")
    elif not params.eval_interval_secs and not (Path(params.train_dir).expanduser() / STATE_FILE).is_file():
        found.append(no_checkpoint(params.train_dir))
    if params.data_dir is None:
        found.append(
            "--eval without --data_dir: synthetic images tell nothing of what was learned. Give the folder of the data "
            "set; --forward_only measures the forward pass on synthetic images."
        )
    if params.input_method == "small_files" and params.data_dir:
        found.append(
            "--eval with --input_method=small_files: evaluation images are read from TFRecord shards. Take "
            "--input_method=dataset."
        )
    return found


@rule(
    "eval", "forward_only", "input_only", "diagnose", "step_breakdown", "measure_exchange", "measure_peak",
    "deterministic", "target_precision", "paper_schedule", "trace_file", "tfprof_file", "graph_file",
    "summary_verbosity", *EVALUATION_SCHEDULES,
)  # fmt: skip
def evaluation_alone(params: Params) -> list[str]:
    """What looks at training has nothing to look at."""
    if not params.eval:
        return []
    nothing = "nothing is trained"
    reasons = dict.fromkeys((*EVALUATION_SCHEDULES, "deterministic", "paper_schedule", "summary_verbosity"), nothing)
    reasons |= dict.fromkeys(("trace_file", "tfprof_file", "graph_file"), "they are of a step of training")
    reasons |= {
        "forward_only": "that measures the forward pass without checkpoints",
        "input_only": "that measures no model",
        "diagnose": "the experiment is about a training step",
        "step_breakdown": "the experiment is about a training step",
        "measure_peak": "the share is that of a run that computes all the time",
        "measure_exchange": "nothing is exchanged",
        "target_precision": "every image is seen once",
    }
    return excluded(params, "eval", reasons)
