"""The claim about fused batch norm."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchmarks.studies.claims import evidence
from benchmarks.studies.claims.claim import Case, Claim, Missing, Promise
from benchmarks.studies.claims.evidence import Side
from benchmarks.studies.claims.machine import Machine
from benchmarks.studies.claims.networks import INCEPTION3, RESNET20, RESNET50, Trained

PROMISE = Promise(1.12, 1.30)


def _cases(machine: Machine) -> Sequence[Case | Missing]:
    return [
        _case(RESNET20, machine, slower=1.5),
        _case(RESNET50, machine, slower=1.5),
        _case(RESNET50, machine, "--forward_only", called="inference"),
        _case(INCEPTION3, machine, slower=1.5),
        _case(INCEPTION3, machine, "--forward_only", called="inference"),
        _case(RESNET20, machine, "--forward_only", called="inference"),
        _case(RESNET20, machine, "--xla_compile", called="XLA", slower=2),
    ]


def _case(network: Trained, machine: Machine, *flags: str, called: str = "", slower: float = 1.0) -> Case:
    # A step of the warm-up is traced: its file is not wanted, but what the record then tells.
    traced = (f"--tfprof_file={machine.work / 'profile.txt'}", "--trace_steps=-2")
    return network.case(
        machine,
        ("fused", "--fused_batch_norm"),
        ("composed", "--nofused_batch_norm"),
        *flags,
        *traced,
        promise=PROMISE,
        tells=(evidence.operations, _joined, _share, evidence.by_onednn, evidence.memory, _compiled),
        called=called,
        slower=slower,
    )


def _joined(fused: Side, composed: Side) -> Iterator[str]:
    """What TensorFlow's graph optimizer made of the batch norms by its own."""
    convolutions = fused.number("Fused", "Conv2D") - composed.number("Fused", "Conv2D")
    activations = fused.number("FusedBatchNormEx")
    if convolutions > 0:
        yield f"TensorFlow joined {convolutions} more of the fused ones than of the others with their convolutions."
    if activations:
        yield f"TensorFlow joined {activations} of the fused ones with the activation after them."
    if again := composed.number("FusedBatchNorm"):
        yield f"TensorFlow fused {again} of the composed ones by itself."


def _share(fused: Side, composed: Side) -> Iterator[str]:
    """How much of a step there is to gain or to lose."""
    del composed
    if share := fused.share("FusedBatchNorm"):
        yield f"The fused operations took {share:.0%} of all operations' time in a traced step."


def _compiled(fused: Side, composed: Side) -> Iterator[str]:
    """XLA has one form for both."""
    del composed
    if fused.record and fused.record.params.get("xla_compile"):
        yield (
            "XLA takes the fused operation apart into those that it is composed of, and fuses them in its own way: "
            "there is little that could differ."
        )


FUSED_BATCH_NORM = Claim(
    "fused_batch_norm",
    "Fused batch norm is one kernel in place of many, which makes a network 12 to 30 % faster.",
    "TensorFlow performance guide (2017), on fused batch norm",
    _cases,
)
