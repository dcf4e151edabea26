"""How GPUs are wired, over the real nvidia-ml-py and a stand-in for the driver's library."""

import json

import pytest

from benchmarks.environment import gpus
from benchmarks.telemetry import wiring
from benchmarks.telemetry.wiring import Wiring
from benchmarks.topology.command import main
from results.report.sections.topology import links_of
from tests.results.records import record
from tests.telemetry import machines
from tests.telemetry.stand_in import HERE, Machine, put_in_place


@pytest.fixture
def put(tmp_path, monkeypatch):
    return lambda text: put_in_place(text, tmp_path, monkeypatch)


def read() -> Wiring:
    found = wiring.read()
    assert isinstance(found, Wiring)
    return found


def test_the_cube_mesh_of_a_dgx_1(put):
    put(machines.dgx_1())
    found = read()
    linked = {pair for pair, link in found.links.items() if link.word == "NV1"}
    quads = {(one, other) for half in (0, 4) for one in range(half, half + 4) for other in range(one + 1, half + 4)}
    assert linked == quads | {(0, 4), (1, 5), (2, 6), (3, 7)}
    assert found.link(0, 5).word == "SYS"
    assert found.link(0, 5).peers is False
    assert found.islands == [tuple(range(8))]
    assert found.gpus[5].numa_node == 1
    assert found.gpus[5].cores == tuple(range(20, 40))


def test_the_gpus_of_a_run_are_those_at_its_addresses(put):
    put(machines.dgx_1())
    addresses = [read().gpus[gpu].bus for gpu in (5, 2)]
    assert wiring.of_run(addresses) == {"gpus_of_run": [2, 5]}
    assert wiring.of_run([*addresses, "00000000:ff:00.0"]) == wiring.of_run(None) == {}


def test_sixteen_dies_under_switches(put):
    put(machines.p2_16xlarge())
    found = read()
    assert found.link(0, 1).word == "PIX"
    assert found.link(1, 2).word == "PXB"
    assert found.islands == [tuple(range(16))]


def test_cards_that_do_not_reach_each_other(put, capsys):
    put(machines.no_peers())
    assert read().islands == [(gpu,) for gpu in range(8)]
    assert main([]) == 0
    told = capsys.readouterr().out
    assert "0; 1; 2; 3; 4; 5; 6; 7" in told
    assert "the way between them does not allow it" in told


def test_links_to_switches_are_links_to_every_gpu(put):
    put(machines.nvswitch())
    links = read().links.values()
    assert {(link.word, link.switched) for link in links} == {("NV18", True)}


def test_a_broken_link_is_none(put):
    machine: Machine = put(machines.dgx_1())
    machine.set("gpu0.nvlink.0", 0)
    assert read().link(0, 1).nvlinks == 0
    assert read().link(0, 1).word == "PIX"


def test_a_gpu_off_the_bus_is_named_and_the_others_are_told(put, capsys):
    machine: Machine = put(machines.dgx_1())
    machine.set("gpu3", "!15")
    found = read()
    assert [gpu.index for gpu in found.gpus] == [0, 1, 2, 4, 5, 6, 7]
    assert "GPU is lost" in found.broken[0]
    assert main([]) == 0
    assert "Not told of: GPU 3: GPU is lost" in capsys.readouterr().out
    assert found.link(0, 7).word == "SYS"  # both had a link to it, and neither to a switch
    drawn = links_of(record(hardware={"topology": wiring.recorded()["topology"]}))
    assert drawn.numbers == (0, 1, 2, 4, 5, 6, 7)


@pytest.mark.parametrize(("kind", "word"), [(0, "SYS"), (1, "SYS"), (2, "NV1"), (255, "SYS"), ("!15", "NV1")])
def test_what_the_other_end_of_a_link_is_the_driver_tells(put, kind, word):
    machine: Machine = put(machines.dgx_1())
    for gpu in (0, 7):
        machine.set(f"gpu{gpu}.nvlink.5", 1)
        machine.set(f"gpu{gpu}.nvlink_to.5", "00000000:F0:00.0")
        machine.set(f"gpu{gpu}.nvlink_type.5", kind)
    assert read().link(0, 7).word == word


def test_what_is_not_told_is_not_guessed(put):
    put("count 2\ngpu*.name NVIDIA X\n")
    found = read()
    assert found.link(0, 1) == wiring.Link("?", 0, None)
    assert found.gpus[0] == wiring.Gpu(0, "NVIDIA X", None, None, None)


def test_the_matrix_and_its_file(put, capsys, tmp_path):
    put(machines.dgx_1())
    assert main([f"--output={tmp_path / 'wiring.json'}"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0].split() == [*(f"GPU{gpu}" for gpu in range(8)), "NUMA", "node", "cores"]
    assert told[1].split() == ["GPU0", "X", "NV1", "NV1", "NV1", "NV1", "SYS", "SYS", "SYS", "0", "0-19"]
    assert json.loads((tmp_path / "wiring.json").read_text())["islands"] == [list(range(8))]


def test_one_gpu_has_nothing_between(put, capsys):
    put((HERE / "h200.txt").read_text())
    assert main([]) == 0
    assert "There is one GPU" in capsys.readouterr().out


def test_what_a_record_has_is_what_a_report_draws(put):
    put(machines.dgx_1())
    topology = wiring.recorded()["topology"]
    assert topology["peers"][0] == [True, True, True, True, True, False, False, False]
    assert topology["numa_nodes"] == [0] * 4 + [1] * 4
    assert topology["islands"] == [list(range(8))]
    assert topology["ring"] == [0, 1, 2, 3, 7, 5, 6, 4]
    drawn = links_of(record(hardware={"topology": topology}))
    assert drawn.names == ("Tesla P100-SXM2-16GB",) * 8
    assert drawn.cells[0] == ("X", "NV1", "NV1", "NV1", "NV1", "SYS", "SYS", "SYS")


def test_gpus_that_have_all_fallen_off_are_told_and_recorded(put, capsys):
    machine: Machine = put(machines.p2_16xlarge())
    for gpu in range(16):
        machine.set(f"gpu{gpu}", "!15")
    assert main([]) == 0
    assert "No GPU answers, so nothing is between two." in capsys.readouterr().out
    topology = wiring.recorded()["topology"]
    assert (topology["gpus"], len(topology["broken"])) == ([], 16)
    assert links_of(record(hardware={"topology": topology})) is None


def test_what_is_not_told_is_recorded_as_such(put):
    machine: Machine = put("count 2\ngpu*.name NVIDIA X\n")
    topology = wiring.recorded()["topology"]
    assert topology["links"] == [["X", "?"], ["?", "X"]]
    assert topology["peers"] == [[True, None], [None, True]]
    assert topology["numa_nodes"] == [None, None]
    machine.set("init", "!4")
    assert wiring.recorded() == {}


def test_an_entry_that_cannot_be_read_is_not_known(put):
    machine: Machine = put(machines.dgx_1())
    machine.set("gpu1.pci", "nonsense")
    machine.set("gpu2.nvlink_to.0", "!999")
    machine.set("gpu5.p2p.6", "!15")
    machine.set("gpu4.p2p.5", 6)  # NVML_P2P_STATUS_UNKNOWN
    found = read()
    assert found.gpus[1].bus is None
    assert found.link(5, 6).peers is None
    assert found.link(4, 5) == wiring.Link("PIX", 1, None)
    assert [gpu.index for gpu in found.gpus] == list(range(8))
    assert found.link(3, 7).word == "NV1"


def test_a_name_that_is_no_text_is_not_known(put):
    put(machines.dgx_1().replace("Tesla P100-SXM2-16GB", "\udcff"))
    assert read().gpus[0].name is None
    assert gpus()["gpus"][0]["name"] is None


def test_a_number_of_gpus_that_is_not_told_is_not_none(put):
    put("count !4\n")
    why = "it does not tell how many GPUs there are: Insufficient Permissions"
    assert wiring.read() == why
    assert gpus() == {"gpus": [], "nvml": why}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("init !9", "Driver Not Loaded"),
        ("init !4", "Insufficient Permissions"),
        ("count 0", "no GPU"),
        ("count !4", "Insufficient Permissions"),
    ],
)
def test_no_gpus_are_one_clear_error(put, capsys, line, said):
    put(f"{line}\n")
    assert main([]) == 2
    assert said in capsys.readouterr().err
