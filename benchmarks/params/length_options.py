"""Options of how long a run is."""

from dataclasses import dataclass
from typing import ClassVar

from benchmarks.params.option import option


@dataclass(frozen=True, kw_only=True)
class LengthOptions:
    """How many steps are made, and how many of them before the measurement."""

    TITLE: ClassVar[str] = "Length of the run"

    num_batches: int | None = option(
        None, "Steps to measure; 100 where neither this nor --num_epochs is given.", lower_bound=1
    )
    num_epochs: float | None = option(
        None, "Passes over the training images to measure, in place of --num_batches; rounded up to steps.", above=0
    )
    num_warmup_batches: int | None = option(
        None,
        "Steps before the measurement; 10, or what --autotune_threshold asks for, where it is not given.",
        lower_bound=0,
    )
    autotune_threshold: int | None = option(
        None,
        "Wins that a convolution algorithm needs before it stays, T: sets TF_AUTOTUNE_THRESHOLD, and the warm-up to "
        "max(10, 5 T^2) steps. Current TensorFlow may not heed the variable.",
        lower_bound=1,
    )
    batch_group_size: int = option(
        1,
        "Batches that the input pipeline prepares together.",
        lower_bound=1,
        not_yet="batches are prepared one by one",
    )
