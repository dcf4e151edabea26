"""Options of number formats and of compilation."""

from dataclasses import dataclass
from typing import ClassVar

from benchmarks.params.conditions import WITH_AUTO_LOSS_SCALE
from benchmarks.params.option import option


@dataclass(frozen=True, kw_only=True)
class PrecisionOptions:
    """Which numbers are computed with, and what compiles the computation."""

    TITLE: ClassVar[str] = "Precision and compilation"

    precision: str | None = option(
        None,
        "Numbers to compute with; variables stay float32. Where it is not given: fp32, or fp16 with --use_fp16.",
        choices=("fp32", "tf32", "bf16", "fp16"),
    )
    use_fp16: bool = option(False, "The same as --precision=fp16.")
    fp16_vars: bool = option(False, "Keep the variables in float16 too.", not_yet="variables stay float32")
    fp16_loss_scale: float | None = option(
        None,
        "Factor of the loss while gradients are computed in float16 (the first one, if it is adjusted); the "
        "model's own where it is not given.",
        above=0,
    )
    fp16_enable_auto_loss_scale: bool = option(
        False,
        "Adjust the loss scale: a step with an overflow is skipped and halves it, a row of good steps doubles it.",
    )
    fp16_inc_loss_scale_every_n: int = option(
        1000, "Good steps in a row that double the loss scale.", lower_bound=1, acts=WITH_AUTO_LOSS_SCALE
    )
    xla: bool = option(False, "The same as --xla_compile.", tcb="it let XLA choose what to compile (auto-clustering)")
    xla_compile: bool = option(False, "Compile each tower with XLA.")
    measure_peak: bool = option(
        False,
        "Measure, after the run, what its devices multiply where they do nothing else, in the same precision and all "
        "at once: a matrix product and a convolution, two seconds each. stderr and the record have the run's share.",
        run_only=True,
    )
    enable_optimizations: bool = option(True, "Let TensorFlow's graph optimizer (Grappler) rewrite the step.")
    rewriter_config: str | None = option(
        None,
        "Settings of the graph optimizer as a RewriterConfig text.",
        not_yet="the graph optimizer keeps its settings",
    )
