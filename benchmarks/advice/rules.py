"""Where a machine's towers best keep their variables: rules in order, each with its reason and where it is from.

GUIDE is TensorFlow's performance guide of 2017, for K80, Titan X, M40 and P100. Of later cards it says nothing: there
the rules count what crosses which link.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

GUIDE = "TensorFlow's performance guide, 2017: https://www.tensorflow.org/performance/performance_guide"
COUNTED = "this project: counted from the bytes that cross each link (benchmarks/advice)"
MEASURED = "this project: README, Speed of the benchmark itself, where the two are within 2 % of each other"

# Bytes of variables (float32) for each FLOP that training takes for an image, from which on a model has many variables.
# The guide names models and no number. Counted by models/cost.py, those for which it advises variables on the CPU have
# 0.00317 (Inception v3), 0.00357 (ResNet-152) and 0.00446 (ResNet-50); those for which it advises copies on the GPUs
# have 0.00489 (VGG-19), 0.00597 (VGG-16), 0.0117 (VGG-11) and 0.0506 (AlexNet). This is the geometric middle of the two
# nearest, ResNet-50 and VGG-19. The batch is left out, as in the guide's advice: per step, with the batches of
# tf_cnn_benchmarks, AlexNet (512 images) and ResNet-152 (32) would be one.
MANY_BYTES_PER_FLOP = 0.00467

# How NVML calls the guide's cards: "NVIDIA TITAN X (Pascal)" is one, "TITAN Xp" and "Quadro P1000" are none.
_K80 = re.compile(r"\bK80\b")
_AFTER_K80 = re.compile(r"\bTITAN[ -]X\b|\bP100\b|\bM40\b", re.IGNORECASE)


@dataclass(frozen=True)
class Layout:
    """An order of image dimensions, the rule that chooses it, its reason and its source."""

    value: str
    rule: str
    reason: str
    source: str


# What --data_format=auto stands for, by what the towers run on.
DATA_FORMAT = {
    "gpu": Layout("NCHW", "GPU", "cuDNN is made for channels that come before the positions", GUIDE),
    "cpu": Layout("NHWC", "CPU", "it is TensorFlow's own order, and the faster one on CPUs", GUIDE),
}


@dataclass(frozen=True, kw_only=True)
class Situation:
    """What the rules go by.

    `kind` is what the towers run on, "cpu" or "gpu"; there are `towers` in a process, and `jobs` are the numbers of
    processes by job, empty for one process. Of the towers' GPUs: `cards` are the distinct names, none where one is not
    told; `peers` says whether each reaches every other's memory directly, `nvlinked` whether NVLinks join them all, if
    need be over one another; None where the driver does not tell. `model` has `variable_bytes` (float32) and takes
    `image_flops` to train on an image. `nccl` says whether TensorFlow's NCCL adds up the numbers in which gradients
    travel.
    """

    model: str
    variable_bytes: int
    image_flops: int
    kind: str
    towers: int
    jobs: Mapping[str, int] = field(default_factory=dict)
    cards: tuple[str, ...] = ()
    peers: bool | None = None
    nvlinked: bool | None = None
    nccl: bool = True

    @property
    def bytes_per_flop(self) -> float:
        """Bytes of variables for each FLOP of an image."""
        return self.variable_bytes / self.image_flops

    @property
    def many_variables(self) -> bool:
        """Whether the model has many variables for what it computes."""
        return self.bytes_per_flop >= MANY_BYTES_PER_FLOP

    def is_card(self, names: re.Pattern[str]) -> bool:
        """Whether the towers' GPUs are such cards, all of them."""
        return self.kind == "gpu" and bool(self.cards) and all(map(names.search, self.cards))


@dataclass(frozen=True)
class Choice:
    """What to take: values of the three flags, None for one that is not to be given; with `reason` and `source`.

    `rule` is the name of the rule that says so.
    """

    variable_update: str
    local_parameter_device: str | None
    all_reduce_spec: str | None
    rule: str
    reason: str
    source: str


@dataclass(frozen=True)
class _Rule:
    name: str
    holds: Callable[[Situation], bool]
    take: tuple[str, str | None, str | None]  # values of --variable_update, --local_parameter_device, --all_reduce_spec
    reason: str
    source: str


def _gpus(situation: Situation) -> bool:
    return situation.kind == "gpu"


# The first that holds is taken. One that is asked for under a strategy that the user has chosen must choose that one:
# for this there are the last three, which no other way leads to.
_RULES = (
    _Rule(
        "cluster with a controller",
        lambda it: "controller" in it.jobs,
        ("distributed_all_reduce", None, "xring"),
        "only distributed_all_reduce has a controller; in a ring no worker sends more than twice the variables",
        COUNTED,
    ),
    _Rule(
        "cluster with parameter servers",
        lambda it: "ps" in it.jobs,
        ("parameter_server", "cpu", None),
        "there are parameter servers, for whose network a copy on each tower would save nothing; the servers need no "
        "GPU",
        COUNTED,
    ),
    _Rule(
        "cluster of workers",
        lambda it: "worker" in it.jobs,
        ("collective_all_reduce", None, None),
        "there are workers alone; in TensorFlow's collective operations none sends more than twice the variables",
        COUNTED,
    ),
    _Rule(
        "one tower",
        lambda it: it.towers == 1,
        ("parameter_server", None, None),
        "one tower exchanges nothing, and reads its variables fastest where it computes",
        COUNTED,
    ),
    _Rule(
        "CPU towers",
        lambda it: it.kind == "cpu",
        ("parameter_server", "cpu", None),
        "towers on the CPU share its memory: one copy of the variables is enough, and as fast as several",
        MEASURED,
    ),
    _Rule(
        "K80 with peer-to-peer",
        lambda it: it.is_card(_K80) and bool(it.peers),
        ("parameter_server", "gpu", None),
        "the GPUs reach each other's memory under one PCIe root, so the variables are spread evenly over them",
        GUIDE,
    ),
    _Rule(
        "K80 without peer-to-peer",
        lambda it: it.is_card(_K80),
        ("parameter_server", "cpu", None),
        "not all GPUs are known to reach each other's memory, so the variables are on the CPU, which all reach",
        GUIDE,
    ),
    _Rule(
        "Titan X, M40 or P100, few variables",
        lambda it: it.is_card(_AFTER_K80) and not it.many_variables,
        ("parameter_server", "cpu", None),
        "{model} computes long enough with its variables for the CPU to hold them",
        GUIDE,
    ),
    _Rule(
        "Titan X, M40 or P100, many variables",
        lambda it: it.is_card(_AFTER_K80),
        ("replicated", None, "nccl"),
        "{model} has too many variables to bring them to each GPU in every step: each keeps a copy",
        GUIDE,
    ),
    _Rule(
        "GPUs with NVLink",
        lambda it: _gpus(it) and bool(it.nvlinked),
        ("replicated", None, "nccl"),
        "NVLinks join all GPUs: each sends less than twice the variables over them, and nothing over the CPU's PCIe",
        COUNTED,
    ),
    _Rule(
        "GPUs with peer-to-peer",
        lambda it: _gpus(it) and bool(it.peers),
        ("replicated", None, "nccl"),
        "GPUs that reach each other's memory exchange gradients side by side; over the CPU all would share its memory",
        COUNTED,
    ),
    _Rule(
        "GPUs without peer-to-peer",
        lambda it: _gpus(it) and it.peers is False,
        ("replicated", None, "nccl"),
        "what GPUs exchange crosses the CPU's memory, but in a ring no link carries more than twice the variables, and "
        "the CPU adds nothing up",
        COUNTED,
    ),
    _Rule(
        "GPUs of unknown wiring",
        lambda it: _gpus(it) and it.peers is None,
        ("replicated", None, "nccl"),
        "the driver does not tell how the GPUs are wired, and NCCL finds its way among them by itself",
        COUNTED,
    ),
    _Rule(
        "variables on GPUs that reach each other",
        lambda it: _gpus(it) and bool(it.peers),
        ("parameter_server", "gpu", None),
        "spread evenly over GPUs that reach each other's memory, the variables use all of their links",
        COUNTED,
    ),
    _Rule(
        "variables where all GPUs reach them",
        _gpus,
        ("parameter_server", "cpu", None),
        "not all GPUs are known to reach each other's memory, and all reach the CPU's",
        COUNTED,
    ),
    _Rule(
        "all-reduce on the CPU",
        lambda it: it.kind == "cpu",
        ("replicated", None, None),
        "towers on the CPU share its memory: no way between them is shorter than another",
        COUNTED,
    ),
)
RULES = tuple(rule.name for rule in _RULES)


def choose(situation: Situation, variable_update: str | None = None) -> Choice:
    """What to take in `situation`; with `variable_update`, what to take beside that strategy."""
    like = "parameter_server" if variable_update == "distributed_replicated" else variable_update
    found = next((rule for rule in _RULES if like in (None, rule.take[0]) and rule.holds(situation)), None)
    if found is None:
        assert variable_update, "some rule holds for every situation"
        reason = f"{variable_update} neither keeps variables on parameter devices nor has an all-reduce to choose"
        return Choice(variable_update, None, None, "nothing to choose", reason, COUNTED)
    strategy, device, spec = found.take
    reason = found.reason.format(model=situation.model)
    if spec == "nccl" and not situation.nccl:
        spec, reason = "xring", f"{reason}; by a ring, as TensorFlow's NCCL does not add up bfloat16"
    return Choice(
        variable_update or strategy,
        device,
        spec,
        found.name,
        f"{reason} ({facts(situation)})",
        found.source,
    )


def facts(situation: Situation) -> str:
    """What of `situation` the rules have gone by, in words."""
    per_flop = f"{situation.model}: {1000 * situation.bytes_per_flop:.2f} bytes of variables per 1,000 FLOP"
    if situation.towers == 1 and not situation.jobs:
        return per_flop
    if situation.jobs:
        return f"{', '.join(f'{count} {job}' for job, count in situation.jobs.items())}; {per_flop}"
    if situation.kind == "cpu":
        return f"{situation.towers} on the CPU; {per_flop}"
    known = {True: "all peers", False: "not all peers", None: "wiring not known"}[situation.peers]
    linked = ", NVLink" if situation.nvlinked else ""
    return f"{situation.towers} x {' and '.join(situation.cards) or 'GPU'}, {known}{linked}; {per_flop}"
