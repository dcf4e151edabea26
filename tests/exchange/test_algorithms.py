"""Schedules carried out with NumPy: every algorithm, any number of participants and of elements."""

import itertools

import numpy as np
import pytest

from variable_mgr import algorithms
from variable_mgr.schedule import Divide, Sum, mean_schedule
from variable_mgr.topology import GCP_V100, by_turns, halves

COUNTS = [1, 2, 3, 4, 5, 6, 7, 8, 9]


def always(algorithm):
    return lambda _: algorithm


def hierarchical(towers):
    return algorithms.hierarchical_copy(halves(towers).groups, halves(towers).mains)


def by_twos(towers):
    found = by_turns(tuple(tuple(range(first, min(first + 2, towers))) for first in range(0, towers, 2)))
    return algorithms.hierarchical_copy(found.groups, found.mains)


def two_levels(within, between):
    def of(towers):
        groups = halves(towers).groups
        hosts = tuple(range(towers, towers + len(groups)))
        leaders = groups if within == "nccl" else [(host,) for host in hosts]
        return algorithms.two_levels(groups, leaders, within, between(hosts))

    return of


ALGORITHMS = {
    "ring": always(algorithms.ring),
    "ring in an order": lambda towers: algorithms.in_order(algorithms.ring, tuple(range(towers))[::-2]),
    "halving_doubling": always(algorithms.halving_doubling),
    "tree": always(algorithms.tree),
    "gather outside": lambda towers: algorithms.gather((towers,)),
    "gather at towers": lambda towers: algorithms.gather(tuple(range(towers))),
    "hierarchical_copy": hierarchical,
    "hierarchical_copy by twos": by_twos,
    "nccl": always(algorithms.joint("nccl")),
    "nccl then ring": two_levels("nccl", always(algorithms.ring)),
    "nccl then halving": two_levels("nccl", always(algorithms.halving_doubling)),
    "nccl then gather": two_levels("nccl", algorithms.gather),
    "gather then gather": two_levels("gather", algorithms.gather),
    "gather then ring": two_levels("gather", always(algorithms.ring)),
}


def devices(towers):
    return [*(f"/gpu:{tower}" for tower in range(towers)), "/cpu:0", "/cpu:0"]


def carried_out(schedule, values):
    """What the slots hold in the end; slots that hold nothing yet are not a number."""
    held = [*map(np.copy, values), *(np.full(schedule.elements, np.nan) for _ in schedule.devices[schedule.towers :])]
    for step in schedule.steps:
        part = slice(step.begin, step.end)
        assert step.begin < step.end
        if isinstance(step, Sum):
            held[step.at][part] = sum(held[source][part] for source in step.sources)
        elif isinstance(step, Divide):
            held[step.at][part] /= step.divisor
        else:
            total = sum(held[slot][part] for slot in step.slots)
            for slot in step.slots:
                held[slot][part] = total
    return held[: schedule.towers]


@pytest.mark.parametrize("divide_first", [False, True])
@pytest.mark.parametrize("towers", COUNTS)
@pytest.mark.parametrize("name", ALGORITHMS)
def test_every_tower_gets_the_mean(name, towers, divide_first):
    algorithm = ALGORITHMS[name](towers)
    for elements, turn, shards in itertools.product((1, 2, 3, 5, 8, 17), range(4), (1, 2, 3)):
        values = np.random.default_rng(elements).standard_normal((towers, elements))
        halves_ = algorithms.sharded(algorithm, shards)(tuple(range(towers)), 0, elements, turn)
        schedule = mean_schedule(devices(towers), towers, elements, halves_, divide_first=divide_first)
        for result in carried_out(schedule, values):
            np.testing.assert_allclose(result, values.mean(axis=0), atol=1e-12)


@pytest.mark.parametrize("pair", range(4))
def test_the_pairs_of_a_google_machine_meet(pair):
    algorithm = algorithms.hierarchical_copy(GCP_V100.groups, GCP_V100.mains)
    halves_ = algorithm(tuple(range(8)), 0, 5, pair)
    assert [step.at for step in halves_.reduce] == [*GCP_V100.mains[pair], GCP_V100.mains[pair][0]]
    schedule = mean_schedule(devices(8), 8, 5, halves_, divide_first=False)
    values = np.arange(40.0).reshape(8, 5)
    for result in carried_out(schedule, values):
        np.testing.assert_allclose(result, values.mean(axis=0))


@pytest.mark.parametrize("name", ["ring", "halving_doubling"])
@pytest.mark.parametrize("towers", [2, 4, 8])
def test_no_more_is_sent_than_must_be(name, towers):
    halves_ = ALGORITHMS[name](towers)(tuple(range(towers)), 0, 64, 0)
    sent = mean_schedule(devices(towers), towers, 64, halves_, divide_first=False).sent_elements()
    assert dict(sent) == {f"/gpu:{tower}": 2 * (towers - 1) * 64 // towers for tower in range(towers)}


@pytest.mark.parametrize("towers", [3, 5, 8])
def test_a_ring_turns_the_other_way_every_other_time(towers):
    slots = tuple(range(towers))
    hops = {
        turn: {(step.at - step.sources[0]) % towers for step in algorithms.ring(slots, 0, 64, turn).share}
        for turn in (0, 1)
    }
    assert hops == {0: {1}, 1: {towers - 1}}


def test_halving_and_doubling_takes_few_messages():
    halves_ = algorithms.halving_doubling(tuple(range(8)), 0, 64, 0)
    assert len(halves_.reduce) == len(halves_.share) == 8 * 3


def test_places_and_roots_take_turns():
    slots = tuple(range(3))
    roots = [algorithms.tree(slots, 0, 1, turn).totals[0].slot for turn in range(4)]
    places = [algorithms.gather(slots)(slots, 0, 1, turn).totals[0].slot for turn in range(4)]
    assert roots == places == [0, 1, 2, 0]


@pytest.mark.parametrize(
    ("count", "expected"), [(1, [(3, 8)]), (2, [(3, 5), (5, 8)]), (9, [(i, i + 1) for i in range(3, 8)])]
)
def test_parts(count, expected):
    assert algorithms.parts(3, 8, count) == expected
    assert algorithms.parts(3, 3, count) == []
