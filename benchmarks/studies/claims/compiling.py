"""The claim about XLA."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchmarks.studies.claims import evidence, recorded
from benchmarks.studies.claims.claim import Case, Claim, Missing, Promise
from benchmarks.studies.claims.evidence import Side
from benchmarks.studies.claims.machine import Machine
from benchmarks.studies.claims.networks import INCEPTION3, RESNET20, RESNET50, VGG16, Trained


def _cases(machine: Machine) -> Sequence[Case | Missing]:
    low = "fp16" if machine.gpus else "bf16"
    return [
        _case(RESNET20, machine, slower=2),
        _case(RESNET50, machine, slower=2),
        _case(RESNET20, machine, f"--precision={low}", called=low, slower=2),
        _case(RESNET50, machine, "--forward_only", called="inference", slower=1.5),
        _case(INCEPTION3, machine, slower=3),
        _case(VGG16, machine, slower=1.5),
    ]


def _case(network: Trained, machine: Machine, *flags: str, called: str = "", slower: float) -> Case:
    return network.case(
        machine,
        ("XLA", "--xla_compile"),
        ("no XLA", "--noxla_compile"),
        *flags,
        promise=Promise(),
        tells=(_first_steps, evidence.operations, evidence.by_onednn, evidence.memory),
        called=called,
        slower=slower,
    )


def _first_steps(advised: Side, other: Side) -> Iterator[str]:
    """What compiling costs before the first step, which the speed does not show, and after how many it has paid."""
    waits = [recorded.first_step_seconds(side.runs) for side in (advised, other)]
    steps = [recorded.step_seconds(side.runs) for side in (advised, other)]
    if not (waits[0] and waits[1] and steps[0] and steps[1]):
        return
    yield f"The first step took {waits[0]:.1f} s with XLA, {waits[1]:.1f} s without."
    longer, gain = waits[0] - waits[1], steps[1] - steps[0]
    if longer > 0 and gain > evidence.ALIKE * steps[1]:  # of a gain that is noise the number of steps would be, too
        yield f"The speed of the others makes up for that after {longer / gain:,.0f} steps."


XLA = Claim(
    "xla",
    "XLA compiles each tower and fuses its operations into fewer kernels, which makes the step faster.",
    "TensorFlow performance guide (2017), on just-in-time compilation",
    _cases,
)
