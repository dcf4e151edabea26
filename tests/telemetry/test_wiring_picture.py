"""Pictures of machines that a stand-in for the driver's library describes, looked at as matplotlib's objects."""

import json
from xml.etree import ElementTree

import pytest

from benchmarks.telemetry import wiring
from benchmarks.topology.command import main
from benchmarks.topology.picture import picture
from tests.telemetry import machines
from tests.telemetry.stand_in import put_in_place


@pytest.fixture
def drawn(tmp_path, monkeypatch):
    def drawn(text):
        put_in_place(text, tmp_path, monkeypatch)
        return picture(wiring.read())

    return drawn


def texts(figure):
    axes = figure.axes[0]
    return [text.get_text() for text in [*figure.texts, *axes.texts, *figure.legends[0].get_texts()]]


def lines_between_gpus(figure):
    return [line for line in figure.axes[0].lines if len(line.get_xdata()) == 2]


def heights(figure):
    return {text.get_text(): round(text.get_position()[1], 6) for text in figure.axes[0].texts}


def test_a_line_for_each_pair_with_nvlinks(drawn):
    figure = drawn(machines.with_v100(machines.DGX_1V))
    widths = [line.get_linewidth() for line in lines_between_gpus(figure)]
    assert len(widths) == len(machines.DGX_1V)
    assert widths.count(max(widths)) == [*machines.DGX_1V.values()].count(2)
    assert {"1 NVLink", "2 NVLinks", "8 x Tesla V100-SXM2-16GB", "near NUMA node 1"} <= {*texts(figure)}


def test_opposite_numbers_of_two_nodes_are_at_one_height(drawn):
    found = heights(drawn(machines.dgx_1()))
    assert [found[f"GPU{gpu}"] for gpu in range(4)] == [found[f"GPU{gpu + 4}"] for gpu in range(4)]
    assert len({*found.values()}) == 4


def test_what_is_shared_of_pcie_has_arcs(drawn):
    figure = drawn(machines.dgx_1())
    arcs = [line for line in figure.axes[0].lines if len(line.get_xdata()) > 2]
    assert len(arcs) == 4 + 2
    assert {"share one PCIe switch or board", "share a host bridge"} <= {*texts(figure)}


def test_switches_are_in_the_middle(drawn):
    figure = drawn(machines.nvswitch())
    assert len(lines_between_gpus(figure)) == 8
    assert {"NVSwitch", "18 NVLinks to switches that reach all"} <= {*texts(figure)}


def test_what_no_line_shows_is_said(drawn):
    assert "None reaches another's memory." in texts(drawn(machines.no_peers()))
    assert "Of 1 pairs the driver does not tell what is between them." in texts(drawn("count 2\ngpu*.name X\n"))
    lost = "\n".join(["gpu3 !15", machines.dgx_1()])
    assert any("Not told of: GPU 3: GPU is lost" in text for text in texts(drawn(lost)))
    assert len(lines_between_gpus(drawn("count 1\n"))) == 0
    alike = drawn(machines.p2_16xlarge())
    assert lines_between_gpus(alike) == []
    assert "All reach each other's memory over PCIe." in texts(alike)


def test_the_wiring_of_another_machine_is_told_and_drawn(tmp_path, monkeypatch, capsys):
    put_in_place(machines.dgx_1(), tmp_path, monkeypatch)
    file, drawing = tmp_path / "dgx.json", tmp_path / "dgx.svg"
    assert main([f"--output={file}"]) == 0
    told = capsys.readouterr().out
    put_in_place("init !9\n", tmp_path, monkeypatch)
    assert main([f"--wiring={file}", f"--picture={drawing}"]) == 0
    assert capsys.readouterr().out.splitlines()[-3:] == told.splitlines()[-3:]
    assert drawing.exists()
    with pytest.raises(SystemExit):
        main([f"--wiring={file}", "--measure"])


def test_the_file_is_a_picture(tmp_path, monkeypatch, capsys):
    put_in_place(machines.p2_16xlarge(), tmp_path, monkeypatch)
    path, output = tmp_path / "wiring.svg", tmp_path / "wiring.json"
    assert main([f"--picture={path}", f"--output={output}"]) == 0
    assert ElementTree.parse(path).getroot().tag.endswith("svg")
    assert len(json.loads(output.read_text())["gpus"]) == 16
    assert main([f"--picture={tmp_path / 'wiring.gif'}"]) == 2
    told = f"--picture: Cannot write plot '{tmp_path / 'wiring.gif'}': its name must end in one of .png, .svg, .pdf."
    assert capsys.readouterr().err == f"python -m benchmarks.topology: error: {told}\n"
    assert main([f"--picture={tmp_path / 'nowhere' / 'wiring.svg'}"]) == 2
