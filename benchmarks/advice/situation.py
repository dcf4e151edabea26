"""What the rules go by, from what is known of a model, of the GPUs at hand, or of a machine one does not have."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.advice.rules import Situation
from benchmarks.inputs.datasets import DATASETS
from benchmarks.telemetry.wiring import Wiring
from models.cost import Cost, cost
from models.network import Network

if TYPE_CHECKING:
    from benchmarks.advice.machine import Machine  # which uses options, and these use this

_FLOAT32_BYTES = 4


@dataclass(frozen=True)
class Wired:
    """How the towers' GPUs are wired; see `Situation`."""

    cards: tuple[str, ...] = ()
    peers: bool | None = None
    nvlinked: bool | None = None


def training_cost(network: Network, data_name: str) -> Cost:
    """What `network` costs to train on a data set there is."""
    return cost(network, DATASETS[data_name].num_classes, training=True)


def situation(
    model: str, training: Cost, kind: str, towers: int, wired: Wired, jobs: Mapping[str, int], *, nccl: bool = True
) -> Situation:
    """The situation of `towers` on a `kind` of device, in each of the processes that `jobs` count."""
    return Situation(
        model=model,
        variable_bytes=_FLOAT32_BYTES * training.parameters,
        image_flops=training.training_flops,
        kind=kind,
        towers=towers,
        jobs=jobs,
        cards=wired.cards,
        peers=wired.peers,
        nvlinked=wired.nvlinked,
        nccl=nccl,
    )


def of_wiring(wiring: Wiring, gpus: Sequence[int]) -> Wired:
    """How `gpus` of a machine are wired, by their numbers in NVML; nothing is known where one of them is not there."""
    named = {gpu.index: gpu.name for gpu in wiring.gpus}
    if not set(gpus) <= set(named):
        return Wired()
    names = dict.fromkeys(named[gpu] for gpu in gpus)
    cards = tuple(name for name in names if name)
    reached = {wiring.link(*pair).peers for pair in itertools.combinations(gpus, 2)}
    peers = False if False in reached else None if None in reached else True
    return Wired(
        cards if len(cards) == len(names) else (),
        peers,
        _joined(gpus, lambda one, other: bool(wiring.link(one, other).nvlinks)),
    )


def of_machine(machine: Machine, gpus: int) -> Wired:
    """How the first `gpus` of a machine are wired.

    Where NVLinks join some of them, those near different processors reach each other's memory over these alone.
    """
    linked = _joined(range(gpus), lambda one, other: machine.nvlink(one, other) > 0)
    pairs = list(itertools.combinations(range(gpus), 2))
    apart = bool(machine.nvlinks) and any(machine.apart(*pair) and not machine.nvlink(*pair) for pair in pairs)
    return Wired(tuple(filter(None, [machine.accelerator])), machine.peers and not apart, linked)


def _joined(gpus: Sequence[int], linked: Callable[[int, int], bool]) -> bool:
    """Whether links join all of `gpus`, if need be over one another."""
    reached, rest = {gpus[0]}, set(gpus[1:])
    while found := {gpu for gpu in rest if any(linked(gpu, near) for near in reached)}:
        reached |= found
        rest -= found
    return not rest
