"""What records tell of why a way is faster: sentences with their figures, and none where the records do not tell."""

import pytest

from benchmarks.studies.claims import batch_norm, compiling, evidence, layouts, number_formats
from benchmarks.studies.claims.catalogue import CLAIMS
from benchmarks.studies.claims.claim import Case, Measured, Missing
from benchmarks.studies.claims.evidence import Side
from benchmarks.studies.claims.machine import Machine
from tests.results.records import measurement, record
from tests.studies.claims.planted import two_cores, two_h100

ON, OFF = {"in_effect": {"onednn": True}}, {"in_effect": {"onednn": False}}
H100 = {"gpus": [{"name": "NVIDIA H100", "compute_capability": "9.0"}]}
P100 = {"gpus": [{"name": "Tesla P100", "compute_capability": "6.0"}]}
ZEN = {"cpu": {"model": "AMD EPYC", "flags": ["avx2", "avx512_bf16"]}}


def side(name, *runs, **facts):
    """A way called `name`, of runs that left records with `facts`, or of one."""
    return Side(name, runs or [Measured(1.0, {}, record(**facts))])


def graph(transposes=0, asked_for=0, operations=None, **kinds):
    layout = {"operations": operations or {}, "transposes": transposes, "asked_for": asked_for}
    return {"placement": {"operations": {"/cpu:0": kinds}, "layout": layout}}


@pytest.mark.parametrize(
    ("nchw", "nhwc", "told"),
    [
        (graph(0, 0), graph(0, 0), ["The optimised graph of a step has no transpose, with either."]),
        (
            graph(2, 2),
            graph(5, 1),
            [
                "Transposes in the optimised graph of a step: 2 with 'NCHW', 5 with 'NHWC'.",
                "TensorFlow put in 4 with 'NHWC'.",
            ],
        ),
        (
            graph(0, 2),
            graph(3, 0),
            [
                "Transposes in the optimised graph of a step: 0 with 'NCHW', 3 with 'NHWC'.",
                "TensorFlow put in 3 with 'NHWC'.",
                "TensorFlow took out 2 with 'NCHW' that the network asks for.",
            ],
        ),
        (
            graph(2, 2),
            graph(0, 0),
            [
                "Transposes in the optimised graph of a step: 2 with 'NCHW', 0 with 'NHWC'.",
                "All are the network's own: TensorFlow put none in.",
            ],
        ),
    ],
)
def test_transposes(nchw, nhwc, told):
    assert list(evidence.transposes(side("NCHW", **nchw), side("NHWC", **nhwc))) == told


def test_operations_in_another_layout_than_was_asked_for():
    mixed = side("NCHW", **graph(operations={"NCHW": 3, "NHWC": 7}), settings={"data_format": "NCHW"})
    pure = side("NHWC", **graph(operations={"NHWC": 10}), settings={"data_format": "NHWC"})
    assert list(evidence.other_layouts(mixed, pure)) == [
        "With 'NCHW' 7 operations of 10 that have a layout compute in NHWC, not in NCHW."
    ]


def test_memory_is_told_where_it_differs():
    def held(name, *mib):
        return side(name, *[Measured(1.0, {"peak_mib": each}) for each in mib])

    assert list(evidence.memory(held("fused", 1000, 1100, 900), held("composed", 1500))) == [
        "The process held 1,000 MiB with 'fused', 1,500 MiB with 'composed'."
    ]
    assert list(evidence.memory(held("fused", 1000), held("composed", 1010))) == []


def reasons(claim, machine, name, advised, other):
    """What the case `name` of `claim` says where its ways left records with these facts."""
    (case,) = [case for case in claim.cases(machine) if isinstance(case, Case) and case.name == name]
    records = [record(**facts) for facts in (advised, other)]
    return case.reasons(*([Measured(each.images_per_second or 1.0, {}, each)] for each in records))


def test_why_a_layout_is_faster_on_the_cpu(tmp_path):
    of = [
        graph(operations={name: 2}, _MklNativeConv2D=2, AddN=1) | {"environment": ON, "settings": {"data_format": name}}
        for name in ("NCHW", "NHWC")
    ]
    told = reasons(layouts.DATA_FORMAT, two_cores(tmp_path), "resnet20", *of)
    assert told[:2] == [
        "The optimised graph of a step has no transpose, with either.",
        "Operations that oneDNN computes: 2 with 'NCHW', 2 with 'NHWC'.",
    ]
    assert told[2].startswith("oneDNN takes either layout")
    told = reasons(layouts.DATA_FORMAT, two_cores(tmp_path), "resnet20", *(each | {"environment": OFF} for each in of))
    assert told[1:] == ["oneDNN is off."]
    name = "resnet20 oneDNN against none"
    told = reasons(layouts.DATA_FORMAT, two_cores(tmp_path), name, of[0], of[1] | {"environment": OFF})
    assert told[-1].startswith("The ways differ in two things, layout and oneDNN: ")


def test_tensor_cores_are_named_where_they_compute(tmp_path):
    def on(hardware, precision):
        facts = {"hardware": hardware, "settings": {"device": "gpu", "precision": precision}}
        return reasons(layouts.DATA_FORMAT, two_h100(tmp_path), "resnet50 fp16", facts, facts)

    (told,) = on(H100, "fp16")
    assert told.startswith("NVIDIA H100 has tensor cores for fp16, which take NHWC: ")
    for hardware, precision in ((H100, "fp32"), (P100, "fp16")):
        (told,) = on(hardware, precision)
        assert told.startswith(f"In {precision} TensorFlow's convolutions compute in NCHW on ")
    assert on({"gpus": []}, "fp16") == []


def test_batch_norms_that_tensorflow_joined_with_others(tmp_path):
    fused = graph(_MklNativeFusedConv2D=19, _MklNativeFusedBatchNormEx=3) | {
        "trace": {"milliseconds": {"host": {"_MklNativeFusedBatchNormEx": 1.0, "AddN": 3.0}}}
    }
    composed = graph(Conv2D=19, Mul=19, _FusedConv2D=1, FusedBatchNormV3=2)
    told = reasons(batch_norm.FUSED_BATCH_NORM, two_cores(tmp_path), "resnet20", fused, composed)
    assert told == [
        "Operations in a step: 22 with 'fused', 41 with 'composed'.",
        "TensorFlow joined 18 more of the fused ones than of the others with their convolutions.",
        "TensorFlow joined 3 of the fused ones with the activation after them.",
        "TensorFlow fused 2 of the composed ones by itself.",
        "The fused operations took 25% of all operations' time in a traced step.",
        "Operations that oneDNN computes: 22 with 'fused', 0 with 'composed'.",
    ]


@pytest.mark.parametrize(
    ("case", "hardware", "device", "told"),
    [
        ("resnet20 bf16", ZEN, "cpu", "AMD EPYC multiplies bf16 by instructions of its own (avx512_bf16)."),
        (
            "resnet20 fp16",
            ZEN,
            "cpu",
            "AMD EPYC has no instructions that multiply fp16: each number becomes a float32 first.",
        ),
        (
            "resnet50 tf32",
            H100,
            "gpu",
            "NVIDIA H100 has compute capability 9.0, which does multiply tf32 in tensor cores.",
        ),
        (
            "resnet50 fp16",
            P100,
            "gpu",
            "Tesla P100 has compute capability 6.0, which does not multiply fp16 in tensor cores.",
        ),
    ],
)
def test_what_the_hardware_multiplies(tmp_path, case, hardware, device, told):
    machine = two_h100(tmp_path) if device == "gpu" else two_cores(tmp_path)
    facts = {"hardware": hardware, "settings": {"device": device}}
    assert reasons(number_formats.PRECISION, machine, case, facts, facts) == [told]


@pytest.mark.parametrize("capabilities", [((7, 0),), ((8, 0), (7, 5)), ()])
def test_tf32_needs_gpus_that_have_it(tmp_path, capabilities):
    old = Machine(cores=8, gpus=("Tesla V100",), work=tmp_path, capabilities=capabilities)
    for machine in (old, two_cores(tmp_path)):
        missing = {case.name for case in number_formats.PRECISION.cases(machine) if isinstance(case, Missing)}
        assert "resnet50 tf32" in missing
    modern = number_formats.PRECISION.cases(two_h100(tmp_path))
    assert not any(isinstance(case, Missing) for case in modern)


def test_nobody_advises_fp16_on_a_cpu(tmp_path):
    claimed = {case.name: str(case.promise) for case in number_formats.PRECISION.cases(two_cores(tmp_path))[:3]}
    assert claimed == {"resnet20 bf16": "better", "resnet50 bf16": "better", "resnet20 fp16": "either"}


def test_after_how_many_steps_compiling_has_paid(tmp_path):
    def took(first, step):
        times = {"step_seconds": (step,) * 10, "window_seconds": 10 * step}
        return {"measurement": measurement(first_step_seconds=first, **times)}

    xla, machine = compiling.XLA, two_cores(tmp_path)
    assert reasons(xla, machine, "resnet20", took(21.0, 0.1), took(1.0, 0.2)) == [
        "The first step took 21.0 s with XLA, 1.0 s without.",
        "The speed of the others makes up for that after 200 steps.",
    ]
    for step, of_other in ((0.2, 0.1), (0.1, 0.1001)):  # a gain that is noise never pays
        assert len(reasons(xla, machine, "resnet20", took(21.0, step), took(1.0, of_other))) == 1


def test_runs_that_left_no_record_tell_nothing(tmp_path):
    without = [Measured(1.0, {})]
    read = ("data_format", "fused_batch_norm", "xla", "precision", "variable_update", "threads", "steps_per_loop")
    for claim in (claim for claim in CLAIMS if claim.name in read):  # all that is told of them is in records
        for machine in (two_cores(tmp_path), two_h100(tmp_path)):
            for case in claim.cases(machine):
                assert isinstance(case, Missing) or case.reasons(without, without) == []
