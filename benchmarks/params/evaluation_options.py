"""Options of the modes beside training, and of accuracy."""

from dataclasses import dataclass
from typing import ClassVar

from benchmarks.params.conditions import WITH_EVAL, WITH_EVALUATION
from benchmarks.params.option import option

_NO_MLPERF = "no MLPerf log is written"


@dataclass(frozen=True, kw_only=True)
class EvaluationOptions:
    """What is done beside training."""

    TITLE: ClassVar[str] = "Modes, evaluation and accuracy"

    print_training_accuracy: bool = option(
        False, "Compute the top-1 and top-5 accuracy of every training step, and print them as columns."
    )
    forward_only: bool = option(
        False,
        "Measure the forward pass alone, as in inference: batch norm uses its moving statistics, nothing is updated or "
        "exchanged. The loss column is 0; columns of top-1 and top-5 accuracy follow it.",
    )
    step_breakdown: bool = option(
        False,
        "After the run, find out by ablation what the parts of its step take, input, forward pass, backward pass, "
        "exchange, update and the call of an empty step: the step is made in turn with ones that lack one part after "
        "another. Takes a minute or more, and the memory of five models.",
        run_only=True,
    )
    freeze_when_forward_only: bool = option(
        False, "Turn variables into constants for --forward_only.", not_yet="variables stay variables"
    )
    eval: bool = option(
        False,
        "Train nothing: evaluate the checkpoints of --train_dir, each over the whole set, exact; once the latest, or "
        "with --eval_interval_secs all as they come.",
    )
    eval_dir: str | None = option(
        None,
        "Folder for the accuracies of --eval as TensorBoard's scalars.",
        acts=WITH_EVAL,
        run_only=True,
        tcb="its default is /tmp/tf_cnn_benchmarks/eval",
    )
    eval_interval_secs: int = option(
        0,
        "Seconds between looks at --train_dir, until the checkpoint of the training's last step; 0 evaluates the "
        "latest once.",
        lower_bound=0,
        acts=WITH_EVAL,
        tcb="it never ended",
    )
    eval_batch_size: int = option(
        0, "Images per device and evaluation step; 0 takes --batch_size.", lower_bound=0, acts=WITH_EVALUATION
    )
    num_eval_batches: int | None = option(
        None,
        "Steps of an evaluation at most; where it is not given, all evaluation images are seen.",
        lower_bound=1,
        acts=WITH_EVALUATION,
        tcb="its default was --num_batches",
    )
    num_eval_epochs: float | None = option(
        None,
        "Passes over the evaluation images.",
        above=0,
        ignored="an evaluation sees every image once; --num_eval_batches makes it shorter",
    )
    eval_during_training_every_n_steps: int | None = option(
        None,
        "Evaluate after every N steps of the table, and after the last. An evaluation is over the whole set, exact, "
        "with the variables of the first tower; its time is in no step's and not in the images a second.",
        lower_bound=1,
    )
    eval_during_training_every_n_epochs: float | None = option(
        None, "Evaluate after every N epochs of training, rounded up to steps, and after the last step.", above=0
    )
    eval_during_training_at_specified_steps: str = option(
        "", "Evaluate after these steps of the table, a list with commas, and after the last."
    )
    eval_during_training_at_specified_epochs: str = option(
        "", "Evaluate after these epochs of training, a list with commas, and after the last step."
    )
    stop_at_top_1_accuracy: float | None = option(
        None,
        "End training once an evaluation finds at least this share of right answers; the record has the time that it "
        "took.",
        above=0,
        upper_bound=1.0,
    )
    ml_perf: bool = option(False, "Subtract the channel means as MLPerf's rules want it.", not_yet=_NO_MLPERF)
    ml_perf_compliance_logging: bool = option(False, "Print MLPerf's log lines.", not_yet=_NO_MLPERF, run_only=True)
    trt_mode: str = option(
        "",
        "TensorRT precision.",
        choices=("", "FP32", "FP16", "INT8"),
        refused="TensorFlow has no TensorRT since 2.18. Leave it out; --xla_compile compiles each tower, and "
        "--forward_only --quantize=int8 quantises on the CPU.",
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
