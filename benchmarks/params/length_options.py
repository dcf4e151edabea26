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
    target_precision: float | None = option(
        None,
        "Measure until half the width of the 95 % interval of the steady steps is this share of their mean (1% or "
        "0.01), or --num_batches is reached; a line on stderr says which. Takes 50 steps, and half a second, at least.",
        above=0,
        upper_bound=0.5,
        share=True,
        run_only=True,
        rerun=True,  # without it another number of steps would be measured
    )
    repeats: int = option(
        1,
        "Run the command so many times, one after the other, each in a fresh process with output, total and record of "
        "its own; records of one set share an id. How the runs differ is told on stderr. The exit code is the worst.",
        lower_bound=1,
        run_only=True,
    )
    repeat_number: int = option(
        0,
        "Which run of a set this process is; --repeats gives it to those that it starts.",
        lower_bound=0,
        run_only=True,
        internal=True,
    )
    repeat_set: str = option(
        "", "Id of the set that this run belongs to; given in the same way.", run_only=True, internal=True
    )
    suite_run: str = option(
        "",
        "Which run of a suite this process is, as JSON; python -m benchmarks.suite gives it to those that it starts.",
        run_only=True,
        internal=True,
    )
    num_warmup_batches: int | None = option(
        None,
        "Steps before the measurement; 10, or what --autotune_threshold asks for, where it is not given.",
        lower_bound=0,
    )
    steps_per_loop: int = option(
        1,
        "Steps that one call of TensorFlow makes, in a loop of its own: saves what each call from Python costs. Then a "
        "step's time is its share of its call's, and nothing is done between the steps of a call.",
        lower_bound=1,
        tcb="it had no such flag",
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
