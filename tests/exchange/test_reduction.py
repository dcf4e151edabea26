"""The contract of every reduce function: the mean of all towers, on every tower, on its device."""

from itertools import pairwise

import numpy as np
import pytest
import tensorflow as tf

from models.layers import declarations
from tests.engine.training import CLASSES, SmallNet
from variable_mgr.exchange_plan import CannotReduceError, ReduceOptions, exchange_bytes, make_plan
from variable_mgr.reduction import gradient_sizes, reduce_of

ON_CPU = [
    None, "xring", "rechd", "tree", "pscpu", "pscpu#3", "hierarchical_copy", "collective", "collective#2",
    "pscpu/pscpu", "pscpu#2/xring#2", "pscpu:1:tree:3:xring",
]  # fmt: skip
PACKINGS = {
    "one by one": {},
    "3 packs": {"repacking": 3},
    "bytes": {"bytes_per_pack": 32},
    "small": {"small_bytes": 12, "small_group": 2},
    "count": {"gradients_per_pack": 2},
}
SHAPES = {"kernel": (2, 3), "bias": (3,), "scalar": (), "row": (1, 5), "block": (2, 1, 2)}
SIZES = {name: int(np.prod(shape)) for name, shape in SHAPES.items()}
NEED_NO_DEVICE = {"Placeholder", "Const", "NoOp", "Identity"}


def cpus(count):
    return [f"/cpu:{index}" for index in range(count)]


def some_gradients(towers, seed=0, scale=1.0):
    generator = np.random.default_rng(seed)
    return [
        {name: np.float32(scale * generator.standard_normal(shape)) for name, shape in SHAPES.items()}
        for _ in range(towers)
    ]


def traced(reduce, towers, gradients):
    """The reduce function of these gradients as a TensorFlow function; checks where its results are."""

    def step():
        placed = []
        for device, own in zip(towers, gradients, strict=True):
            with tf.device(device):
                placed.append({name: tf.identity(tf.constant(value)) for name, value in own.items()})
        means = reduce(placed)
        for device, mean in zip(towers, means, strict=True):
            assert [*mean] == [*SHAPES]
            for name, value in mean.items():
                assert value.dtype == tf.float32
                assert value.shape == SHAPES[name]
                assert index_of(value.device) == index_of(device)
        return means

    return tf.function(step, autograph=False).get_concrete_function()


def index_of(device):
    return tf.DeviceSpec.from_string(device).device_index


def assert_means(results, gradients, tolerance):
    assert len(results) == len(gradients)
    for name in SHAPES:
        expected = np.mean([own[name].astype(np.float64) for own in gradients], axis=0)
        for mean in results:
            np.testing.assert_allclose(mean[name].numpy(), expected, atol=tolerance, rtol=tolerance, err_msg=name)


def assert_contract(spec, packing, towers):
    reduce = reduce_of(make_plan(ReduceOptions(spec=spec, **packing), SIZES, cpus(towers)))
    gradients = some_gradients(towers)
    step = traced(reduce, cpus(towers), gradients)
    without = [op for op in step.graph.get_operations() if not op.device and op.type not in NEED_NO_DEVICE]
    assert not without
    assert_means(step(), gradients, 1e-6)


# Every algorithm with every packing, and each of both with every number of towers.
TOWERS = (2, 3, 4, 8)
PAIRS = [
    (spec, packing, TOWERS[(row + column) % len(TOWERS)])
    for row, spec in enumerate(ON_CPU)
    for column, packing in enumerate(PACKINGS)
]


@pytest.mark.parametrize(("spec", "packing", "towers"), PAIRS)
def test_the_mean_is_on_every_tower(spec, packing, towers):
    assert_contract(spec, PACKINGS[packing], towers)


@pytest.mark.parametrize(("packing", "towers"), [({"repacking": 99}, 3), ({"repacking": 3}, 1), ({}, 1)])
@pytest.mark.parametrize("spec", ON_CPU)
def test_more_packs_than_elements_and_one_tower(spec, packing, towers):
    assert_contract(spec, packing, towers)


@pytest.mark.parametrize(("form", "tolerance"), [("float16", 2e-3), ("bfloat16", 2e-2)])
@pytest.mark.parametrize("spec", ON_CPU)
def test_a_compressed_exchange_is_the_mean_but_for_rounding(spec, form, tolerance):
    options = ReduceOptions(spec=spec, transfer_format=form, bytes_per_pack=32)
    gradients = some_gradients(3)
    assert_means(traced(reduce_of(make_plan(options, SIZES, cpus(3))), cpus(3), gradients)(), gradients, tolerance)


@pytest.mark.parametrize("spec", [None, "xring", "rechd", "pscpu", "collective"])
def test_sums_in_float16_do_not_overflow(spec):
    gradients = [{name: np.full(shape, 6e4, np.float32) for name, shape in SHAPES.items()} for _ in range(4)]
    plan = make_plan(ReduceOptions(spec=spec, transfer_format="float16"), SIZES, cpus(4))
    assert_means(traced(reduce_of(plan), cpus(4), gradients)(), gradients, 1e-3)


def test_what_was_computed_in_a_format_travels_in_it_without_loss():
    gradients = some_gradients(2)
    rounded = [{name: np.float32(np.float16(value)) for name, value in own.items()} for own in gradients]
    plan = make_plan(ReduceOptions(transfer_format="float16"), SIZES, cpus(2))
    assert_means(traced(reduce_of(plan), cpus(2), [rounded[0]] * 2)(), [rounded[0]] * 2, 0)


def test_infinity_and_nan_reach_every_tower():
    gradients = some_gradients(3)
    gradients[1]["kernel"][0, 0], gradients[2]["bias"][1] = np.inf, np.nan
    for spec in ON_CPU:
        for mean in traced(reduce_of(make_plan(ReduceOptions(spec=spec), SIZES, cpus(3))), cpus(3), gradients)():
            assert np.isinf(mean["kernel"].numpy()[0, 0])
            assert np.isnan(mean["bias"].numpy()[1])


def test_collectives_of_two_functions_do_not_meet():
    plan = make_plan(ReduceOptions(spec="collective"), SIZES, cpus(3))
    sets = [some_gradients(3, seed) for seed in (1, 2)]
    steps = [traced(reduce_of(plan), cpus(3), gradients) for gradients in sets]
    for _ in range(20):
        for step, gradients in zip(steps, sets, strict=True):
            assert_means(step(), gradients, 1e-6)


def test_only_trainable_variables_have_gradients():
    listed = declarations(SmallNet(normalised=True), CLASSES)
    sizes = gradient_sizes(listed)
    assert 0 < len(sizes) < len(listed)
    assert sizes == {each.name: each.size for each in listed if each.trainable}


# --- libraries and devices


@pytest.mark.parametrize("spec", ["nccl", "nccl/xring", "nccl/rechd", "nccl/pscpu"])
@pytest.mark.parametrize("towers", [2, 3, 8])
def test_nccl_is_called_once_on_each_tower_of_a_group(spec, towers):
    """The graph as GPUs would run it; there are none here."""
    gpus = [f"/gpu:{index}" for index in range(towers)]
    step = traced(reduce_of(make_plan(ReduceOptions(spec=spec), SIZES, gpus)), gpus, some_gradients(towers))
    calls = {}
    for op in step.graph.get_operations():
        if op.type == "NcclAllReduce":
            calls.setdefault(op.get_attr("shared_name"), []).append(op)
    groups = [towers] if spec == "nccl" else [size for size in (towers // 2, towers - towers // 2) if size > 1]
    assert sorted(len(ops) for ops in calls.values()) == sorted(groups * len(SIZES))
    for ops in calls.values():
        assert {op.get_attr("num_devices") for op in ops} == {len(ops)}
        assert len({op.device for op in ops}) == len(ops)


def test_the_collective_between_gpus_is_launched_in_one_order():
    gpus = ["/gpu:0", "/gpu:1"]
    step = traced(reduce_of(make_plan(ReduceOptions(spec="collective"), SIZES, gpus)), gpus, some_gradients(2))
    for device in ("GPU:0", "GPU:1"):
        launches = [
            op for op in step.graph.get_operations() if op.type == "CollectiveReduce" and op.device.endswith(device)
        ]
        assert len(launches) == len(SIZES)
        for before, after in pairwise(launches):
            assert after.get_attr("communication_hint") == b"nccl"
            assert before in after.control_inputs


@pytest.mark.parametrize(
    ("options", "towers", "problem"),
    [
        (
            {"spec": "nccl"},
            cpus(2),
            "--all_reduce_spec=nccl: nccl needs GPUs, and the towers are on /cpu:0, /cpu:1. Without",
        ),
        ({"spec": "tree:2k:psgpu#4"}, cpus(1), "--all_reduce_spec=tree:2k:psgpu#4: psgpu needs GPUs"),
        (
            {"spec": "nccl/xring", "transfer_format": "bfloat16"},
            ["/gpu:0", "/gpu:1"],
            "--all_reduce_spec=nccl/xring: TensorFlow's NCCL, which nccl uses, does not add up bfloat16. Pass",
        ),
        (
            {"spec": "collective", "transfer_format": "bfloat16"},
            ["/gpu:0", "/gpu:1"],
            "--all_reduce_spec=collective: TensorFlow's NCCL, which collective uses, does not add up bfloat16. Pass",
        ),
        (
            {"spec": "pscpu:2k:nccl#2"},
            ["/job:worker/task:0/gpu:0", "/job:worker/task:1/gpu:0"],
            "--all_reduce_spec=pscpu:2k:nccl#2: nccl joins the GPUs of one machine, and the towers are on 2. Between",
        ),
        (
            {"spec": "hierarchical_copy", "topology": "gcp_v100"},
            cpus(4),
            "--network_topology=gcp_v100 is a machine with 8",
        ),
        (
            {"repacking": 2, "bytes_per_pack": 8},
            cpus(2),
            "repacking and bytes_per_pack each say what is exchanged together",
        ),
    ],
)
def test_what_cannot_be_had_is_said(options, towers, problem):
    with pytest.raises(CannotReduceError) as caught:
        make_plan(ReduceOptions(**options), SIZES, towers)
    assert str(caught.value).startswith(problem)


# --- bytes


def crossing(graph):
    """Bytes that leave each device in a graph: each tensor once for each other device that uses it."""
    sent = {}
    seen = set()
    for op in graph.get_operations():
        for tensor in op.inputs:
            key = (tensor.ref(), op.device)
            if op.device and tensor.device != op.device and key not in seen:
                seen.add(key)
                index = index_of(tensor.device)
                sent[index] = sent.get(index, 0) + tensor.dtype.size * tensor.shape.num_elements()
    return sent


@pytest.mark.parametrize(
    ("towers", "packing", "form"),
    [
        (2, "one by one", "float32"),
        (3, "one by one", "float32"),
        (8, "one by one", "float32"),
        (3, "3 packs", "bfloat16"),
    ],
)
@pytest.mark.parametrize("spec", [spec for spec in ON_CPU if spec is None or "collective" not in spec])
def test_the_bytes_that_are_sent_are_those_of_the_graph(spec, towers, packing, form):
    plan = make_plan(ReduceOptions(spec=spec, transfer_format=form, **PACKINGS[packing]), SIZES, cpus(towers))
    traffic = exchange_bytes(plan)
    sent = crossing(traced(reduce_of(plan), cpus(towers), some_gradients(towers)).graph)
    assert traffic.sent_bytes == {device: sent.get(index, 0) for index, device in enumerate(cpus(towers))}
    assert traffic.exchanges == {"one by one": len(SIZES), "3 packs": 3}[packing]


@pytest.mark.parametrize("spec", ["nccl", "collective", "xring"])
def test_libraries_count_as_a_ring(spec):
    gpus = [f"/gpu:{index}" for index in range(4)]
    plan = make_plan(ReduceOptions(spec=spec, repacking=1), {"a": 64}, gpus)
    assert exchange_bytes(plan).sent_bytes == dict.fromkeys(gpus, 4 * 64 * 2 * 3 // 4)


def test_the_cpu_that_adds_up_for_gpus_sends_too():
    plan = make_plan(ReduceOptions(spec="pscpu"), {"a": 64}, ["/gpu:0", "/gpu:1"])
    assert exchange_bytes(plan).sent_bytes == {"/gpu:0": 256, "/gpu:1": 256, "/cpu:0": 512}


def test_one_tower_exchanges_nothing():
    traffic = exchange_bytes(make_plan(ReduceOptions(spec="xring"), SIZES, cpus(1)))
    assert (traffic.exchanges, traffic.sent_bytes) == (0, {"/cpu:0": 0})


def test_sizes_are_those_of_the_declarations():
    sizes = gradient_sizes(declarations(SmallNet(), CLASSES))
    assert sizes["conv1/kernel"] == 3 * 3 * 3 * 8
