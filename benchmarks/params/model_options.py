"""Options of the model, its loss and its batch."""

from dataclasses import dataclass
from typing import ClassVar

from benchmarks.params.option import option


@dataclass(frozen=True, kw_only=True)
class ModelOptions:
    """What is trained, on how many images at a time."""

    TITLE: ClassVar[str] = "Model, batch and loss"

    model: str = option("trivial", "Network to train; --list_models names them all.")
    batch_size: int = option(0, "Images per device and step; 0 takes the model's own number.", lower_bound=0)
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
