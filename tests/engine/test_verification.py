"""The check before the timing finds what it is there to find."""

import pytest
import tensorflow as tf

from benchmarks.verification import EXACT, IN_TURN, ROUNDED, verify, verify_in_turn
from tests.engine.training import STRATEGIES
from variable_mgr.asynchronous import SharedVariables
from variable_mgr.choice import make
from variable_mgr.copies import Replicated, Sharded
from variable_mgr.delay import Delayed
from variable_mgr.exchange_plan import PLAIN, make_plan
from variable_mgr.reduction import gradient_sizes, reduce_of
from variable_mgr.shared_variables import StagedParameterServer

SEED = 5


def on_towers(count):
    return [f"/cpu:{index}" for index in range(count)]


def verdict(make_strategy, towers=3, rounded=False):
    return verify(make_strategy, on_towers(towers), seed=SEED, rounded=rounded)


def named(name, towers, **options):
    devices = on_towers(towers)
    return lambda listed: make(name, listed, devices, devices, SEED, **options)


@pytest.mark.parametrize("towers", [1, 2, 3, 4, 8])
@pytest.mark.parametrize("name", STRATEGIES)
def test_every_strategy_passes(name, towers):
    found = verdict(named(name, towers), towers)
    assert found.problem is None
    assert found.largest_difference < EXACT


@pytest.mark.parametrize(("name", "late"), [("parameter_server", "staged"), ("replicated", "relaxed")])
def test_late_updates_pass_when_they_have_come(name, late):
    assert verdict(named(name, 2, **{late: True}), 2).problem is None


class Summed(SharedVariables):
    def for_worker(self, towers):
        return Summed(self.stores[0], towers)

    def reduce(self, tower_gradients):
        return summed(tower_gradients)[:1]


def test_workers_that_update_on_their_own_are_verified_in_turn():
    def in_turn(kind):
        return verify_in_turn(lambda listed: kind.on(listed, ["/cpu:3"], SEED), on_towers(2), seed=SEED, rounded=False)

    assert in_turn(SharedVariables).problem is None
    assert in_turn(SharedVariables).facts()["compared"] == IN_TURN
    assert in_turn(Summed).problem


def summed(tower_gradients):
    """As tf_cnn_benchmarks did in some modes."""
    totals = {name: tf.add_n([each[name] for each in tower_gradients]) for name in tower_gradients[0]}
    return [totals] * len(tower_gradients)


def without_the_last_tower(tower_gradients):
    count = len(tower_gradients) - 1
    return [
        {name: tf.add_n([each[name] for each in tower_gradients[:-1]]) / count for name in tower_gradients[0]}
    ] * len(tower_gradients)


@pytest.mark.parametrize("reduce", [summed, without_the_last_tower])
def test_a_wrong_mean_is_found(reduce):
    found = verdict(lambda listed: Replicated(listed, on_towers(3), SEED, reduce))
    assert found.largest_difference > 0.1
    assert "the variable update is not what one device computes" in found.problem


def plain_mean(listed, towers):
    return reduce_of(make_plan(PLAIN, gradient_sizes(listed), towers))


def test_one_wrong_copy_of_one_variable_is_found():
    def reduce(listed, towers):
        mean = plain_mean(listed, towers)

        def corrupted(tower_gradients):
            reduced = mean(tower_gradients)
            reduced[-1]["narrow/bias"] = reduced[-1]["narrow/bias"] * 1.01
            return reduced

        return corrupted

    found = verdict(lambda listed: Replicated(listed, on_towers(3), SEED, reduce(listed, on_towers(3))))
    assert found.variable == "narrow/bias"
    assert found.problem


class NeverRefreshed(Sharded):
    def refresh(self, updated):
        del updated
        return []


class LateInSecret(Delayed):
    def __init__(self, strategy):
        super().__init__(strategy)
        self.steps_behind = 0


class NeverStaged(StagedParameterServer):
    def stage(self):
        return []


class StagedTooLate(StagedParameterServer):
    """The copies get what the step has made of the variables, not what it has found."""

    def stage(self):
        return []

    def refresh(self, updated):
        operations = []
        for name, update in updated[0].items():
            with tf.control_dependencies([update]):
                value = self.masters[0].value(name)
            operations += [store.assign(name, value) for store in self.stores]
        return operations


@pytest.mark.parametrize("wrong", [NeverStaged, StagedTooLate])
def test_copies_that_do_not_get_what_they_should_are_found(wrong):
    def staged(kind):
        return verdict(lambda listed: Delayed(kind(listed, on_towers(3), ["/cpu:0"], SEED)))

    assert staged(StagedParameterServer).problem is None
    assert staged(wrong).problem


@pytest.mark.parametrize(
    "wrong",
    [
        lambda listed: NeverRefreshed(listed, on_towers(3), SEED),
        lambda listed: LateInSecret(named("replicated", 3)(listed)),
    ],
    ids=["never refreshed", "late in secret"],
)
def test_a_strategy_that_leaves_copies_behind_is_found(wrong):
    assert verdict(wrong).problem


def rounded_to_16_bits(listed, towers):
    mean = plain_mean(listed, towers)
    half = tf.float16

    def reduce(tower_gradients):
        sent = [{name: tf.cast(tf.cast(g, half), tf.float32) for name, g in each.items()} for each in tower_gradients]
        return mean(sent)

    return reduce


def test_an_exchange_in_16_bits_needs_the_wider_tolerance():
    def rounding(listed):
        return Replicated(listed, on_towers(3), SEED, rounded_to_16_bits(listed, on_towers(3)))

    assert verdict(rounding).problem
    found = verdict(rounding, rounded=True)
    assert found.problem is None
    assert EXACT < found.largest_difference < ROUNDED


def test_the_facts_are_kept_for_the_record():
    facts = verdict(named("replicated", 2), 2).facts()
    assert set(facts) == {"largest_difference", "variable", "tolerance", "seconds", "compared", "passed"}
    assert facts["passed"]
    assert 0 < facts["seconds"] < 60
