"""The guide's rules on the machines that they are about, read through the real nvidia-ml-py from a stand-in."""

import dataclasses

import pytest

import models
from benchmarks.advice.machine import Machine
from benchmarks.advice.rules import GUIDE, MANY_BYTES_PER_FLOP, RULES, Situation, choose
from benchmarks.advice.situation import Wired, of_machine, of_wiring, situation, training_cost
from benchmarks.telemetry import wiring
from tests.telemetry import machines
from tests.telemetry.stand_in import put_in_place


def k80_without_peers():
    """A virtual machine: the board's two dies are as far apart as all others."""
    return machines.machine(
        "Tesla K80", 8, ancestor=machines.always(machines.BRIDGE), peers=machines.always(machines.WAY_NOT_SUPPORTED)
    )


def titan_x():
    """A desk's four cards under one processor."""
    return machines.machine(
        "NVIDIA TITAN X (Pascal)", 4, ancestor=machines.always(machines.BRIDGE), peers=machines.always(machines.OK)
    )


ON_GPUS, ON_CPU = ("parameter_server", "gpu", None), ("parameter_server", "cpu", None)
NCCL = ("replicated", None, "nccl")
FEW, MANY = ("resnet50", "inception3"), ("alexnet", "vgg16")
OF_THE_GUIDE = [
    *((machines.p2_16xlarge, model, ON_GPUS) for model in FEW + MANY),
    *((k80_without_peers, model, ON_CPU) for model in FEW + MANY),
    *((machine, model, ON_CPU) for machine in (titan_x, machines.dgx_1) for model in FEW),
    *((machine, model, NCCL) for machine in (titan_x, machines.dgx_1) for model in MANY),
]


@pytest.fixture
def wired(tmp_path, monkeypatch):
    def read(machine, gpus):
        put_in_place(machine(), tmp_path, monkeypatch)
        found = wiring.read()
        assert not isinstance(found, str)
        return of_wiring(found, gpus)

    return read


def of_model(model, data_name="imagenet", **facts) -> Situation:
    training = training_cost(models.get(model, data_name), data_name)
    return dataclasses.replace(situation(model, training, "gpu", 4, Wired(), {}), **facts)


def test_a_card_of_the_guide_beside_another_is_none(wired):
    mixed = lambda: f"gpu2.name Tesla V100-PCIE-16GB\n{machines.p2_16xlarge()}"  # noqa: E731 (a machine is a function)
    assert choose(of_model("vgg16", **vars(wired(mixed, [0, 1])))).rule == "K80 with peer-to-peer"
    both = choose(of_model("vgg16", **vars(wired(mixed, [0, 2]))))
    assert both.rule == "GPUs with peer-to-peer"
    assert "4 x Tesla K80 and Tesla V100-PCIE-16GB, all peers" in both.reason


def flags(choice):
    return choice.variable_update, choice.local_parameter_device, choice.all_reduce_spec


@pytest.mark.parametrize(
    ("machine", "model", "expected"), OF_THE_GUIDE, ids=[f"{each[0].__name__}-{each[1]}" for each in OF_THE_GUIDE]
)
def test_the_guide(wired, machine, model, expected):
    found = choose(of_model(model, **vars(wired(machine, [0, 1, 2, 3]))))
    assert flags(found) == expected
    assert found.source == GUIDE


@pytest.mark.parametrize("model", ["alexnet", "overfeat", "vgg11", "vgg16", "vgg19"])
def test_families_with_many_variables(model):
    assert of_model(model).many_variables


@pytest.mark.parametrize("model", ["resnet18", "resnet50", "resnet50_v1.5", "resnet101", "resnet152", "inception3"])
def test_families_with_few_variables(model):
    assert not of_model(model).many_variables


def test_the_threshold_is_the_middle_between_the_families():
    few, many = of_model("resnet50").bytes_per_flop, of_model("vgg19").bytes_per_flop
    assert pytest.approx((few * many) ** 0.5, rel=0.001) == MANY_BYTES_PER_FLOP


@pytest.mark.parametrize(
    ("machine", "gpus", "rule", "expected"),
    [
        (machines.nvswitch, range(8), "GPUs with NVLink", NCCL),
        (machines.no_peers, range(8), "GPUs without peer-to-peer", NCCL),
        (machines.no_peers, [6, 7, 8], "GPUs of unknown wiring", NCCL),  # there is no GPU 8
        (k80_without_peers, [0], "one tower", ("parameter_server", None, None)),
    ],
)
def test_what_the_guide_does_not_know(wired, machine, gpus, rule, expected):
    found = choose(of_model("vgg16", towers=len(gpus), **vars(wired(machine, list(gpus)))))
    assert (found.rule, flags(found)) == (rule, expected)
    assert found.source != GUIDE


def test_the_wiring_is_that_of_the_towers_gpus(wired):
    """GPUs 0 and 5 of a DGX-1 have no link, and NVLinks join them over others only where these are used too."""
    assert wired(machines.dgx_1, [0, 5]).nvlinked is False
    assert wired(machines.dgx_1, [0, 5]).peers is False
    assert wired(machines.dgx_1, [0, 1, 5]).nvlinked is True
    assert wired(machines.dgx_1, [0, 1, 2, 3]).peers is True


def test_cpu_towers_share_one_copy():
    found = choose(of_model("vgg16", kind="cpu"))
    assert (found.rule, flags(found)) == ("CPU towers", ON_CPU)


@pytest.mark.parametrize(
    ("jobs", "expected"),
    [
        ({"ps": 1, "worker": 2}, "parameter_server"),
        ({"controller": 1, "worker": 2}, "distributed_all_reduce"),
        ({"worker": 2}, "collective_all_reduce"),
    ],
)
def test_a_cluster_is_for_the_strategy_that_has_its_processes(jobs, expected):
    for kind in ("cpu", "gpu"):
        assert choose(of_model("vgg16", jobs=jobs, kind=kind)).variable_update == expected


@pytest.mark.parametrize(
    ("strategy", "facts", "expected"),
    [
        ("parameter_server", {"peers": True, "cards": ("A100",)}, ("gpu", None)),
        ("distributed_replicated", {"peers": False, "cards": ("A100",)}, ("cpu", None)),
        ("distributed_replicated", {"peers": True, "cards": ("Tesla K80",)}, ("gpu", None)),
        ("replicated", {"peers": False, "cards": ("Tesla K80",)}, (None, "nccl")),
        ("replicated", {"peers": True, "nccl": False}, (None, "xring")),
        ("replicated", {"kind": "cpu"}, (None, None)),
        ("independent", {"peers": True}, (None, None)),
    ],
)
def test_what_goes_with_a_strategy_that_was_chosen(strategy, facts, expected):
    assert flags(choose(of_model("vgg16", **facts), strategy)) == (strategy, *expected)


def test_every_rule_has_its_situations():
    """None stands behind others that hold wherever it does."""
    reached = set()
    for model in ("resnet50", "vgg16"):
        for card in ("Tesla K80", "Tesla P100-PCIE-16GB", "A100"):
            for peers in (True, False, None):
                for nvlinked in (True, None):
                    for strategy in (None, "parameter_server", "replicated"):
                        facts = {"cards": (card,), "peers": peers, "nvlinked": nvlinked}
                        reached.add(choose(of_model(model, **facts), strategy).rule)
    for jobs in ({"ps": 1, "worker": 1}, {"worker": 2}, {"controller": 1}):
        reached.add(choose(of_model("resnet50", jobs=jobs)).rule)
    for kind, towers, strategy in (("cpu", 2, None), ("cpu", 1, None), ("cpu", 2, "replicated")):
        reached.add(choose(of_model("resnet50", kind=kind, towers=towers), strategy).rule)
    assert reached == set(RULES)


@pytest.mark.parametrize(
    ("machine", "rule"),
    [
        (Machine("p2", "K80", 8, peers=True), "K80 with peer-to-peer"),
        (Machine("desk", "Titan-X-Pascal", 4, peers=True), "Titan X, M40 or P100, many variables"),
        (Machine("desk", "Titan-Xp", 4, peers=False), "GPUs without peer-to-peer"),
        (Machine("dgx", "H100-SXM5-80GB", 8, switched=4.5e11), "GPUs with NVLink"),
        (Machine("pairs", "A40", 4, nvlinks={(0, 1): 5e10, (2, 3): 5e10}), "GPUs with peer-to-peer"),
    ],
)
def test_machines_that_one_does_not_have(machine, rule):
    assert choose(of_model("vgg16", **vars(of_machine(machine, machine.gpus)))).rule == rule
