import itertools

import pytest

from tests.telemetry.machines import DGX_1V, GCP_V100
from variable_mgr import topology
from variable_mgr.link_graph import LinkGraph, best_ring, components, derive
from variable_mgr.topology import Topology, by_turns, halves

QUADS = [pair for half in (0, 4) for pair in itertools.combinations(range(half, half + 4), 2)]
DGX_1 = dict.fromkeys([*QUADS, (0, 4), (1, 5), (2, 6), (3, 7)], 1)


def by_level(size, level_of):
    return LinkGraph(size, levels={pair: level_of(*pair) for pair in itertools.combinations(range(size), 2)})


def two_nodes(one, other):
    return "PIX" if one // 4 == other // 4 else "SYS"


def test_the_groups_of_a_dgx_1_are_those_that_were_coded_by_hand():
    assert derive(LinkGraph(8, DGX_1)).topology == topology.topology("dgx1", 8)


def test_the_groups_of_googles_v100_are_those_that_were_coded_by_hand():
    assert derive(LinkGraph(8, GCP_V100)).topology == topology.topology("gcp_v100", 8)


def test_only_the_widest_ways_join_the_halves():
    assert derive(LinkGraph(8, DGX_1V)).topology.mains == ((0, 4), (1, 5), (4, 0), (5, 1))


def test_numbers_of_gpus_do_not_matter():
    shuffled = (3, 6, 1, 4, 0, 7, 2, 5)
    links = {tuple(sorted((shuffled[one], shuffled[other]))): 1 for one, other in DGX_1}
    found = derive(LinkGraph(8, links)).topology
    assert {frozenset(group) for group in found.groups} == {frozenset(shuffled[:4]), frozenset(shuffled[4:])}
    assert all(tuple(sorted(pair)) in links for pair in found.mains)
    assert len(found.mains) == 8


@pytest.mark.parametrize(
    ("graph", "groups", "why"),
    [
        (LinkGraph(4, {(0, 1): 2, (2, 3): 2}), ((0, 1), (2, 3)), "each group is joined by NVLinks"),
        (
            LinkGraph(8, dict.fromkeys(itertools.combinations(range(8), 2), 18)),
            halves(8).groups,
            "the same number of NVLinks is between any two, so the halves are by number",
        ),
        (by_level(8, two_nodes), halves(8).groups, "no NVLinks: each group shares a NUMA node"),
        (
            by_level(4, lambda one, other: "PIX" if one % 2 == other % 2 else "PHB"),
            ((0, 2), (1, 3)),
            "no NVLinks: each group shares PCIe switches",
        ),
        (LinkGraph(4, nodes=(1, 0, 0, 1)), ((0, 3), (1, 2)), "no NVLinks: each group shares a NUMA node"),
        (LinkGraph(4, nodes=(1, None, 0, 1)), ((0, 1), (2, 3)), "nothing known tells the devices apart, so the"),
        (LinkGraph(4, levels={(0, 1): "PIX"}), ((0, 1), (2, 3)), "nothing known tells the devices apart, so the"),
        (by_level(4, lambda *_: "PHB"), ((0, 1), (2, 3)), "nothing known tells the devices apart, so the"),
        (LinkGraph(1), ((0,),), "nothing known"),
    ],
)
def test_what_groups_follow_from(graph, groups, why):
    found = derive(graph)
    assert found.topology.groups == groups
    assert found.why.startswith(why)


def test_where_nothing_is_known_mains_are_those_of_halves():
    assert derive(LinkGraph(6)).topology == halves(6)
    assert derive(by_level(8, two_nodes)).topology == halves(8)


def test_a_broken_link_does_not_part_a_half():
    broken = {pair: 1 for pair in DGX_1 if pair != (0, 1)}
    assert derive(LinkGraph(8, broken)).topology.groups == halves(8).groups
    without_across = {pair: 1 for pair in DGX_1 if pair != (1, 5)}
    assert derive(LinkGraph(8, without_across)).topology.mains == ((0, 4), (2, 6), (3, 7), (4, 0), (6, 2), (7, 3))


def test_of_more_than_two_groups_each_is_first_in_turn():
    assert by_turns(((0, 1), (2,), (3, 4))) == Topology(
        ((0, 1), (2,), (3, 4)), ((0, 2, 3), (2, 3, 0), (3, 0, 2), (1, 2, 4), (2, 4, 1), (4, 1, 2))
    )


def links_of(ring):
    return [tuple(sorted(pair)) for pair in zip(ring, (*ring[1:], ring[0]), strict=True)]


def test_where_there_are_nvlinks_the_way_over_pcie_does_not_matter():
    near = dict.fromkeys([(0, 4), (1, 5)], "PIX")
    levels = {pair: near.get(pair, "SYS") for pair in itertools.combinations(range(8), 2)}
    assert derive(LinkGraph(8, DGX_1, levels)) == derive(LinkGraph(8, DGX_1))
    assert best_ring(LinkGraph(8, DGX_1, levels)) == best_ring(LinkGraph(8, DGX_1))


@pytest.mark.parametrize(("nvlinks", "least"), [(DGX_1, 1), (DGX_1V, 2), (GCP_V100, 2)])
def test_a_ring_of_the_best_nvlinks(nvlinks, least):
    ring = best_ring(LinkGraph(8, nvlinks))
    assert ring.exhaustive
    assert sorted(ring.order) == list(range(8))
    assert min(nvlinks.get(pair, 0) for pair in links_of(ring.order)) == least


def test_a_ring_crosses_between_processors_no_more_than_it_must():
    graph = by_level(6, lambda one, other: "PIX" if one % 2 == other % 2 else "SYS")
    assert [graph.level(*pair) for pair in links_of(best_ring(graph).order)].count("SYS") == 2


def test_the_ring_of_many_is_searched_and_not_exhausted():
    graph = by_level(16, lambda one, other: "PIX" if one % 8 == other % 8 else "PXB")
    ring = best_ring(graph)
    assert not ring.exhaustive
    assert sorted(ring.order) == list(range(16))
    assert [graph.level(*pair) for pair in links_of(ring.order)].count("PIX") == 8


@pytest.mark.parametrize("size", [0, 1, 2])
def test_the_least_rings(size):
    assert best_ring(LinkGraph(size)).order == tuple(range(size))


def test_what_is_joined_over_others_is_one():
    assert components(5, lambda one, other: {one, other} in ({0, 4}, {2, 4})) == ((0, 2, 4), (1,), (3,))
