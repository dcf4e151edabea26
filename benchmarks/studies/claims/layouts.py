"""The claim about the order of the dimensions of images."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchmarks.studies.claims import evidence
from benchmarks.studies.claims.claim import Case, Claim, Missing, Promise
from benchmarks.studies.claims.evidence import Side
from benchmarks.studies.claims.machine import Machine
from benchmarks.studies.claims.networks import ALEXNET, INCEPTION3, RESNET20, RESNET50, VGG16, Trained
from benchmarks.studies.claims.number_formats import FORMATS, has_tf32

NCHW, NHWC = ("NCHW", "--data_format=NCHW"), ("NHWC", "--data_format=NHWC")


def _cases(machine: Machine) -> Sequence[Case | Missing]:
    return _on_gpu(machine) if machine.gpus else _on_cpu(machine)


def _on_gpu(machine: Machine) -> list[Case | Missing]:
    """Of fewer bits first: there the claim is in doubt."""
    formats = ["fp16", "bf16", *(["tf32"] if has_tf32(machine) else [])]
    return [
        _case(RESNET50, machine, Promise()),
        *(_case(RESNET50, machine, Promise(), f"--precision={each}", called=each) for each in formats),
        _case(INCEPTION3, machine, Promise()),
        _case(INCEPTION3, machine, Promise(), "--precision=fp16", called="fp16"),
        *(_case(network, machine, Promise()) for network in (VGG16, ALEXNET, RESNET20)),
        _case(RESNET50, machine, Promise(), "--forward_only", called="inference"),
    ]


def _on_cpu(machine: Machine) -> list[Case | Missing]:
    """Either may be the faster there; without oneDNN TensorFlow has NHWC alone."""
    either = Promise(either=True)
    return [
        _case(RESNET20, machine, either),
        _case(RESNET50, machine, either),
        RESNET20.case(
            machine,
            ("NCHW with oneDNN", "--data_format=NCHW", "--mkl"),
            ("NHWC without", "--data_format=NHWC", "--nomkl"),
            promise=Promise(),
            tells=(evidence.by_onednn, evidence.transposes, _two_things),
            called="oneDNN against none",
            slower=1.5,
        ),
        _case(RESNET20, machine, either, "--precision=bf16", called="bf16"),
        _case(RESNET50, machine, either, "--forward_only", called="inference"),
        _case(INCEPTION3, machine, either),
        _case(ALEXNET, machine, either),
        _case(VGG16, machine, either),
        Missing("resnet20 fp16", "a GPU: TensorFlow has no float16 convolution in NCHW for CPUs"),
    ]


def _case(network: Trained, machine: Machine, promise: Promise, *flags: str, called: str = "") -> Case:
    return network.case(machine, NCHW, NHWC, *flags, promise=promise, tells=TELLS, called=called)


def _two_things(advised: Side, other: Side) -> Iterator[str]:
    """What the guide compares is two builds."""
    if advised.onednn and other.onednn is False:
        yield (
            "The ways differ in two things, layout and oneDNN: the other cases hold layouts alone against each other, "
            "and the study threads oneDNN alone."
        )


def _kernels(advised: Side, other: Side) -> Iterator[str]:
    """Which layout those that compute prefer, and convert to within an operation, where no graph shows it."""
    if advised.on_gpu:
        yield from _on_the_gpu(advised)
    elif advised.onednn:
        yield from evidence.by_onednn(advised, other)
        yield (
            "oneDNN takes either layout, and may bring tensors into one of its own within an operation, which no "
            "graph shows; run_benchmark.py --onednn_verbose tells these reorders."
        )
    elif advised.onednn is not None:
        yield "oneDNN is off."


def _on_the_gpu(side: Side) -> Iterator[str]:
    """What TensorFlow's convolutions do: `ComputeInNhwcEnabled` in its conv_ops_gpu.cc."""
    gpu, capability = evidence.capability(side)
    precision = side.record.params.get("precision") if side.record else None
    if not capability:
        return
    if precision in FORMATS and capability >= FORMATS[precision].capability:
        yield (
            f"{gpu} has tensor cores for {precision}, which take NHWC: TensorFlow's convolutions compute in NHWC there "
            "where that is asked for. The advice is older than they are."
        )
    else:
        yield (
            f"In {precision} TensorFlow's convolutions compute in NCHW on {gpu}: one in NHWC transposes within the "
            "operation, which no graph shows."
        )


TELLS = (evidence.transposes, evidence.other_layouts, _kernels, evidence.memory)

DATA_FORMAT = Claim(
    "data_format",
    "NCHW is best on GPUs, as it is cuDNN's layout; on the CPU NHWC is sometimes faster, and NCHW needs oneDNN.",
    "TensorFlow performance guide (2017), on data formats",
    _cases,
)
