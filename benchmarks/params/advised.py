"""--variable_update=auto, --local_parameter_device=auto and --all_reduce_spec=auto: what they stand for, and why.

None of it waits for TensorFlow: with several towers the flags say what these run on, and one exchanges nothing.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.advice.rules import Choice, choose
from benchmarks.advice.situation import Wired, of_wiring, situation, training_cost
from benchmarks.cluster import roles
from benchmarks.params.conditions import asked_gpus
from benchmarks.params.data_set import data_name
from benchmarks.params.paper_schedule import network_of
from benchmarks.params.params import Params, options
from benchmarks.params.resolve import gradient_transfer
from benchmarks.telemetry import wiring
from benchmarks.telemetry.cuda_order import shown

AUTO = "auto"
FLAGS = ("variable_update", "local_parameter_device", "all_reduce_spec")


@dataclass(frozen=True)
class Advice:
    """What the `flags` that were left to the rules stand for (None: as if it were not given), and the rule's words."""

    flags: Mapping[str, str | None]
    choice: Choice

    def __str__(self) -> str:
        stand = " ".join(f"--{name}={value}" for name, value in self.flags.items() if value is not None)
        if not stand:
            asked = " and ".join(f"--{name}=auto" for name in self.flags)
            return (
                f"auto: {asked} chooses nothing, as --variable_update={self.choice.variable_update} has no use for it."
            )
        return f'auto: {stand}. Rule "{self.choice.rule}": {self.choice.reason}. {self._source}.'

    @property
    def _source(self) -> str:
        return f"Source: {self.choice.source}"

    def facts(self) -> dict[str, dict[str, Any]]:
        """By flag, as JSON."""
        why = {"rule": self.choice.rule, "reason": self.choice.reason, "source": self.choice.source}
        return {name: {"value": value, **why} for name, value in self.flags.items()}

    def behind(self, problems: Sequence[str]) -> list[str]:
        """`problems`, and after them, where they name what nobody has typed, how that came about."""
        chosen = [f"--{name}={value}" for name, value in self.flags.items() if value]
        if not any(flag in problem for flag in chosen for problem in problems):
            return list(problems)
        told = f"{' '.join(chosen)} is what auto stands for here: {self.choice.reason}. Give another value."
        return [*problems, told]


def advised(
    params: Params,
    environment: Mapping[str, str] = os.environ,
    read: Callable[[], wiring.Wiring | str] | None = None,
) -> tuple[Params, Advice | None]:
    """`params` with a value in place of each auto, and what was chosen; None where there is none, or it cannot be told.

    Beside --variable_update=auto the two others are chosen too where they are not given. `read` tells how the GPUs are
    wired. Flags whose problems leave nothing to choose by have their defaults: those problems are a rule's to say.
    """
    asked = [name for name in FLAGS if getattr(params, name) == AUTO]
    if not asked:
        return params, None
    plain = dataclasses.replace(params, **{name: options()[name].default for name in asked})
    network, name = network_of(params), data_name(params)
    if network is None or name is None or params.num_gpus < 1:
        return plain, None
    strategy = None if params.variable_update == AUTO else params.variable_update
    kind, jobs = _kind(params), roles.counts(params, environment)
    wired = Wired()
    if kind == "gpu" and params.num_gpus > 1 and not jobs:
        found = (read or wiring.known)()
        gpus = None if isinstance(found, str) else _gpus(params, environment, found)
        wired = of_wiring(found, gpus) if gpus and not isinstance(found, str) else Wired()
    nccl = gradient_transfer(dataclasses.replace(params, variable_update="replicated")) != "bf16"
    choice = choose(
        situation(params.model, training_cost(network, name), kind, params.num_gpus, wired, jobs, nccl=nccl), strategy
    )
    flags = {name: getattr(choice, name) for name in FLAGS if name in asked or (not strategy and _open(params, name))}
    return dataclasses.replace(plain, **flags), Advice(flags, choice)


def _open(params: Params, name: str) -> bool:
    """Whether a flag is not given, nor what says the same."""
    return getattr(params, name) is None and not (name == "all_reduce_spec" and params.hierarchical_copy)


def _kind(params: Params) -> str:
    """What the towers run on; of one tower with --device=auto it does not matter (see `devices.kind_of_towers`)."""
    if params.device != AUTO:
        return params.device
    return "gpu" if params.num_gpus > 1 or params.gpu_indices else "cpu"


def _gpus(params: Params, environment: Mapping[str, str], found: wiring.Wiring) -> list[int] | None:
    """The towers' GPUs as NVML numbers them; None where it is not known which they are, or --gpu_indices is wrong."""
    seen = None if found.broken else shown(found.gpus, environment)
    if seen is None or not seen.in_order:
        return None
    try:
        return [seen.gpus[gpu].index for gpu in asked_gpus(params)]
    except (ValueError, IndexError):
        return None
