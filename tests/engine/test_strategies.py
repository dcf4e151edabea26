"""The contract of every variable-update strategy."""

import numpy as np
import pytest
import tensorflow as tf

from benchmarks.draft import placement_facts
from benchmarks.learning_rate import LearningRate
from benchmarks.optimizers import Optimizer, RMSProp
from benchmarks.precision import DynamicLossScale, LossScale
from models.layers import declarations
from tests.engine.training import CLASSES, EXCHANGING, STRATEGIES, SmallNet, build_strategy, build_training
from variable_mgr.copies import Independent
from variable_mgr.delay import Delayed
from variable_mgr.exchange_plan import CannotReduceError, Traffic
from variable_mgr.store import balanced


def on(variable):
    return tf.DeviceSpec.from_string(variable.device)


def small(name, towers, parameter_devices=("/cpu:0",)):
    return build_strategy(name, [f"/cpu:{index}" for index in range(towers)], parameter_devices)


@pytest.mark.parametrize("towers", [1, 2, 4, 8])
@pytest.mark.parametrize("name", [name for name in STRATEGIES if name != "parameter_server"])
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
    training = build_training(name, 3, *batch, optimizer=RMSProp(), parameter_devices=devices)
    for store, updates in zip(training.strategy.masters, training.step.updates, strict=True):
        for variable, slots in updates.slots.items():
            assert len(slots) == 2
            assert {on(slot).device_index for slot in slots.values()} == {on(store.variables[variable]).device_index}


@pytest.mark.parametrize("scale", [LossScale(), LossScale(128.0), DynamicLossScale(128.0)])
@pytest.mark.parametrize("name", STRATEGIES)
def test_every_operation_of_a_step_has_a_device(name, scale, batch):
    """One without would run on the first GPU, whoever's gradient it is."""
    devices = [f"/cpu:{index}" for index in range(3)]
    options = {"optimizer": RMSProp(), "weight_decay": 1e-4, "loss_scale": scale, "accuracy": True}
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


def test_sharded_towers_keep_the_optimizers_state_of_their_share_alone(batch):
    training = build_training("sharded", 3, *batch, optimizer=RMSProp())
    [updates] = training.step.updates
    slots = {name: {on(slot).device_index for slot in slots.values()} for name, slots in updates.slots.items()}
    assert sorted(slots) == sorted(training.strategy.store(0).trainable)
    assert set().union(*slots.values()) == {0, 1, 2}


def test_distributed_replicated_keeps_its_masters_on_the_parameter_devices():
    strategy = small("distributed_replicated", 2, ["/cpu:4", "/cpu:5"])
    [master] = strategy.masters
    assert {on(variable).device_index for variable in master.variables.values()} == {4, 5}
    assert all(declaration.trainable for declaration in master.declarations.values())


def test_relaxed_updates_come_a_step_late(batch):
    """Step n applies the gradients of step n - 1, and the first step none."""
    strict = build_training("replicated", 2, *batch, optimizer=Optimizer())
    relaxed = build_training("replicated", 2, *batch, optimizer=Optimizer(), how={"relaxed": True})
    start = relaxed.values()
    first = strict.step().loss
    assert relaxed.step().loss == pytest.approx(first)
    assert_equal(relaxed.values(), start)
    assert relaxed.step().loss == pytest.approx(first)
    for store in (0, 1):
        assert_equal(relaxed.values(store), strict.values(), atol=1e-6)


def test_staged_towers_read_what_the_parameters_were_a_step_ago(batch):
    """w(n + 1) = w(n) - rate * gradient(w(n - 2)): gradients are a step late, taken at variables a step late."""
    staged = build_training("parameter_server", 2, *batch, optimizer=Optimizer(), how={"staged": True})
    values, losses = [staged.master_values()], []
    for _ in range(6):
        losses.append(staged.step().loss)
        values.append(staged.master_values())
    at = [gradients_at(value, *batch) for value in values]
    gradients = [gradient for _, gradient in at]
    assert losses == pytest.approx([at[max(0, step - 1)][0] for step in range(6)], rel=1e-5)
    assert_equal(values[1], values[0])
    for step in range(1, 6):
        found = gradients[max(0, step - 2)]
        expected = {name: value - 0.1 * found[name] for name, value in values[step].items()}
        assert_equal(values[step + 1], expected, atol=1e-5)


def gradients_at(values, images, labels):
    """Loss and gradients of one tower with the whole batch at `values`."""
    training = build_training("parameter_server", 1, images, labels, optimizer=Optimizer(), rate=LearningRate(1.0))
    for name, variable in training.strategy.stores[0].variables.items():
        variable.assign(values[name])
    loss = training.step().loss
    return loss, {name: values[name] - moved for name, moved in training.values().items()}


def assert_equal(values, expected, atol=0.0):
    for name, value in expected.items():
        np.testing.assert_allclose(values[name], value, atol=atol, rtol=0, err_msg=name)


def test_mirrored_has_the_towers_of_the_strategy_that_connects_processes():
    connected = tf.distribute.MirroredStrategy(["/cpu:0"], cross_device_ops=tf.distribute.ReductionToOneDevice())
    assert len(build_strategy("mirrored", ["/cpu:0"], runtime=connected).stores) == 1
    with pytest.raises(CannotReduceError, match="computes on cpu:0 of each process, and the towers are on"):
        build_strategy("mirrored", ["/cpu:0", "/cpu:1"], runtime=connected)


BYTES = sum(each.nbytes for each in declarations(SmallNet(), CLASSES) if each.trainable)
TRAINABLE = sum(each.trainable for each in declarations(SmallNet(), CLASSES))


def test_traffic_of_a_parameter_server_beside_the_first_tower():
    """The second and third tower send their gradients to the first tower's device, and get the variables from it."""
    traffic = small("parameter_server", 3).traffic()
    assert traffic.sent_bytes == {"/cpu:0": 2 * BYTES, "/cpu:1": BYTES, "/cpu:2": BYTES}
    assert traffic.exchanges == TRAINABLE


@pytest.mark.parametrize("name", ["sharded", "distributed_replicated", "replicated"])
def test_traffic_without_a_bottleneck_adds_up_to_two_transfers_for_each_other_tower(name):
    """Each of n towers sends the gradients of n - 1 shares, and its own share's mean or variables to n - 1 towers."""
    devices = [f"/cpu:{index}" for index in range(3)]
    traffic = small(name, 3, devices).traffic()
    assert set(traffic.sent_bytes) == set(devices)
    assert sum(traffic.sent_bytes.values()) == 2 * 2 * BYTES


def test_independent_towers_send_nothing():
    assert small("independent", 2).traffic() == Traffic(0, {"/cpu:0": 0, "/cpu:1": 0})


@pytest.mark.parametrize("name", ["parameter_server", "replicated", "sharded"])
def test_one_tower_with_its_variables_sends_nothing(name):
    traffic = small(name, 1).traffic()
    assert (traffic.exchanges, sum(traffic.sent_bytes.values())) == (0, 0)


def test_the_exchange_of_a_delayed_strategy_needs_nothing_of_this_step():
    """Else it could not go on beside the towers' computation."""
    inner, exchanged = small("replicated", 2), []

    class Spy(Independent):
        def reduce(self, tower_gradients):
            exchanged.extend(gradient for gradients in tower_gradients for gradient in gradients.values())
            return inner.reduce(tower_gradients)

    listed, devices = declarations(SmallNet(), CLASSES), ["/cpu:0", "/cpu:1"]
    delayed = Delayed(Spy(listed, devices, seed=1))
    fresh = [{name: tf.ones_like(value) for name, value in store.read().items()} for store in inner.stores]
    tf.function(lambda: delayed.reduce([{n: g[n] for n in inner.store(0).trainable} for g in fresh]))()
    assert len(exchanged) == 2 * TRAINABLE
    assert {tensor.op.type for tensor in exchanged} <= {"Identity", "ReadVariableOp"}


def test_placement_counts_masters_and_no_variable_twice():
    strategy = small("distributed_replicated", 2, ["/cpu:4"])
    placed = placement_facts(["/cpu:0", "/cpu:1"], [*strategy.stores, *strategy.masters])["variables"]
    assert placed["/cpu:4"] == {"variables": TRAINABLE, "bytes": BYTES}
    assert placed["/cpu:0"]["variables"] == len(strategy.store(0).variables)
    sharded = small("sharded", 2)
    placed = placement_facts(["/cpu:0", "/cpu:1"], [*sharded.stores, *sharded.masters])["variables"]
    assert placed["/cpu:1"]["variables"] == len(sharded.store(1).variables)
