"""The contract of every variable-update strategy."""

import numpy as np
import pytest
import tensorflow as tf

from benchmarks.optimizers import RMSProp
from benchmarks.precision import DynamicLossScale, LossScale
from models.layers import declarations
from tests.engine.training import CLASSES, SmallNet, build_training
from variable_mgr.store import balanced
from variable_mgr.strategies import make

STRATEGIES = ["parameter_server", "replicated", "independent"]
EXCHANGING = ["parameter_server", "replicated"]


def on(variable):
    return tf.DeviceSpec.from_string(variable.device)


def small(name, towers, parameter_devices=("/cpu:0",)):
    devices = [f"/cpu:{index}" for index in range(towers)]
    return make(name, declarations(SmallNet(), CLASSES), devices, parameter_devices, seed=1)


@pytest.mark.parametrize("towers", [1, 2, 4, 8])
@pytest.mark.parametrize("name", ["replicated", "independent"])
def test_each_tower_has_every_variable_on_its_own_device(name, towers):
    strategy = small(name, towers)
    assert len(strategy.stores) == towers
    for tower in range(towers):
        indices = {on(variable).device_index for variable in strategy.store(tower).variables.values()}
        assert indices == {tower}


@pytest.mark.parametrize("towers", [1, 2, 4, 8])
def test_parameter_server_on_the_cpu_has_one_copy_there(towers):
    strategy = small("parameter_server", towers)
    assert len(strategy.stores) == 1
    assert {on(variable).device_index for variable in strategy.store(towers - 1).variables.values()} == {0}


def test_parameter_server_on_the_towers_is_balanced_by_bytes():
    devices = [f"/cpu:{index}" for index in range(4)]
    strategy = small("parameter_server", 4, devices)
    placement = strategy.stores[0].placement
    assert placement == balanced(declarations(SmallNet(), CLASSES), devices)
    for name, variable in strategy.stores[0].variables.items():
        assert f"/cpu:{on(variable).device_index}" == placement[name]


@pytest.mark.parametrize("name", STRATEGIES)
def test_what_the_optimizer_remembers_is_beside_its_variable(name, batch):
    devices = [f"/cpu:{index}" for index in range(3)]
    training = build_training(name, 3, *batch, optimizer=RMSProp(0.1), parameter_devices=devices)
    for store, updates in zip(training.strategy.stores, training.step.updates, strict=True):
        for variable, slots in updates.slots.items():
            assert len(slots) == 2
            assert {on(slot).device_index for slot in slots.values()} == {on(store.variables[variable]).device_index}


@pytest.mark.parametrize("scale", [LossScale(), LossScale(128.0), DynamicLossScale(128.0)])
@pytest.mark.parametrize("name", STRATEGIES)
def test_every_operation_of_a_step_has_a_device(name, scale, batch):
    """One without would run on the first GPU, whoever's gradient it is."""
    devices = [f"/cpu:{index}" for index in range(3)]
    options = {"optimizer": RMSProp(0.1), "weight_decay": 1e-4, "loss_scale": scale, "accuracy": True}
    training = build_training(name, 3, *batch, parameter_devices=devices, **options)
    training.step.trace()
    free = {"Placeholder", "Const", "NoOp", "Identity", "If", "StatelessIf"}
    free |= {"ReadVariableOp"}  # runs where its variable is
    without = [op for op in training.step._run.graph.get_operations() if not op.device and op.type not in free]
    assert not without


def test_balanced_puts_the_largest_first_and_then_where_least_is():
    listed = declarations(SmallNet(), CLASSES)
    load = dict.fromkeys(["a", "b"], 0)
    for declaration in listed:
        load[balanced(listed, ["a", "b"])[declaration.name]] += declaration.nbytes
    largest = max(declaration.nbytes for declaration in listed)
    assert max(load.values()) == largest  # the dense kernel alone outweighs all else
    assert sum(load.values()) == sum(declaration.nbytes for declaration in listed)


@pytest.mark.parametrize("name", STRATEGIES)
def test_stores_start_equal_and_synchronize_makes_them_equal_again(name):
    strategy = small(name, 3)
    for store in strategy.stores:
        for variable, other in zip(store.variables.values(), strategy.stores[0].variables.values(), strict=True):
            np.testing.assert_array_equal(variable.numpy(), other.numpy())
    for index, store in enumerate(strategy.stores):
        for variable in store.variables.values():
            variable.assign_add(tf.fill(variable.shape, float(index + 1)))
    strategy.synchronize()
    for store in strategy.stores:
        for variable, first in zip(store.variables.values(), strategy.stores[0].variables.values(), strict=True):
            np.testing.assert_array_equal(variable.numpy(), first.numpy())


@pytest.mark.parametrize("towers", [2, 4, 8])
@pytest.mark.parametrize("parameter_devices", [("/cpu:0",), None])
@pytest.mark.parametrize("name", EXCHANGING)
def test_towers_update_like_one_tower_with_the_whole_batch(name, towers, parameter_devices, batch):
    parameter_devices = parameter_devices or [f"/cpu:{index}" for index in range(towers)]
    one = build_training("parameter_server", 1, *batch, weight_decay=1e-3)
    many = build_training(name, towers, *batch, parameter_devices=parameter_devices, weight_decay=1e-3)
    for _ in range(5):
        alone, together = one.step(), many.step()
        assert together.loss == pytest.approx(alone.loss, abs=1e-5)
    for store in range(len(many.strategy.stores)):
        for variable, value in many.values(store).items():
            np.testing.assert_allclose(value, one.values()[variable], atol=1e-5, err_msg=variable)
    moved = one.values()["dense/kernel"] - build_training("parameter_server", 1, *batch).values()["dense/kernel"]
    assert np.abs(moved).max() > 1e-3


def test_independent_towers_part(batch):
    one = build_training("parameter_server", 1, *batch)
    many = build_training("independent", 2, *batch)
    for _ in range(5):
        one.step()
        many.step()
    kernels = [one.values()["dense/kernel"], many.values(0)["dense/kernel"], many.values(1)["dense/kernel"]]
    assert np.abs(kernels[1] - kernels[2]).max() > 1e-3
    assert np.abs(kernels[0] - kernels[1]).max() > 1e-3


def test_an_independent_tower_trains_on_its_own_images_alone(batch):
    images, labels = batch
    many = build_training("independent", 2, images, labels)
    alone = build_training("parameter_server", 1, images[12:], labels[12:])
    for _ in range(3):
        many.step()
        alone.step()
    for name, value in many.values(1).items():
        np.testing.assert_allclose(value, alone.values()[name], atol=1e-6, err_msg=name)


@pytest.mark.parametrize("name", STRATEGIES)
def test_moving_statistics_have_one_owner(name, batch):
    images, labels = batch
    network = SmallNet(normalised=True)
    many = build_training(name, 2, images, labels, network=network)
    first = build_training("parameter_server", 1, images[:12], labels[:12], network=network)
    many.step()
    first.step()
    statistics = "conv2/batch_norm/moving_mean"
    np.testing.assert_allclose(many.values()[statistics], first.values()[statistics], atol=1e-6)
    assert [many.strategy.owns_statistics(tower) for tower in (0, 1)] == [True, name != "parameter_server"]
