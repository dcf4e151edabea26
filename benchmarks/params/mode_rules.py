"""What the modes beside plain training need, and what they exclude."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.params.cluster_rules import ROLES, in_cluster
from benchmarks.params.conditions import EVALUATION_SCHEDULES, evaluates, reads_imagenet
from benchmarks.params.evaluation_points import schedules, specified_epochs, specified_steps
from benchmarks.params.params import Params
from benchmarks.params.rules import excluded, rule

_LISTS: dict[str, tuple[Callable[[str], Any], str]] = {
    "eval_during_training_at_specified_steps": (specified_steps, "whole numbers from 1 on with commas, as in 100,200"),
    "eval_during_training_at_specified_epochs": (specified_epochs, "numbers above 0 with commas, as in 0.5,1"),
}


@rule("forward_only", "input_only", "measure_exchange", "diagnose", "stop_at_top_1_accuracy", *EVALUATION_SCHEDULES)
def forward_pass_alone(params: Params) -> list[str]:
    """What looks at training has nothing to look at."""
    if not params.forward_only:
        return []
    reasons = {
        "input_only": "that measures no model",
        "measure_exchange": "nothing is exchanged",
        "diagnose": "the experiment is about a training step",
    }
    found = excluded(params, "forward_only", reasons)
    if evaluates(params):
        found.append(
            f"--forward_only and {schedules(params)[0]}: nothing is learned that could be evaluated. Leave one of them "
            "out."
        )
    return found


@rule("forward_only", "cross_replica_sync", "variable_update", *ROLES)
def forward_pass_together(params: Params) -> str | None:
    """Who updates nothing needs no leave to update early."""
    if not params.forward_only or params.cross_replica_sync or not in_cluster(params):
        return None
    return (
        "--forward_only with --cross_replica_sync=false: nothing is updated, so no worker has updates to wait for. "
        "Leave --cross_replica_sync out."
    )


@rule(*EVALUATION_SCHEDULES)
def one_schedule(params: Params) -> list[str]:
    """One option says when to evaluate, in a way that can be read."""
    given = schedules(params)
    if len(given) > 1:
        return [f"{' and '.join(given)} all say when to evaluate: give one of them."]
    return [
        f"--{name}={text} is no list of {meant}."
        for name, (read, meant) in _LISTS.items()
        if (text := getattr(params, name)) and not _can(read, text)
    ]


@rule("stop_at_top_1_accuracy", *EVALUATION_SCHEDULES)
def accuracy_to_find(params: Params) -> str | None:
    """A target needs evaluations that can reach it."""
    if params.stop_at_top_1_accuracy is None or evaluates(params):
        return None
    return (
        f"--stop_at_top_1_accuracy={params.stop_at_top_1_accuracy} without evaluations, which alone tell the accuracy: "
        "add --eval_during_training_every_n_epochs=1 or another of --eval_during_training_*."
    )


@rule("data_dir", "input_method", "input_only", "target_precision", *EVALUATION_SCHEDULES)
def images_to_evaluate(params: Params) -> list[str]:
    """An evaluation is of a model that is trained, on images made for it, at points that are known."""
    if not evaluates(params):
        return []
    asked, found = schedules(params)[0], []
    if params.data_dir is None:
        found.append(
            f"{asked} without --data_dir: synthetic images have nothing to learn. Give the folder of a data set, which "
            "has images for evaluation too."
        )
    if params.input_method == "small_files" and params.data_dir:
        found.append(
            f"{asked} with --input_method=small_files: evaluation images are read from TFRecord shards. Take "
            "--input_method=dataset."
        )
    if params.input_only:
        found.append(f"{asked} and --input_only: without a model there is nothing to evaluate. Leave one of them out.")
    if params.target_precision:
        found.append(
            f"{asked} with --target_precision={params.target_precision}: how far the training gets would depend on how "
            "steady the machine is. Leave one of them out."
        )
    return found


@rule("deterministic", "input_method", "datasets_sloppy_parallel_interleave", "target_precision", "data_dir")
def nothing_left_to_timing(params: Params) -> list[str]:
    """What depends on timing differs from run to run."""
    if not params.deterministic:
        return []
    excluded = {
        "--datasets_sloppy_parallel_interleave": (
            params.datasets_sloppy_parallel_interleave and reads_imagenet(params),
            "the order of the images would depend on timing",
        ),
        "--input_method=service": (
            params.input_method == "service" and bool(params.data_dir),
            "the order of the images would depend on timing",
        ),
        f"--target_precision={params.target_precision}": (
            params.target_precision is not None,
            "the number of steps would depend on timing",
        ),
    }
    return [
        f"--deterministic with {flag}: {reason}. Leave one of them out."
        for flag, (asked, reason) in excluded.items()
        if asked
    ]


@rule("deterministic", "forward_only", "input_only")
def losses_to_compare(params: Params) -> list[str]:
    """There are losses."""
    if not params.deterministic:
        return []
    reason = "nothing is trained, so there are no losses that could be equal"
    return excluded(params, "deterministic", dict.fromkeys(("forward_only", "input_only"), reason))


def _can(read: Callable[[str], Any], text: str) -> bool:
    try:
        read(text)
    except ValueError:
        return False
    return True
