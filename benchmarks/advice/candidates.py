"""What can be taken on a machine: strategy, place of the variables and all-reduce, as flags and for the cost model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.advice.cost_model import Workload
from benchmarks.advice.rules import Choice
from benchmarks.errors import UserError
from benchmarks.params.option import closest
from models.cost import Cost

BYTES = {"fp32": 4, "tf32": 4, "bf16": 2, "fp16": 2}  # of a number, as gradients of an all-reduce travel


@dataclass(frozen=True)
class Candidate:
    """Values of --variable_update, --local_parameter_device and --all_reduce_spec, None for one that is not given."""

    variable_update: str
    local_parameter_device: str | None = None
    all_reduce_spec: str | None = None

    def __str__(self) -> str:
        return "/".join(filter(None, vars(self).values()))

    @property
    def flags(self) -> list[str]:
        """As a command line has it."""
        return [f"--{name}={value}" for name, value in vars(self).items() if value]

    def workload(self, model: str, training: Cost, batch_size: int, precision: str, *, synthetic: bool) -> Workload:
        """Training `model` with `batch_size` images a device and step, as the cost model sees it."""
        # Only an all-reduce sends what it adds up in the narrow numbers of the towers.
        width = BYTES[precision if self.variable_update == "replicated" else "fp32"]
        return Workload(
            model,
            gradient_bytes=training.parameters * width,
            tensors=training.variables,
            batch_size=batch_size,
            strategy=self.variable_update,
            place=self.local_parameter_device or "",
            nccl=self.all_reduce_spec == "nccl",
            largest_bytes=training.largest_variable * width,
            synthetic=synthetic,
        )


ON_GPUS = (
    Candidate("parameter_server", "cpu"),
    Candidate("parameter_server", "gpu"),
    Candidate("replicated"),
    Candidate("replicated", None, "nccl"),
)
ON_CPU = (
    Candidate("parameter_server", "cpu"),
    Candidate("replicated"),
    Candidate("replicated", None, "xring"),
    Candidate("sharded"),
)


def named(text: str, kind: str) -> Sequence[Candidate]:
    """Those of the candidates on a `kind` of device that `text` names, with commas. Raise UserError for others."""
    known = {str(each): each for each in (ON_GPUS if kind == "gpu" else ON_CPU)}
    names = [name.strip() for name in text.split(",")] if text else list(known)
    for name in names:
        if name not in known:
            match = closest(name, known)
            meant = f" Did you mean {match}?" if match else ""
            raise UserError(f"--candidates={text}: there is no {name!r} here.{meant} There are {', '.join(known)}.")
    return [known[name] for name in dict.fromkeys(names)]


def chosen(choice: Choice) -> Candidate:
    """What a rule says, as a candidate."""
    return Candidate(choice.variable_update, choice.local_parameter_device, choice.all_reduce_spec)
