import itertools
import json
from dataclasses import replace

import pytest

from benchmarks.advice import machine, rates, rings
from benchmarks.advice.platforms import PLATFORMS, mesh
from benchmarks.errors import UserError
from benchmarks.telemetry.wiring import Gpu, Link, Wiring


def wired(count, name, link):
    """A machine of which `link` tells what is between two GPUs."""
    gpus = tuple(Gpu(index, name, None, None, None) for index in range(count))
    return Wiring(gpus, {pair: link(*pair) for pair in itertools.combinations(range(count), 2)})


@pytest.mark.parametrize(("nvlinks", "total"), [(4, 4), (6, 6)])
def test_each_gpu_of_the_mesh_has_all_its_links(nvlinks, total):
    counted = mesh(8, nvlinks)
    of_each = [sum(count for pair, count in counted.items() if gpu in pair) for gpu in range(8)]
    assert set(of_each) <= {total, total - 1}  # on V100 as drawn, four of the outer half have one free
    assert of_each[:4] == [total] * 4


@pytest.mark.parametrize("name", PLATFORMS)
def test_every_platform_has_links_that_carry_something(name):
    built = machine.of_platform(f"{name} (distributed)")
    assert built.gpus == PLATFORMS[name].gpus
    assert all(link.bytes_per_second > 1e9 for link in built.shared)
    assert all(speed > 1e10 for speed in built.nvlinks.values())
    assert built.network is None or built.network.bytes_per_second > 1e8


def test_a_platform_has_the_links_of_the_accelerator_that_is_told():
    assert len(machine.of_platform("NVIDIA DGX-1").nvlinks) == 16
    assert machine.of_platform("NVIDIA DGX-1", "Tesla P100") == machine.of_platform("NVIDIA DGX-1")
    assert machine.of_platform("NVIDIA DGX-1", "P100-SXM2-16GB").nvlink(0, 3) == pytest.approx(18.31e9)
    assert machine.of_platform("NVIDIA DGX-1", "Tesla V100-SXM2-16GB").nvlink(0, 3) > 40e9
    assert machine.of_platform("Amazon EC2 p2.8xlarge").nvlink(0, 1) == 0


@pytest.mark.parametrize(
    ("accelerator", "pcie", "nvlinks", "total"),
    [
        ("Tesla K80", 12e9, 0, 0),
        ("Tesla P100-SXM2-16GB", 12e9, 4, 80e9),
        ("V100-SXM3-32GB", 12e9, 6, 150e9),
        ("NVIDIA A100-SXM4-40GB", 24e9, 12, 300e9),
        ("NVIDIA H100 80GB HBM3", 48e9, 18, 450e9),
        ("NVIDIA H200", 48e9, 18, 450e9),
        ("some other card", 12e9, 0, 0),
    ],
)
def test_links_are_of_the_accelerators_generation(accelerator, pcie, nvlinks, total):
    found = rates.links(accelerator)
    assert (found.pcie, found.nvlinks) == (pcie, nvlinks)
    assert found.nvlinks * found.nvlink == pytest.approx(total * 18.31 / 20)


def test_what_is_not_known_is_named_with_what_is():
    with pytest.raises(UserError, match=r"'My rack' is not known. There are NVIDIA DGX-1, .*gpu_link_GBs"):
        machine.of_platform("My rack")
    with pytest.raises(UserError, match=r"'P100-SXM' is not known\. Did you mean 'P100-SXM2-16GB'\?"):
        machine.of_platform("NVIDIA DGX-1", "P100-SXM")


def test_the_wiring_of_a_dgx_1_is_that_of_the_platform():
    def link(one, other):
        linked = one // 4 == other // 4 or other - one == 4
        level = "SYS" if one // 4 != other // 4 else "PIX" if one // 2 == other // 2 else "PHB"
        return Link(level, int(linked), linked)

    found, known = machine.of_wiring(wired(8, "Tesla P100-SXM2-16GB", link)), machine.of_platform("NVIDIA DGX-1")
    assert found.nvlinks == known.nvlinks
    assert sorted(found.shared, key=str) == sorted(known.shared, key=str)
    assert (found.sockets, found.accelerator, found.peers) == (known.sockets, known.accelerator, True)


def test_links_to_a_switch_are_those_of_one_gpu():
    found = machine.of_wiring(wired(8, "NVIDIA A100-SXM4-40GB", lambda *_: Link("PXB", 12, True, switched=True)))
    assert found.switched == found.nvlink(2, 7) == pytest.approx(12 * rates.links("A100-SXM4-40GB").nvlink)
    assert not found.nvlinks


def test_a_gpu_that_has_lost_its_links_to_the_switch_leaves_none():
    def link(one, other):
        return Link("PXB", 12 * (7 not in (one, other)), True, switched=7 not in (one, other))

    found = machine.of_wiring(wired(8, "NVIDIA A100-SXM4-40GB", link))
    assert (found.switched, found.nvlinks) == (0, {})


def test_gpus_of_one_processor_are_not_apart():
    found = machine.of_wiring(
        wired(4, "NVIDIA L4", lambda one, other: Link("SYS" if one < 2 <= other else "NODE", 0, True))
    )
    assert found.sockets == ((0, 1), (2, 3))
    assert machine.of_wiring(wired(2, "NVIDIA L4", lambda *_: Link("NODE", 0, True))).sockets == ()


@pytest.mark.parametrize("link", [Link("?", 0, True), Link("PIX", 0, None)])
def test_what_nvml_does_not_tell_leaves_open_what_is_shared(link):
    found = machine.of_wiring(wired(2, "Tesla P100-SXM2-16GB", lambda *_: link))
    assert not found.sharing_known
    assert found.sockets == ()


def test_a_card_that_the_reference_data_lacks_is_named():
    found = machine.of_wiring(wired(2, "NVIDIA B9000", lambda *_: Link("PIX", 2, True)))
    assert "which does not have NVIDIA B9000: PCIe 3.0 with 16 lanes is assumed, and NVLinks do not" in found.source
    assert (found.sharing_known, found.nvlinks) == (False, {})


def test_boards_under_switches_share_both():
    def link(one, other):
        return Link("PIX" if one // 2 == other // 2 else "PXB", 0, True)

    found = machine.of_wiring(wired(4, "Tesla K80", link))
    assert [(shared.what, shared.gpus) for shared in found.shared[4:]] == [
        ("board", (0, 1)), ("board", (2, 3)), ("switch", (0, 1, 2, 3)),
    ]  # fmt: skip
    assert found.boards


def test_measured_links_tell_nvlinks_from_pcie(tmp_path):
    def link(source, target, speed):
        return {"from": source, "to": target, "bytes_per_second": speed, "latency_seconds": 1e-5}

    pairs = [("/gpu:0", "/gpu:1", 36e9), ("/gpu:0", "/gpu:2", 11e9), ("/gpu:1", "/gpu:2", None)]
    to_host = [(f"/gpu:{gpu}", "/cpu:0", 12e9) for gpu in range(3)]
    file = tmp_path / "links.json"
    devices = ["/gpu:0", "/gpu:1", "/gpu:2"]
    file.write_text(json.dumps({"devices": devices, "links": [link(*each) for each in [*pairs, *to_host]]}))
    found = machine.of_measurements(file, machine.Network(1e9))
    assert dict(found.nvlinks) == {(0, 1): 36e9}
    assert [shared.bytes_per_second for shared in found.shared] == [12e9] * 3
    assert found.peers
    assert not found.sharing_known
    assert found.network == machine.Network(1e9)


def test_a_link_whose_figure_says_nothing_is_no_nvlink(tmp_path):
    def link(source, target, speed, **more):
        return {"from": source, "to": target, "bytes_per_second": speed, "latency_seconds": 1e-5} | more

    to_host = [link(f"/gpu:{gpu}", "/cpu:0", 12e9, valid=True) for gpu in range(2)]
    noisy = link("/gpu:0", "/gpu:1", 90e9, valid=False, problem="too noisy: the bandwidth is known to within 5318%")
    file = tmp_path / "links.json"
    file.write_text(json.dumps({"devices": ["/gpu:0", "/gpu:1"], "links": [*to_host, noisy]}))
    found = machine.of_measurements(file)
    assert not found.nvlinks
    assert found.source == f"{file}, without 1 of 3 links whose speed is not known well"


@pytest.mark.parametrize(("gpus", "switched"), [(4, 0), (8, 4e11)])
def test_more_gpus_than_a_mesh_has_are_linked_by_switches(tmp_path, gpus, switched):
    names = ["/cpu:0", *(f"/gpu:{gpu}" for gpu in range(gpus))]
    links = [
        {"from": one, "to": other, "bytes_per_second": 5e10 if "/cpu:0" in (one, other) else 4e11}
        for one, other in itertools.permutations(names, 2)
    ]
    file = tmp_path / "links.json"
    file.write_text(json.dumps({"devices": names, "links": links}))
    found = machine.of_measurements(file)
    assert (found.switched, len(found.nvlinks)) == (switched, 0 if switched else 6)
    assert rings.rate(found, gpus, one_ring=False) <= 3 * 4e11


def test_a_mesh_of_many_gpus_is_searched_no_longer_than_it_is_worth():
    links = dict.fromkeys(itertools.combinations(range(12), 2), 1e10)
    full = replace(machine.plain("all to all", "V100-SXM3-32GB", 12), nvlinks=links)
    assert rings.rate(full, 12, one_ring=False) >= 2e10


def one_link(speed):
    return f'{{"devices": ["/gpu:0"], "links": [{{"from": "/gpu:0", "to": "/cpu:0", "bytes_per_second": {speed}}}]}}'


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{}", "is not what python -m benchmarks.topology"),
        ("no JSON", "is not what python -m benchmarks.topology"),
        ('{"devices": ["/cpu:0"], "links": []}', "no GPU among its devices: /cpu:0"),
        ('{"devices": ["/gpu:0", "/gpu:1"], "links": []}', "knows no link of /gpu:0"),
        (one_link("0"), "knows no link of /gpu:0"),
        (one_link("null"), "knows no link of /gpu:0"),
        (one_link("-5"), "bytes_per_second from /gpu:0 to /cpu:0 must be from 0 on or null, is -5"),
        (one_link("true"), "must be from 0 on or null, is True"),
        (one_link("NaN"), "must be from 0 on or null, is nan"),
        (one_link("1" + 400 * "0"), "is not what python -m benchmarks.topology"),
        (100_000 * "[", "is not what python -m benchmarks.topology"),
    ],
)
def test_a_file_that_tells_no_links_is_refused(tmp_path, text, reason):
    file = tmp_path / "links.json"
    file.write_text(text)
    with pytest.raises(UserError, match=reason):
        machine.of_measurements(file)
