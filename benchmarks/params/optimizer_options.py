"""Options of the optimizer and of the learning rate."""

from dataclasses import dataclass
from typing import ClassVar

from benchmarks.params.conditions import WITH_ADAM, WITH_LARS, WITH_MOMENTUM, WITH_MOMENTUM_OR_LARS, WITH_RMSPROP
from benchmarks.params.option import option


@dataclass(frozen=True, kw_only=True)
class OptimizerOptions:
    """How gradients change the variables."""

    TITLE: ClassVar[str] = "Optimizer and learning rate"

    optimizer: str = option(
        "sgd",
        "Rule of the update; lars scales each layer's gradient by the layer's own norm.",
        choices=("momentum", "sgd", "rmsprop", "adam", "lars"),
    )
    init_learning_rate: float | None = option(
        None, "Learning rate; the model's own where it is not given.", lower_bound=0.0
    )
    learning_rate_batch_size: int | None = option(
        None,
        "Images a step that the learning rates are for: they are in proportion to those that the run has (Goyal et al. "
        "2017). Where it is not given, they are used as they are.",
        lower_bound=1,
        tcb="it had no such flag",
    )
    paper_schedule: bool = option(
        False,
        "Train as the model's paper did: its optimizer, learning rate for its number of images a step, warm-up, decay, "
        "weight decay, label smoothing and clipping, but for what other flags set. How long the run is, they say. "
        "--list_models has what each paper gives.",
        tcb="it had no such flag",
    )
    momentum: float = option(0.9, "Share of the last update to keep.", lower_bound=0.0, acts=WITH_MOMENTUM_OR_LARS)
    nesterov: bool = option(True, "Look one step ahead with momentum, as Nesterov's does.", acts=WITH_MOMENTUM)
    lars_trust: float = option(0.001, "Share of a layer's norm that one update may have.", above=0, acts=WITH_LARS)
    rmsprop_decay: float = option(
        0.9, "Share of the mean square to keep.", lower_bound=0.0, upper_bound=1.0, acts=WITH_RMSPROP
    )
    rmsprop_momentum: float = option(0.9, "Share of the last update to keep.", lower_bound=0.0, acts=WITH_RMSPROP)
    rmsprop_epsilon: float = option(1.0, "Added to the mean square.", lower_bound=0.0, acts=WITH_RMSPROP)
    adam_beta1: float = option(
        0.9, "Share of the mean gradient to keep.", lower_bound=0.0, upper_bound=1.0, acts=WITH_ADAM
    )
    adam_beta2: float = option(
        0.999, "Share of the mean square to keep.", lower_bound=0.0, upper_bound=1.0, acts=WITH_ADAM
    )
    adam_epsilon: float = option(1e-8, "Added to the root mean square.", lower_bound=0.0, acts=WITH_ADAM)
    piecewise_learning_rate_schedule: str | None = option(
        None, "Learning rates and the epochs between them: rate;epoch;rate;epoch;rate."
    )
    num_epochs_per_decay: float = option(
        0.0, "Epochs between reductions of the learning rate; 0: none.", lower_bound=0.0
    )
    learning_rate_decay_factor: float = option(0.0, "Factor of each reduction.", lower_bound=0.0)
    cosine_decay: bool = option(
        False, "Let the learning rate fall along half a cosine, from the end of its warm-up to the last step."
    )
    minimum_learning_rate: float = option(0.0, "Where reductions end.", lower_bound=0.0)
    num_learning_rate_warmup_epochs: float = option(
        0.0, "Epochs over which the learning rate grows from 0.", lower_bound=0.0
    )
    resnet_base_lr: float | None = option(
        None,
        "Learning rate of a ResNet for 256 images a step, in proportion for more or fewer: it grows over 5 epochs, and "
        "falls to a tenth after 30, 60, 80 and 90.",
        lower_bound=0.0,
        tcb="its ResNets follow this schedule, with 0.128, where no other rate is given",
    )
    gradient_clip: float | None = option(
        None, "Largest magnitude of a gradient's elements, weight decay included.", above=0
    )
    gradient_clip_norm: float | None = option(
        None, "Largest norm of all gradients together, without weight decay: they are scaled down to it.", above=0
    )
    label_smoothing: float = option(
        0.0, "Share of each label that goes to all classes alike.", lower_bound=0.0, upper_bound=1.0
    )
    compute_lr_on_cpu: bool = option(
        False, "Compute the learning rate on the CPU.", ignored="it is one number, known before the step"
    )
