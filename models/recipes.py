"""The papers' table of how each network was trained. Imports no TensorFlow.

`--paper_schedule` trains by it. What a paper leaves open stays None, and what this benchmark cannot do of it is named.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Falling(NamedTuple):
    """The learning rate is multiplied by `factor` every so many `epochs`."""

    epochs: float
    factor: float


class Stages(NamedTuple):
    """The learning rate is the initial one times a factor, the next of `factors` from each of `epochs` on."""

    factors: tuple[float, ...]
    epochs: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a paper trained a network, with `source`, where it says so.

    `learning_rate` is for an update of `batch_size` images, and is used as it is where the paper gives no such number.
    It grows over `warmup_epochs`, and then follows `decay`, over `epochs` in all. `momentum` is that of the optimizer,
    which is "momentum", with Nesterov's step if `nesterov`, or "rmsprop" with the `rmsprop_decay` and epsilon.
    `without` is what the paper does beside that and a run here does not.
    """

    source: str
    optimizer: str = "momentum"
    learning_rate: float | None = None
    batch_size: int | None = None
    epochs: float | None = None
    decay: Falling | Stages | None = None
    warmup_epochs: float | None = None
    momentum: float | None = 0.9
    nesterov: bool = False
    rmsprop_decay: float | None = None
    rmsprop_epsilon: float | None = None
    weight_decay: float | None = None
    label_smoothing: float | None = None
    largest_norm: float | None = None
    without: str = ""


def tenths(*epochs: float) -> Stages:
    """A tenth of the rate from each of these epochs on."""
    return Stages(tuple(1 / 10**power for power in range(len(epochs) + 1)), epochs)


# The paper lowers the rate when the error no longer falls, up to 120 epochs. It does not say when that was; the two
# papers that follow have these epochs.
RESNET = Recipe(
    source="arXiv:1512.03385, section 3.4",
    learning_rate=0.1,
    batch_size=256,
    epochs=120,
    decay=tenths(30, 60, 90),
    weight_decay=1e-4,
    without="lowering the rate when the error stops to fall: it falls at epochs that later papers give",
)
# With the stride on the 3x3, the ResNet of this paper is v1.5.
RESNET_V1_5 = Recipe(
    source="arXiv:1706.02677, sections 2.2 and 5.1",
    learning_rate=0.1,
    batch_size=256,
    epochs=90,
    decay=tenths(30, 60, 80),
    warmup_epochs=5.0,
    nesterov=True,
    weight_decay=1e-4,
    without="a gamma of 0 at the start in the last batch norm of each block, and a warm-up from the rate of 256 images "
    "on: it begins at 0",
)
RESNET_V2 = Recipe(
    source="arXiv:1603.05027, appendix",
    learning_rate=0.1,
    batch_size=256,
    decay=tenths(30, 60),
    weight_decay=1e-4,
)
RESNEXT = Recipe(
    source="arXiv:1611.05431, section 4, which refers to fb.resnet.torch for the epochs",
    learning_rate=0.1,
    batch_size=256,
    decay=tenths(30, 60, 90),
    weight_decay=1e-4,
)
_ITERATIONS_AN_EPOCH = 45_000 / 128  # on CIFAR-10, of which 45,000 images are trained on, 128 at a time
_CIFAR_ENDS = tuple(round(iterations / _ITERATIONS_AN_EPOCH, 2) for iterations in (400, 32_000, 48_000))
CIFAR_RESNET = Recipe(
    source="arXiv:1512.03385, section 4.2",
    learning_rate=0.1,
    batch_size=128,
    epochs=round(64_000 / _ITERATIONS_AN_EPOCH),
    decay=tenths(*_CIFAR_ENDS[1:]),
    weight_decay=1e-4,
)
_CIFAR_WARMED_UP = Stages((0.1, 1.0, 0.1, 0.01), _CIFAR_ENDS)
CIFAR_RESNET_110 = Recipe(
    source="arXiv:1512.03385, section 4.2",
    learning_rate=0.1,
    batch_size=128,
    epochs=CIFAR_RESNET.epochs,
    decay=_CIFAR_WARMED_UP,
    weight_decay=1e-4,
    without="watching the training error for the end of the tenth of the rate that it begins with: 400 steps",
)
CIFAR_RESNET_V2 = Recipe(
    source="arXiv:1603.05027, appendix",
    learning_rate=0.1,
    batch_size=128,
    epochs=CIFAR_RESNET.epochs,
    decay=_CIFAR_WARMED_UP,
    weight_decay=1e-4,
)
DENSENET = Recipe(
    source="arXiv:1608.06993, section 4.2",
    learning_rate=0.1,
    batch_size=256,
    epochs=90,
    decay=tenths(30, 60),
    nesterov=True,
    weight_decay=1e-4,
)
CIFAR_DENSENET = Recipe(
    source="arXiv:1608.06993, section 4.2",
    learning_rate=0.1,
    batch_size=64,
    epochs=300,
    decay=tenths(150, 225),
    nesterov=True,
    weight_decay=1e-4,
)
GOOGLENET = Recipe(
    source="arXiv:1409.4842, section 6",
    decay=Falling(8, 0.96),
    without="asynchronous updates, averaged variables. The paper gives no learning rate",
)
# 50 replicas with 32 images each update one after the other.
INCEPTION_V3 = Recipe(
    source="arXiv:1512.00567, sections 7 and 8",
    optimizer="rmsprop",
    learning_rate=0.045,
    batch_size=32,
    epochs=100,
    decay=Falling(2, 0.94),
    momentum=None,
    rmsprop_decay=0.9,
    rmsprop_epsilon=1.0,
    label_smoothing=0.1,
    largest_norm=2.0,
    without="averaged variables",
)
INCEPTION_V4 = Recipe(
    source="arXiv:1602.07261, section 4",
    optimizer="rmsprop",
    learning_rate=0.045,
    decay=Falling(2, 0.94),
    momentum=None,
    rmsprop_decay=0.9,
    rmsprop_epsilon=1.0,
    without="averaged variables. The paper does not say for how many images its rate is",
)
# 16 workers with 96 images each update one after the other.
MOBILENET_V2 = Recipe(
    source="arXiv:1801.04381, section 6.1",
    optimizer="rmsprop",
    learning_rate=0.045,
    batch_size=96,
    decay=Falling(1, 0.98),
    rmsprop_decay=0.9,
    weight_decay=4e-5,
)
EFFICIENTNET = Recipe(
    source="arXiv:1905.11946, section 5.2, and for batch and warm-up arXiv:1807.11626, section 5",
    optimizer="rmsprop",
    learning_rate=0.256,
    batch_size=4096,
    decay=Falling(2.4, 0.97),
    warmup_epochs=5.0,
    rmsprop_decay=0.9,
    weight_decay=1e-5,
    without="AutoAugment, and 0.99 for the moving statistics of batch norm",
)
# The paper lowers the rate three times when the validation error no longer falls; it does not say when that was.
VGG = Recipe(
    source="arXiv:1409.1556, section 3.1",
    learning_rate=0.01,
    batch_size=256,
    epochs=74,
    decay=tenths(18.5, 37, 55.5),
    weight_decay=5e-4,
    without="lowering the rate when the error stops to fall: it falls after each quarter of the paper's epochs",
)
ALEXNET = Recipe(
    source="arXiv:1404.5997, experiments, and for rate and weight decay Krizhevsky et al. 2012, section 5",
    learning_rate=0.01,
    batch_size=128,
    epochs=90,
    decay=Stages(tuple(250 ** (-power / 3) for power in range(4)), (22.5, 45, 67.5)),
    weight_decay=5e-4,
)
OVERFEAT = Recipe(
    source="arXiv:1312.6229, section 3.2",
    learning_rate=0.05,
    batch_size=128,
    decay=Stages(tuple(0.5**power for power in range(6)), (30, 50, 60, 70, 80)),
    momentum=0.6,
    weight_decay=1e-5,
)
