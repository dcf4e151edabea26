"""Options of the modes beside training, and of accuracy."""

from dataclasses import dataclass
from typing import ClassVar

from benchmarks.params.option import option

_TRAINING_ONLY = "only training is, and its figures would pass for something else. Leave the flag out to train."
_NO_EVALUATION = "evaluation is not built yet; the run only trains"
_NO_MLPERF = "no MLPerf log is written"


@dataclass(frozen=True, kw_only=True)
class EvaluationOptions:
    """What is done beside training."""

    TITLE: ClassVar[str] = "Modes, evaluation and accuracy"

    print_training_accuracy: bool = option(
        False, "Compute the top-1 and top-5 accuracy of every training step, and print them as columns."
    )
    forward_only: bool = option(False, "Run the forward pass only.", not_built=_TRAINING_ONLY)
    freeze_when_forward_only: bool = option(
        False, "Turn variables into constants for --forward_only.", not_yet="--forward_only is not built yet"
    )
    eval: bool = option(False, "Evaluate the checkpoints of --train_dir.", not_built=_TRAINING_ONLY)
    eval_dir: str | None = option(
        None,
        "Folder for the summaries of --eval.",
        not_yet=_NO_EVALUATION,
        run_only=True,
        tcb="its default is /tmp/tf_cnn_benchmarks/eval",
    )
    eval_interval_secs: int = option(
        0, "Seconds between looks at --train_dir; 0 evaluates once.", lower_bound=0, not_yet=_NO_EVALUATION
    )
    eval_batch_size: int = option(
        0, "Images per device and evaluation step; 0 takes --batch_size.", lower_bound=0, not_yet=_NO_EVALUATION
    )
    num_eval_batches: int | None = option(
        None, "Steps of an evaluation; --num_batches where it is not given.", lower_bound=1, not_yet=_NO_EVALUATION
    )
    num_eval_epochs: float | None = option(
        None, "Passes over the evaluation images; --num_epochs where it is not given.", above=0, not_yet=_NO_EVALUATION
    )
    eval_during_training_every_n_steps: int | None = option(
        None, "Evaluate after every N steps of training.", lower_bound=1, not_yet=_NO_EVALUATION
    )
    eval_during_training_every_n_epochs: float | None = option(
        None, "Evaluate after every N epochs of training.", above=0, not_yet=_NO_EVALUATION
    )
    eval_during_training_at_specified_steps: str = option(
        "", "Evaluate after these training steps, a list with commas.", not_yet=_NO_EVALUATION
    )
    eval_during_training_at_specified_epochs: str = option(
        "", "Evaluate after these training epochs, a list with commas.", not_yet=_NO_EVALUATION
    )
    stop_at_top_1_accuracy: float | None = option(
        None,
        "End training once an evaluation reaches this share of right answers.",
        lower_bound=0.0,
        upper_bound=1.0,
        not_yet=_NO_EVALUATION,
    )
    ml_perf: bool = option(False, "Subtract the channel means as MLPerf's rules want it.", not_yet=_NO_MLPERF)
    ml_perf_compliance_logging: bool = option(False, "Print MLPerf's log lines.", not_yet=_NO_MLPERF, run_only=True)
    trt_mode: str = option(
        "",
        "TensorRT precision.",
        choices=("", "FP32", "FP16", "INT8"),
        refused="TensorFlow has no TensorRT since 2.18. Leave it out; --xla_compile compiles each tower.",
    )
    trt_max_workspace_size_bytes: int | None = option(
        None, "TensorRT workspace.", refused="TensorFlow has no TensorRT since 2.18. Leave it out."
    )
    collect_eval_results_async: bool = option(
        False,
        "Collect the detections of SSD beside the run.",
        refused="there is no detection model here. Leave it out; --list_models names what there is.",
    )
    backbone_model_path: str | None = option(
        None,
        "Checkpoint of the backbone of SSD.",
        refused="there is no detection model here. Leave it out; --list_models names what there is.",
    )
