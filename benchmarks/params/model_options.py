"""Options of the model, its loss and its batch."""

from dataclasses import dataclass
from typing import ClassVar

from benchmarks.params.conditions import WITH_BATCH_NORM, WITH_BATCH_SEARCH
from benchmarks.params.option import option


@dataclass(frozen=True, kw_only=True)
class ModelOptions:
    """What is trained, on how many images at a time."""

    TITLE: ClassVar[str] = "Model, batch and loss"

    model: str = option("trivial", "Network to train; --list_models names them all.")
    batch_size: int = option(0, "Images per device and step; 0 takes the model's own number.", lower_bound=0)
    find_batch_size: str = option(
        "",
        "In place of a run, find the largest --batch_size that fits into memory (max), or the fastest (best): the "
        "smallest that is not measurably slower than any other. Each batch is tried in a fresh process, beginning with "
        "--batch_size where it is given; what fits, and how fast it is, is told as a table, and the command to run.",
        choices=("", "max", "best"),
        run_only=True,
    )
    memory_limit_mib: int | None = option(
        None,
        "MiB of the machine's memory that a trial may take (resident; not those of a GPU): one that takes more is "
        "ended, and its batch does not fit. Where it is not given, 80% of what is available at the start.",
        lower_bound=1,
        acts=WITH_BATCH_SEARCH,
        run_only=True,
    )
    trial_number: int = option(
        0,
        "Which trial of a search this process is; --find_batch_size gives it to those that it starts.",
        lower_bound=0,
        run_only=True,
        internal=True,
    )
    trial_set: str = option(
        "", "Id of the search that this trial belongs to; given in the same way.", run_only=True, internal=True
    )
    tcb_class_counts: bool = option(
        False,
        "Count a background class that no image has, for comparison with old figures: 1001 classes for imagenet, "
        "11 for cifar10.",
        tcb="it always did",
    )
    weight_decay: float = option(
        0.00004, "Factor of the L2 loss over all weights, batch norm's excepted.", lower_bound=0.0
    )
    single_l2_loss_op: bool = option(False, "Compute the L2 loss over all weights joined into one tensor.")
    fused_batch_norm: bool = option(
        True,
        "Let batch norm be one operation with a kernel of its own; --nofused_batch_norm: separate "
        "operations for mean, variance, scale and shift, which compute the same.",
        acts=WITH_BATCH_NORM,
    )
    loss_type_to_report: str = option(
        "total_loss",
        "Loss to print and record: with the L2 loss (total_loss) or without (base_loss).",
        choices=("total_loss", "base_loss"),
    )
    tf_random_seed: int = option(
        1234,
        "Seed of the initial values and of everything else that is drawn.",
        lower_bound=0,
        upper_bound=2**31 - 1,
    )
    deterministic: bool = option(
        False,
        "Compute so that the same command gives losses equal to the last bit, on the same machine and versions; the "
        "record then has a fingerprint of them. Slower: TensorFlow takes other kernels where the fast ones add up in "
        "an order of chance.",
    )
