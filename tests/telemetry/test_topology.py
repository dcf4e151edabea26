"""How GPUs are wired, over the real nvidia-ml-py and a stand-in for the driver's library."""

import json

import pytest

from benchmarks.telemetry import wiring
from benchmarks.telemetry.wiring import Wiring
from benchmarks.topology import main
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
    assert {link.word for link in read().links.values()} == {"NV18"}


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


@pytest.mark.parametrize(
    ("line", "said"), [("init !9", "Driver Not Loaded"), ("init !4", "Insufficient Permissions"), ("count 0", "no GPU")]
)
def test_no_gpus_are_one_clear_error(put, capsys, line, said):
    put(f"{line}\n")
    assert main([]) == 2
    assert said in capsys.readouterr().err
