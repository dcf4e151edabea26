"""How the options of the learning rate go together."""

from __future__ import annotations

from benchmarks.params import rate_schedule
from benchmarks.params.paper_schedule import network_of
from benchmarks.params.params import Params
from benchmarks.params.rules import excluded, rule

_EXPONENTIAL = ("num_epochs_per_decay", "learning_rate_decay_factor")


@rule("piecewise_learning_rate_schedule")
def piecewise(params: Params) -> str | None:
    """The schedule can be read."""
    text = params.piecewise_learning_rate_schedule
    if not text:
        return None
    try:
        rate_schedule.parse(text)
    except ValueError as error:
        return f"--piecewise_learning_rate_schedule={text}: {error}."
    return None


@rule("piecewise_learning_rate_schedule", "cosine_decay", "resnet_base_lr", "init_learning_rate", *_EXPONENTIAL)
def one_schedule(params: Params) -> str | None:
    """The learning rate follows one rule."""
    asked = [
        name for name in ("piecewise_learning_rate_schedule", "resnet_base_lr", "cosine_decay") if getattr(params, name)
    ]
    asked += ["num_epochs_per_decay"] * bool(params.num_epochs_per_decay)
    if (
        asked[:1] in (["piecewise_learning_rate_schedule"], ["resnet_base_lr"])
        and params.init_learning_rate is not None
    ):
        asked.append("init_learning_rate")
    if len(asked) < 2:
        return None
    given = " and ".join(f"--{name}={getattr(params, name)}" for name in asked)
    return f"{given} each say what the learning rate is: give one of them."


@rule(*_EXPONENTIAL, "minimum_learning_rate", "cosine_decay")
def whole_decay(params: Params) -> list[str]:
    """Epochs and factor belong together, and a minimum to something that falls."""
    problems = []
    given = [name for name in _EXPONENTIAL if getattr(params, name)]
    if len(given) == 1:
        missing = next(name for name in _EXPONENTIAL if name not in given)
        problems.append(f"--{given[0]}={getattr(params, given[0])} without --{missing}: give both, or neither.")
    if params.minimum_learning_rate and not (given or params.cosine_decay):
        problems.append(
            f"--minimum_learning_rate={params.minimum_learning_rate}: the learning rate does not fall. Give "
            "--num_epochs_per_decay and --learning_rate_decay_factor, or --cosine_decay, or leave it out."
        )
    return problems


@rule("resnet_base_lr", "model")
def rate_of_resnets(params: Params) -> str | None:
    """The schedule is that of ResNets on ImageNet."""
    if not params.resnet_base_lr or params.model.startswith("resnet"):
        return None
    return f"--resnet_base_lr={params.resnet_base_lr} with --model={params.model}: it is a schedule of the ResNets."


@rule("learning_rate_batch_size", "resnet_base_lr")
def one_scale(params: Params) -> str | None:
    """A learning rate is brought into proportion once."""
    if not params.learning_rate_batch_size or not params.resnet_base_lr:
        return None
    return (
        f"--learning_rate_batch_size={params.learning_rate_batch_size} with --resnet_base_lr={params.resnet_base_lr}, "
        "which is for 256 images a step: leave one of them out."
    )


@rule("paper_schedule", "model", "data_name", "data_dir")
def schedule_of_a_paper(params: Params) -> str | None:
    """A paper says how the model was trained."""
    network = network_of(params)
    if not params.paper_schedule or network is None or network.recipe:
        return None
    return (
        f"--paper_schedule with --model={params.model}: no paper says how it was trained. Leave it out; --list_models "
        "has the schedules that there are."
    )


@rule("paper_schedule", "forward_only", "input_only")
def schedule_to_follow(params: Params) -> list[str]:
    """A schedule is one of training."""
    reasons = dict.fromkeys(("forward_only", "input_only"), "nothing is trained")
    return excluded(params, "paper_schedule", reasons) if params.paper_schedule else []


@rule("gradient_clip", "gradient_clip_norm")
def one_clip(params: Params) -> str | None:
    """Gradients are clipped in one way."""
    if params.gradient_clip is None or params.gradient_clip_norm is None:
        return None
    return (
        f"--gradient_clip={params.gradient_clip} and --gradient_clip_norm={params.gradient_clip_norm} both clip the "
        "gradients: give one of them."
    )
