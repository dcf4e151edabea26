"""The claim about XLA."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.studies.claims.claim import Case, Claim, Measured, Missing
from benchmarks.studies.claims.machine import Machine
from benchmarks.studies.claims.runs import way


def _cases(machine: Machine) -> Sequence[Case | Missing]:
    shapes = [("resnet20", 32, 40, "cifar10", 25.0), ("resnet50", 64 if machine.gpus else 8, 10, "imagenet", 60.0)]
    return [
        Case(
            model,
            way("XLA", machine, model, batch, steps, "--xla_compile", data=data),
            way("no XLA", machine, model, batch, steps, data=data),
            seconds=seconds,
            reasons=_reasons,
        )
        for model, batch, steps, data, seconds in shapes
    ]


def _reasons(advised: Sequence[Measured], other: Sequence[Measured]) -> list[str]:
    """What compiling costs before the first step, which the speed does not show."""
    waits = [
        min(run.record.measurement.first_step_seconds or 0.0 for run in side if run.record and run.record.measurement)
        for side in (advised, other)
    ]
    return [f"The first step took {waits[0]:.1f} s with XLA, {waits[1]:.1f} s without."]


XLA = Claim(
    "xla",
    "xla",
    "XLA compiles each tower and fuses its operations into fewer kernels, which makes the step faster.",
    "TensorFlow performance guide (2017), on just-in-time compilation",
    _cases,
)
