from dataclasses import replace

import pytest

from benchmarks.advice.cost_model import UNKNOWNS, Layout, Workload, draws, predict, slowest
from benchmarks.advice.machine import Network, of_platform
from benchmarks.errors import UserError

MACHINE = of_platform("Amazon EC2 p2.8xlarge")
WORKLOAD = Workload("resnet50", 102e6, 161, 64, "distributed_replicated", largest_bytes=9.4e6)
FIGURES = {Layout(1): 50.0, Layout(2): 95.0}
LAYOUTS = [Layout(4), Layout(8), Layout(64, 8)]


def test_the_parts_of_a_step_add_up():
    for found in predict(WORKLOAD, MACHINE, FIGURES, LAYOUTS):
        parts = found.compute_seconds + found.exposed_seconds + found.waiting_seconds
        assert found.step_seconds == pytest.approx(parts)
        assert found.images_per_second == pytest.approx(found.layout.devices * 64 / found.step_seconds)
        assert 0 <= found.exposed_seconds <= found.exchange_seconds
        assert found.low < found.images_per_second < found.high


def test_what_was_measured_is_predicted():
    first, second = predict(WORKLOAD, MACHINE, FIGURES, list(FIGURES))
    assert first.images_per_second == pytest.approx(50, rel=0.015)
    assert second.images_per_second == pytest.approx(95, rel=0.015)


def test_towers_that_exchange_nothing_only_wait():
    found = predict(replace(WORKLOAD, strategy="independent"), MACHINE, FIGURES, [Layout(8)])[0]
    assert found.exposed_seconds == found.exchange_seconds == 0
    assert found.waiting_seconds > 0


def test_bounds_widen_with_the_number_of_devices():
    layouts = [Layout(8 * machines, machines) for machines in (1, 8, 64, 512)]
    widths = [each.high / each.low for each in predict(WORKLOAD, MACHINE, FIGURES, layouts)]
    assert widths == sorted(widths)
    assert widths[-1] > 1.5 * widths[0]


def test_one_figure_leaves_more_open_than_two():
    one = predict(WORKLOAD, MACHINE, {Layout(1): 50.0}, LAYOUTS)
    two = predict(WORKLOAD, MACHINE, FIGURES, LAYOUTS)
    assert all(a.high / a.low > b.high / b.low for a, b in zip(one, two, strict=True))


@pytest.mark.parametrize("factor", [2, 10, 100])
def test_a_faster_network_is_never_slower(factor):
    assert MACHINE.network
    speed = MACHINE.network.bytes_per_second
    faster = replace(MACHINE, network=Network(factor * speed))
    layout = [Layout(64, 8)]
    slow = predict(WORKLOAD, MACHINE, FIGURES, layout)[0]
    assert predict(WORKLOAD, faster, FIGURES, layout)[0].images_per_second >= slow.images_per_second


def test_a_slow_network_is_the_busiest_link_and_bounds_the_rate():
    slow = replace(MACHINE, network=Network(10e6))
    found = predict(WORKLOAD, slow, FIGURES, [Layout(64, 8)])[0]
    assert found.busiest == "the network"
    # 7 others read and write an eighth of 102 MB each through it, and its own worker the rest: 17.85 s in all.
    assert found.images_per_second < 64 * 64 / (17.85 - 64 / 50)


def test_more_servers_serve_faster():
    slow = replace(MACHINE, network=Network(100e6))
    layouts = [Layout(64, 8, servers) for servers in (1, 2, 4, 8)]
    speeds = [each.images_per_second for each in predict(WORKLOAD, slow, FIGURES, layouts)]
    assert speeds == sorted(speeds)
    assert speeds[-1] > 2 * speeds[0]


def test_links_whose_sharing_is_not_known_leave_more_open():
    unknown = replace(MACHINE, sharing_known=False)
    sure, open_ = (predict(WORKLOAD, each, {Layout(1): 50.0}, [Layout(8)])[0] for each in (MACHINE, unknown))
    assert open_.high / open_.low > sure.high / sure.low


def test_draws_follow_their_priors_and_stay():
    first = draws(2048)
    assert first == draws(2048)
    assert len(UNKNOWNS) == len(first[0])
    assert sum(each.tail for each in first) / 2048 == pytest.approx(1 / 4, abs=0.01)
    assert sorted(each.straggling for each in first)[1024] == pytest.approx(0.007, rel=0.01)


def test_the_slowest_of_many_is_later():
    assert slowest(1) == pytest.approx(0, abs=1e-12)
    assert slowest(2) == pytest.approx(0.56, abs=0.03)  # exactly 1 / sqrt(pi)
    assert slowest(10) == pytest.approx(1.539, abs=0.01)  # as tables of order statistics have it
    assert slowest(100) == pytest.approx(2.508, abs=0.01)


def test_links_too_slow_for_the_figures_cannot_be():
    slow = replace(MACHINE, shared=tuple(replace(link, bytes_per_second=1e6) for link in MACHINE.shared))
    with pytest.raises(UserError, match=r"links of Amazon EC2 p2\.8xlarge cannot be: .* 1\.28 s, 1\.35 s\. Correct"):
        predict(WORKLOAD, slow, FIGURES, LAYOUTS)


@pytest.mark.parametrize("speed_up", [0.5, 1.0, 2.5, 20.0])
def test_figures_that_nothing_explains_still_give_a_prediction(speed_up):
    figures = {Layout(1): 50.0, Layout(2): 50.0 * speed_up}
    for found in predict(WORKLOAD, MACHINE, figures, LAYOUTS):
        assert 0 < found.low < found.images_per_second < found.high


@pytest.mark.parametrize(
    "figures", [{}, {Layout(1): 0.0}, {Layout(1): float("nan")}, {Layout(1): 1e300}, {Layout(1): 1e-300}]
)
def test_without_figures_there_is_no_prediction(figures):
    with pytest.raises(UserError, match=r"images/sec from 1e-06 to 1e\+12 are needed"):
        predict(WORKLOAD, MACHINE, figures, LAYOUTS)
