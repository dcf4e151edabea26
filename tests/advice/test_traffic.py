from dataclasses import replace

import pytest

from benchmarks.advice import rates, rings
from benchmarks.advice.machine import Machine, Network, Shared, of_platform
from benchmarks.advice.traffic import BETWEEN_MACHINES, STRATEGIES, Layout, Workload, exchange
from benchmarks.errors import UserError

MB = 1e6
WORKLOAD = Workload("small", 120 * MB, 10, 32, "parameter_server", "cpu")
# Every link carries 1 GB/s, two GPUs are on a board; adding up costs the host nothing.
FOUR = Machine(
    "four",
    "K80",
    4,
    shared=(
        *(Shared("GPU's link", (gpu,), 1e9) for gpu in range(4)),
        *(Shared("board", pair, 1e9) for pair in ((0, 1), (2, 3))),
    ),
    host_bytes_per_second=1e30,
    network=Network(1e9, 0.0),
)


def local(workload, devices, machine=FOUR):
    return exchange(workload, machine, Layout(devices)).local_seconds


def test_variables_on_the_host_cross_a_board_once_for_each_of_its_gpus_and_back():
    assert [local(WORKLOAD, devices) for devices in (1, 2, 3, 4)] == pytest.approx([0.24, 0.48, 0.48, 0.48])
    assert exchange(WORKLOAD, FOUR, Layout(4)).busiest.startswith("board of GPUs ")


def test_the_host_reads_all_gradients():
    slow_host = replace(FOUR, host_bytes_per_second=1e9)
    assert local(WORKLOAD, 4, slow_host) - local(WORKLOAD, 4) == pytest.approx((4 + 3) * 0.12)


def test_variables_on_gpus_are_sent_between_them():
    spread = replace(WORKLOAD, place="gpu")
    assert local(spread, 1) == 0
    # Each owns 30 MB; two on a board get two gradients of each other board's GPUs: 2 x 2 x 30 MB, and send as much.
    assert local(spread, 4) == pytest.approx(2 * 0.12)
    # One owns everything: it gets all gradients, and all get what it has.
    assert local(replace(spread, largest_bytes=120 * MB), 4) == pytest.approx(2 * 3 * 0.12)


def test_gpus_that_cannot_reach_each_other_go_through_the_host():
    spread = replace(WORKLOAD, place="gpu")
    # On a board each sends 30 MB to three others, and all of it leaves.
    assert local(spread, 4, replace(FOUR, peers=False)) == pytest.approx(2 * 2 * 3 * 0.03)


def test_servers_share_the_network_with_workers():
    served = replace(WORKLOAD, strategy="distributed_replicated", place="")
    one_each = exchange(served, FOUR, Layout(16, 4))
    assert one_each.network_bytes == pytest.approx((3 * 30 + 90) * MB)
    assert one_each.process_bytes == pytest.approx(120 * MB)
    one = exchange(served, FOUR, Layout(16, 4, servers=1))
    assert one.network_bytes == pytest.approx(3 * 120 * MB)
    assert one.process_bytes == pytest.approx(4 * 120 * MB)
    uneven = replace(served, largest_bytes=100 * MB)
    assert exchange(uneven, FOUR, Layout(16, 4)).network_bytes == pytest.approx((3 * 100 + 20) * MB)
    sliced = exchange(replace(uneven, sliced=True), FOUR, Layout(16, 4))
    assert sliced.network_bytes == pytest.approx(one_each.network_bytes)


def test_a_message_goes_both_ways_for_each_tensor_and_worker():
    slow = replace(FOUR, network=Network(1e9, 1e-3))
    assert exchange(WORKLOAD, slow, Layout(16, 4, servers=2)).message_seconds == pytest.approx(2 * 4 * 10 / 2 * 1e-3)


@pytest.mark.parametrize("strategy", BETWEEN_MACHINES)
def test_rings_between_machines_send_everything_nearly_twice(strategy):
    found = exchange(replace(WORKLOAD, strategy=strategy), FOUR, Layout(16, 4))
    assert found.network_bytes == pytest.approx(2 * 3 / 4 * 120 * MB)


def test_towers_that_exchange_nothing_send_nothing():
    assert not any(exchange(replace(WORKLOAD, strategy="independent"), FOUR, Layout(16, 4)))


def test_nccl_1_has_one_ring_that_the_mesh_does_not_close():
    dgx = of_platform("NVIDIA DGX-1")
    assert rings.rate(dgx, 4, one_ring=True) == pytest.approx(18.31e9)
    assert rings.rate(dgx, 8, one_ring=True) == 6e9  # from GPU 3 to 4 between processors


def test_nccl_2_lays_as_many_rings_as_have_room():
    dgx = of_platform("NVIDIA DGX-1")
    assert rings.rate(dgx, 2, one_ring=False) == pytest.approx(18.31e9)
    assert rings.rate(dgx, 8, one_ring=False) == pytest.approx(4 * 18.31e9)
    volta = of_platform("NVIDIA DGX-1", "V100-SXM2-16GB")
    assert rings.rate(volta, 8, one_ring=False) == pytest.approx(6 * rates.links("V100-SXM2-16GB").nvlink)
    assert rings.rate(of_platform("NVIDIA DGX-2"), 16, one_ring=False) > 100e9


def test_a_ring_over_pcie_passes_a_board_once_where_peers_reach_each_other():
    assert rings.rate(FOUR, 4, one_ring=False) == 1e9
    assert rings.rate(replace(FOUR, peers=False), 4, one_ring=False) == 0.5e9


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("nccl", [False, True])
def test_faster_links_never_take_longer(strategy, nccl):
    workload = replace(WORKLOAD, strategy=strategy, nccl=nccl, largest_bytes=60 * MB)
    twice = replace(FOUR, shared=tuple(replace(link, bytes_per_second=2e9) for link in FOUR.shared))
    layout = Layout(4)
    assert exchange(workload, twice, layout).local_seconds <= exchange(workload, FOUR, layout).local_seconds


@pytest.mark.parametrize(
    ("change", "layout", "reason"),
    [
        ({"strategy": "mine"}, Layout(4), "no strategy 'mine': there are parameter_server"),
        ({}, Layout(5), "5 devices on 1 machine.* four has 4"),
        ({"strategy": "replicated"}, Layout(8, 2), "replicated is for one machine"),
        ({}, Layout(0), "must be at least 1"),
    ],
)
def test_what_cannot_be_is_refused(change, layout, reason):
    with pytest.raises(UserError, match=reason):
        exchange(replace(WORKLOAD, **change), FOUR, layout)


def test_machines_without_a_network_are_alone():
    with pytest.raises(UserError, match="network between machines of four is not known"):
        exchange(WORKLOAD, replace(FOUR, network=None), Layout(8, 2))
