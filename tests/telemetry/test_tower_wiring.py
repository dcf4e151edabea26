"""Groups from how the towers' GPUs are wired, over stand-ins for the libraries of NVML and CUDA."""

import pytest

from benchmarks.params import Params
from benchmarks.params.advised import advised
from benchmarks.preflight import gpu_facts
from benchmarks.telemetry import wiring
from benchmarks.telemetry.cuda_order import bus_addresses, normal
from benchmarks.topology.tower_wiring import derived_topology, facts, numbered_by_nvml, told, topology_of_run
from tests.telemetry import machines
from tests.telemetry.stand_in import library, put_in_place
from variable_mgr.exchange_plan import ReduceOptions, make_plan
from variable_mgr.schedule import Sum
from variable_mgr.topology import GCP_V100, halves

AUTO = Params(network_topology="auto", hierarchical_copy=True, variable_update="replicated", num_gpus=8)
GPUS = [f"/gpu:{tower}" for tower in range(8)]


@pytest.fixture
def put(tmp_path, monkeypatch):
    """Let the machine be this, and CUDA number its GPUs in this order."""

    def put(text, order=range(8)):
        put_in_place(text, tmp_path, monkeypatch)
        monkeypatch.setenv("CUDA_STAND_IN", " ".join(machines.bus(gpu) for gpu in order))
        monkeypatch.setattr("benchmarks.topology.tower_wiring.bus_addresses", lambda: bus_addresses(str(cuda())))

    return put


def cuda():
    return library("cuda", "libcuda.so.1")


def test_groups_follow_from_the_links_that_nvml_tells(put):
    put(machines.with_v100(machines.GCP_V100))
    assert derived_topology(AUTO, GPUS, lambda: range(8)).topology == GCP_V100


def test_towers_may_have_other_numbers_than_nvml(put):
    put(machines.dgx_1(), order=[6, 1, 4, 3, 2, 5, 0, 7])
    found = derived_topology(AUTO, GPUS[:4], lambda: [0, 1, 4, 5])  # NVML's 6, 1, 2 and 5
    assert found.topology.groups == ((0, 2), (1, 3))
    assert set(found.topology.mains) == {(0, 3), (3, 0), (2, 1), (1, 2)}


def test_a_run_asks_the_driver_once(put, monkeypatch):
    import pynvml

    put(machines.dgx_1())
    asked, ask = [], pynvml.nvmlDeviceGetTopologyCommonAncestor
    monkeypatch.setattr(
        pynvml, "nvmlDeviceGetTopologyCommonAncestor", lambda *pair: (asked.append(pair), ask(*pair))[1]
    )
    advised(Params(variable_update="auto", num_gpus=8, model="vgg16"), {})
    assert gpu_facts.read(AUTO, {}).wiring is not None
    derived_topology(AUTO, GPUS, lambda: range(8))
    assert wiring.recorded()
    assert len(asked) == 28  # pairs of eight


def test_the_groups_are_told_and_recorded(put):
    put(machines.no_peers())
    found = derived_topology(AUTO, GPUS, lambda: range(8))
    assert told(found) == (
        "towers in groups 0 1 2 3; 4 5 6 7, exchanging between 0-4, 1-5, 2-6, 3-7, 4-0, 5-1, 6-2, 7-3 in turn: "
        "no NVLinks: each group shares a NUMA node; rings in the order 0 1 2 3 4 5 6 7."
    )
    recorded = facts(found)["topology"]
    assert recorded["groups"] == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert recorded["mains"][1] == [1, 5]
    assert facts(None) == {}


@pytest.mark.parametrize(
    ("towers", "why"),
    [
        (["/cpu:0", "/cpu:1"], "CPU devices have no links, so the halves are by number"),
        (["/job:worker/task:0/gpu:0", "/job:worker/task:0/gpu:1"], "the towers are on another machine, so"),
    ],
)
def test_where_there_is_nothing_to_ask_the_halves_are_by_number(towers, why):
    def numbers():
        raise AssertionError("these are not this process's GPUs")

    found = derived_topology(AUTO, towers, numbers)
    assert found.topology == halves(2)
    assert found.why.startswith(why)


def test_machines_are_groups():
    towers = [f"/job:worker/task:{task}/gpu:{gpu}" for task in range(2) for gpu in range(2)]
    found = derived_topology(AUTO, towers, list)
    assert found.topology.groups == ((0, 1), (2, 3))
    assert found.topology.mains == ((0, 2), (2, 0), (1, 3), (3, 1))
    assert found.why == "each group is one machine"


@pytest.mark.parametrize(
    ("line", "order", "numbers", "why"),
    [
        ("init !4", range(8), [0, 1], "the NVIDIA driver tells nothing of GPUs (Insufficient Permissions)"),
        ("init !9", range(8), [0, 1], "the NVIDIA driver tells nothing of GPUs (Driver Not Loaded)"),
        ("gpu1 !15", range(8), [0, 1], "NVML does not tell of the GPU that TensorFlow numbers 1"),
        ("gpu1.pci nonsense", range(8), [0, 1], "NVML does not tell of the GPU that TensorFlow numbers 1"),
        ("", range(8), [0, 8], "NVML does not tell of the GPU that TensorFlow numbers 8"),
        ("", [0, 0], [0, 1], "several towers are on one GPU"),
    ],
)
def test_what_cannot_be_told_is_not_guessed(put, line, order, numbers, why):
    key = line.partition(" ")[0] or "nothing"
    text = "\n".join(old for old in machines.dgx_1().splitlines() if old.partition(" ")[0] != key)
    put(f"{line}\n{text}\n", order)
    found = derived_topology(AUTO, GPUS[:2], lambda: numbers)
    assert found.topology == halves(2)
    assert found.why == f"{why}, so the halves are by number"


def test_a_ring_follows_the_links(put):
    put(machines.dgx_1())
    xring = Params(**vars(AUTO) | {"hierarchical_copy": False, "all_reduce_spec": "xring"})
    found = topology_of_run(xring, GPUS, lambda: range(8))
    assert found.ring == (0, 1, 2, 3, 7, 5, 6, 4)  # by number it would go from 3 to 4, and from 7 to 0
    assert facts(found)["topology"]["ring"] == list(found.ring)
    options = ReduceOptions(spec="xring", ring=found.ring)
    sends = {(source, step.at) for step in steps(make_plan(options, {"w": 64}, GPUS)) for source in step.sources}
    linked = {pair for pair, link in wiring.read().links.items() if link.nvlinks}
    assert {(min(pair), max(pair)) for pair in sends if len(set(pair)) > 1} <= linked


def steps(plan):
    return [step for exchange in plan.exchanges for step in exchange.schedule.steps if isinstance(step, Sum)]


@pytest.mark.parametrize(
    "changed", [{"network_topology": "dgx1"}, {"hierarchical_copy": False}, {"variable_update": "independent"}]
)
def test_other_runs_have_no_derived_groups(changed):
    assert topology_of_run(Params(**vars(AUTO) | changed), GPUS, list) is None


def test_cuda_that_is_not_there_or_fails_is_said(put, monkeypatch):
    assert "cannot be loaded" in bus_addresses("libno-such-cuda.so.1")
    put(machines.dgx_1())
    assert "has no cuInit" in bus_addresses(str(library()))
    monkeypatch.setenv("CUDA_STAND_IN", "!100")
    assert bus_addresses(str(cuda())) == "cuInit of CUDA failed with error 100"
    found = wiring.read()
    assert numbered_by_nvml(found, [0]) == ("which GPU is which cannot be told (cuInit of CUDA failed with error 100)")


@pytest.mark.parametrize(
    ("address", "expected"),
    [("0000:1B:00.0", "00000000:1b:00.0"), ("00000000:1b:00.0", "00000000:1b:00.0"), ("", None), ("zz:00", None)],
)
def test_addresses_have_one_form(address, expected):
    assert normal(address) == expected
