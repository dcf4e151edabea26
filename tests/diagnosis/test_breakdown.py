"""Steps that lack a part: what TensorFlow makes of their graphs, and what they leave alone."""

from collections import Counter

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.eager import context  # nothing public has a function's graph as the optimizer has left it

from benchmarks.breakdown.measured import measured_breakdown
from benchmarks.breakdown.partial_steps import ForwardInTraining, WithoutUpdate
from benchmarks.breakdown.ways import build_ways
from benchmarks.learning_rate import LearningRate
from benchmarks.optimizers import Momentum
from benchmarks.precision import LossScale
from benchmarks.step import StepOptions, TrainingStep
from tests.diagnosis.workloads import workload
from tests.engine.training import CLASSES, EXCHANGING, STRATEGIES, SmallNet, build_strategy, images_and_labels

NETWORK = SmallNet(normalised=True)
CONVOLUTIONS = 2


def built(kind, strategy="independent", towers=1, **options):
    """A step of `kind` on a small network with batch norm, its graph built."""
    devices = [f"/cpu:{tower}" for tower in range(towers)]
    feeds = [tuple(map(tf.constant, images_and_labels(4, seed=tower))) for tower in range(towers)]
    step = kind(
        NETWORK,
        build_strategy(strategy, devices, network=NETWORK),
        devices,
        [lambda feed=feed: feed for feed in feeds],
        Momentum(),
        LossScale(),
        StepOptions(num_classes=CLASSES, weight_decay=1e-4, **options),
        LearningRate(0.1),
    )
    step.trace()
    return step


def operations(step):
    """How many of each kind of operation a call of `step` executes, as TensorFlow's graph optimizer has left them."""
    context.enable_run_metadata()
    try:
        step()
        metadata = context.export_run_metadata()
    finally:
        context.disable_run_metadata()
    (graphs,) = [each.partition_graphs for each in metadata.function_graphs if len(each.partition_graphs)][-1:]
    return Counter(node.op for graph in graphs for node in graph.node)


def some(counted, *parts):
    return sum(number for kind, number in counted.items() if any(part in kind for part in parts))


def gradients_of_filters(step):
    return some(operations(step), "BackpropFilter")


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_whole_backward_pass_is_computed_though_nothing_is_updated(strategy):
    whole, partial = (operations(built(kind, strategy, towers=2)) for kind in (TrainingStep, WithoutUpdate))
    assert some(whole, "BackpropFilter") == some(partial, "BackpropFilter") == 2 * CONVOLUTIONS
    for kind in ("MatMul", "BiasAddGrad", "FusedBatchNormGrad", "ReluGrad", "BackpropInput"):
        assert some(whole, kind) == some(partial, kind) > 0
    assert some(whole, "ResourceApply") > 0
    assert some(partial, "ResourceApply") == 0


@pytest.mark.parametrize("strategy", EXCHANGING)
def test_without_its_update_a_step_still_exchanges(strategy):
    exchanging, alone = (operations(built(WithoutUpdate, name, towers=2)) for name in (strategy, "independent"))
    assert some(exchanging, "_Send", "Send") > some(alone, "_Send", "Send")


def test_the_forward_pass_has_no_gradients_and_all_of_the_network():
    whole, forward = operations(built(TrainingStep)), operations(built(ForwardInTraining))
    assert some(forward, "Grad", "Backprop", "ResourceApply", "Stage") == 0
    assert some(forward, "FusedBatchNorm") == 1
    assert some(forward, "Conv2D") == some(whole, "Conv2D") - some(whole, "Backprop") == CONVOLUTIONS


def test_compiled_by_xla_the_parts_are_there_too():
    step = built(WithoutUpdate, "replicated", towers=2, xla=True)
    before = values(step)
    assert np.isfinite(step().loss)
    assert_moved_alone(step, before)


def values(step):
    return [{name: variable.numpy() for name, variable in store.variables.items()} for store in step.strategy.stores]


def assert_moved_alone(step, before):
    """Only the moving statistics differ from `before`."""
    for store, old in zip(step.strategy.stores, before, strict=True):
        for name, variable in store.variables.items():
            changed = not np.array_equal(variable.numpy(), old[name])
            assert changed is (name not in store.trainable), name


@pytest.mark.parametrize("kind", [WithoutUpdate, ForwardInTraining])
def test_nothing_but_the_moving_statistics_changes_and_the_loss_is_that_of_a_step(kind):
    step, whole = built(kind, towers=2), built(TrainingStep, towers=2)
    before = values(step)
    assert step().loss == pytest.approx(whole().loss, rel=1e-6)
    assert_moved_alone(step, before)


@pytest.mark.parametrize(
    ("flags", "ways"),
    [
        (["--num_gpus=1"], ["synthetic", "without_update", "forward", "empty"]),
        (
            ["--num_gpus=2", "--variable_update=parameter_server", "--staged_vars"],
            ["synthetic", "without_update", "gradients", "forward", "empty"],
        ),
        (
            ["--num_gpus=2", "--variable_update=replicated", "--precision=bf16", "--variable_consistency=relaxed"],
            ["synthetic", "without_update", "gradients", "forward", "empty"],
        ),
    ],
)
def test_a_breakdown_has_a_way_for_each_part(flags, ways):
    found = workload("--model=trivial", *flags)
    told = []
    facts = measured_breakdown(
        found, [0.01] * 12, lambda way, number: told.append((way, number)), rounds=2, block_seconds=0.01
    )
    assert list(facts["ways"]) == ways
    assert [way for way, number in told if number == 1] == ways
    assert all(len(way["step_seconds"]) == 2 and min(way["step_seconds"]) > 0 for way in facts["ways"].values())
    assert facts["run"] == {"reason": "12 steps, and an interval needs 50"}


def test_float16_with_a_loss_scale_that_moves_is_taken_apart_too():
    found = workload("--model=lenet", "--data_name=imagenet", "--precision=fp16", "--fp16_enable_auto_loss_scale")
    for step in build_ways(found).values():
        step()
