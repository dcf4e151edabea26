"""Options of the optimizer and of the learning rate."""

from dataclasses import dataclass
from typing import ClassVar

from benchmarks.params.conditions import WITH_ADAM, WITH_MOMENTUM, WITH_RMSPROP
from benchmarks.params.option import option

_CONSTANT_RATE = "the learning rate stays constant"


@dataclass(frozen=True, kw_only=True)
class OptimizerOptions:
    """How gradients change the variables."""

    TITLE: ClassVar[str] = "Optimizer and learning rate"

    optimizer: str = option(
        "sgd", "Rule of the update; momentum is Nesterov's.", choices=("momentum", "sgd", "rmsprop", "adam")
    )
    init_learning_rate: float | None = option(
        None, "Learning rate; the model's own where it is not given.", lower_bound=0.0
    )
    momentum: float = option(0.9, "Share of the last update to keep.", lower_bound=0.0, acts=WITH_MOMENTUM)
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
        None, "Learning rates and the epochs between them: rate;epoch;rate;epoch;rate.", not_yet=_CONSTANT_RATE
    )
    num_epochs_per_decay: float = option(
        0.0, "Epochs between reductions of the learning rate; 0: none.", lower_bound=0.0, not_yet=_CONSTANT_RATE
    )
    learning_rate_decay_factor: float = option(
        0.0, "Factor of each reduction.", lower_bound=0.0, not_yet=_CONSTANT_RATE
    )
    minimum_learning_rate: float = option(0.0, "Where reductions end.", lower_bound=0.0, not_yet=_CONSTANT_RATE)
    num_learning_rate_warmup_epochs: float = option(
        0.0, "Epochs over which the learning rate grows from 0.", lower_bound=0.0, not_yet=_CONSTANT_RATE
    )
    resnet_base_lr: float | None = option(
        None, "Learning rate of a ResNet for 256 images a step.", lower_bound=0.0, not_yet=_CONSTANT_RATE
    )
    gradient_clip: float | None = option(
        None, "Largest magnitude of a gradient's elements.", above=0, not_yet="gradients are not clipped"
    )
    compute_lr_on_cpu: bool = option(
        False, "Compute the learning rate on the CPU.", ignored="it is one number, known before the step"
    )
