"""The claim about the numbers that are computed with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from benchmarks.studies.claims import evidence
from benchmarks.studies.claims.claim import Case, Claim, Missing, Promise
from benchmarks.studies.claims.evidence import Side
from benchmarks.studies.claims.machine import Machine
from benchmarks.studies.claims.networks import INCEPTION3, RESNET20, RESNET50, Trained

FP32 = ("fp32", "--precision=fp32")
BETTER = Promise()


class Format(NamedTuple):
    """What multiplies numbers of a format: instructions of CPUs, GPUs from a compute capability on."""

    instructions: frozenset[str]
    capability: tuple[int, int]


FORMATS = {
    "tf32": Format(frozenset(), (8, 0)),
    "bf16": Format(frozenset({"avx512_bf16", "amx_bf16", "bf16"}), (8, 0)),
    "fp16": Format(frozenset({"avx512_fp16", "amx_fp16", "asimdhp"}), (7, 0)),
}


def _cases(machine: Machine) -> Sequence[Case | Missing]:
    if not machine.gpus:
        return [
            _case(RESNET20, machine, "bf16"),
            _case(RESNET50, machine, "bf16"),
            # It shows what happens where there are no kernels for a format: nobody advises it, so nothing is claimed.
            _case(RESNET20, machine, "fp16", slower=3, promise=Promise(either=True)),
            _case(RESNET50, machine, "bf16", "--forward_only", called=" inference"),
            *_without_tf32("resnet50"),
        ]
    with_tf32 = has_tf32(machine)
    cases: list[Case | Missing] = [_case(RESNET50, machine, "fp16")]
    cases += [_case(RESNET50, machine, "tf32")] if with_tf32 else _without_tf32("resnet50")
    cases += [_case(RESNET50, machine, "bf16"), _case(INCEPTION3, machine, "fp16")]
    cases += [_case(INCEPTION3, machine, "tf32")] if with_tf32 else _without_tf32("inception3")
    return [*cases, _case(INCEPTION3, machine, "bf16"), _case(RESNET20, machine, "fp16")]


def has_tf32(machine: Machine) -> bool:
    """Whether all of its GPUs compute in TF32."""
    return bool(machine.capabilities) and min(machine.capabilities) >= FORMATS["tf32"].capability


def _without_tf32(model: str) -> list[Case | Missing]:
    return [Missing(f"{model} tf32", "a GPU of compute capability 8.0 or higher, as TF32 is theirs")]


def _case(
    network: Trained,
    machine: Machine,
    precision: str,
    *flags: str,
    called: str = "",
    slower: float = 1.0,
    promise: Promise = BETTER,
) -> Case:
    return network.case(
        machine,
        (precision, f"--precision={precision}"),
        FP32,
        *flags,
        promise=promise,
        tells=(_hardware, evidence.by_onednn, _casts, evidence.memory),
        called=f"{precision}{called}",
        slower=slower,
    )


def _hardware(advised: Side, other: Side) -> Iterator[str]:
    """Whether what computes has instructions for the format."""
    del other
    if not advised.record:
        return
    wanted = FORMATS[advised.name]
    if advised.on_gpu:
        gpu, capability = evidence.capability(advised)
        if capability:
            does = "does" if capability >= wanted.capability else "does not"
            number = ".".join(map(str, capability))
            yield f"{gpu} has compute capability {number}, which {does} multiply {advised.name} in tensor cores."
        return
    model, found = evidence.instructions(advised)
    if own := sorted(wanted.instructions & found):
        yield f"{model} multiplies {advised.name} by instructions of its own ({', '.join(own)})."
    elif found:
        yield f"{model} has no instructions that multiply {advised.name}: each number becomes a float32 first."


def _casts(advised: Side, other: Side) -> Iterator[str]:
    """What it costs that variables are float32 all the same."""
    more = advised.number("Cast") - other.number("Cast")
    if more > 0:
        yield f"A step converts {more} tensors more with '{advised.name}': variables and their gradients are float32."


PRECISION = Claim(
    "precision",
    "Numbers of fewer bits (TF32, bfloat16, float16) make a step faster: more are multiplied and moved at once.",
    "TensorFlow guide on mixed precision; --use_fp16 of tf_cnn_benchmarks",
    _cases,
)
