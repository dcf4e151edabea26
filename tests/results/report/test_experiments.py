"""Sections on what runs found beside their figure: the hardware, the parts of a step, operations a second."""

import dataclasses
import re

import pytest

from results.report.build import page
from results.report.material import gather
from results.report.sections.hardware import representative, series_of
from results.report.svg import Drawer
from tests.results.report.made import PARTS, gpu_run, runs, telemetry
from tests.results.report.test_sections import built, column


@pytest.fixture(scope="module")
def sections():
    return {section.name: section for section in page(gather(runs()), "A report", Drawer()).sections}


def texts(svg):
    return re.findall(r">([^<>\n]+)</text>", svg)


def test_the_hardware_is_drawn_by_quantity_and_told_in_a_table(sections):
    (figure,) = sections["hardware"].figures
    rows = {row[:2]: row[2:] for row in figure.table.rows}
    assert len(rows) == 2 * 6 + 3
    least, mean, most = map(float, rows["GPU 0", "GPUs computing, % of the time"])
    assert 88 < least < mean < most < 92
    assert 7.8 < float(rows["host", "host memory of the run, GB"][1]) < 8.2
    assert figure.text.startswith("What the hardware did, resnet50")
    for heading in ("power, W", "temperature, °C", "clock of the multiprocessors, MHz", "GPU 1", "host"):
        assert heading in texts(figure.svg)
    assert "seconds of the window" in texts(figure.svg)


def test_what_was_out_of_order_with_a_gpu_is_drawn_and_said():
    seen = telemetry(500)
    seen["gpus"]["GPU 1"] |= {
        "slowed_shares": {"its power limit": 0.1, "the power brake": 0.4},
        "failure": "NVML told nothing more: GPU is lost",
    }
    seen["gpus"]["GPU 1"]["series"] |= {
        "throttle_reasons": [0x01, 0x80, 0x81, 0x04, None, 0x200, *[0x00] * 4],
        "pcie_received_bytes_per_second": [2e9] * 10,
    }
    seen["host"]["series"] |= {
        "running_tasks": [3.0] * 10,
        "stolen_share": [0.02] * 10,
        "read_bytes_per_second": [5e6] * 10,
        "network_sent_bytes_per_second": [7e6] * 10,
    }
    section = built([dataclasses.replace(gpu_run(1, 1000), telemetry=seen)])["hardware"]
    rows = {row[:2]: row[2:] for row in section.figures[0].table.rows}
    assert rows["GPU 1", "clocks held down (1) or not (0)"] == ("0", "0.3333", "1")
    assert rows["GPU 1", "received over PCIe, GB/s"][1] == "2"
    assert rows["host", "tasks of the host that run or wait"][1] == "3"
    assert rows["host", "processors taken by a hypervisor, %"][1] == "2"
    assert rows["host", "files read by the run, MB/s"][1] == "5"
    assert rows["host", "sent by the host over networks, MB/s"][1] == "7"
    (said,) = [each for each in section.paragraphs if "GPU 1" in each]
    assert said.endswith(": GPU 1: slowed by the power brake in 40% of the time, NVML told nothing more: GPU is lost.")


def test_the_run_of_median_speed_stands_for_its_configuration():
    group = gather(runs()).groups[0]
    assert representative(group) is group.records[1]
    unwatched = gather([gpu_run(1, 1000)]).groups[0]
    assert representative(unwatched) is None


def test_joules_an_image_are_one_value_a_run(sections):
    (energy,) = sections["hardware"].tables
    (mean,), (spread,) = column(energy, "J an image (mean)"), column(energy, "over the runs")
    assert mean == "0.251"
    assert spread == "0.25 to 0.252"
    assert column(energy, "runs") == ["3"]


def test_what_was_not_told_is_left_out_of_a_curve():
    power = {each.device: each for each in series_of(telemetry(500)) if each.quantity.heading == "power, W"}
    assert len(power["GPU 0"].values) == 10
    assert power["GPU 1"].seconds == tuple(range(1, 10))


@pytest.mark.parametrize(
    "unfit",
    [
        {"gpus": {"GPU 0": {"series": {"seconds": "x", "power_watts": [1.0]}}}, "host": []},
        {"gpus": {"GPU 0": {"series": {"seconds": [1.0], "power_watts": ["nan"]}}}},
        {"host": {"series": {"seconds": [1.0, None], "cpu_utilisation": [True, 0.5]}}},
        {"host": {"series": {"seconds": [1.0], "cpu_utilisation": [1e300]}}},
    ],
)
def test_telemetry_from_elsewhere_that_is_unfit_is_not_drawn(unfit):
    assert series_of(unfit) == []
    made = dataclasses.replace(gpu_run(1, 1000), telemetry=unfit)
    assert "hardware" not in built([made])


def test_a_window_with_one_or_two_looks_at_the_hardware_has_no_curves():
    brief = {"host": {"series": {"seconds": [0.1, 0.2], "cpu_utilisation": [0.5, 0.6]}}}
    section = built([dataclasses.replace(gpu_run(1, 1000), telemetry=brief)])["hardware"]
    assert section.figures == ()
    assert section.paragraphs[0].startswith("Of 1 configuration no curves are drawn: the hardware was looked at fewer")


def test_bars_that_are_not_valid_say_so_and_no_figure_stands_at_an_intervals_end():
    doubtful = dataclasses.replace(gpu_run(3, 900, variable_update="independent"), problems=("foreign load",))
    bad = {"problems": ("foreign load", "the update is off"), "wrong": ("the update is off",)}
    wrong = dataclasses.replace(gpu_run(4, 800, variable_update="parameter_server"), **bad)
    runs = [gpu_run(1, 1000), gpu_run(2, 1100), doubtful, wrong]
    (section,) = [
        each for each in page(gather(runs, include_invalid=True), "t", Drawer()).sections if each.name == "throughput"
    ]
    told = texts(section.figures[0].svg)
    assert "NOT VALID: independent" in told
    assert "WRONG: parameter_server" in told
    assert "replicated: 1,049" in told
    assert "1,049" not in told


def test_of_long_series_and_many_gpus_only_some_are_drawn():
    long = {"series": {"seconds": [float(n) for n in range(1000)], "utilisation": [0.5] * 1000}}
    found = series_of({"gpus": {f"GPU {number}": long for number in range(20)}})
    assert len(found) == 20
    assert {len(each.values) for each in found} == {1000}
    assert {len(values) for each in found for values in each.curve[1:]} == {250}
    made = dataclasses.replace(gpu_run(1, 1000), telemetry={"gpus": {f"GPU {number}": long for number in range(20)}})
    (section,) = [each for each in page(gather([made]), "t", Drawer()).sections if each.name == "hardware"]
    (figure,) = section.figures
    assert len(figure.table.rows) == 20
    assert "GPU 6" in texts(figure.svg)
    assert "GPU 7" not in texts(figure.svg)
    assert figure.title.endswith("(7 of 20 GPUs; all in the table)")


def test_parts_are_pieces_of_a_bar_and_doubtful_ones_stand_in_the_table_alone(sections):
    (figure,) = sections["parts"].figures
    parts = dict(zip(column(figure.table, "part"), figure.table.rows, strict=True))
    assert list(parts) == ["input", "forward", "backward", "exchange", "update", "call"]
    assert parts["forward"][2] == "10"
    assert parts["exchange"][4] == "14.7%"
    assert parts["input"][5] == "not measurable"
    drawn = texts(figure.svg)
    assert "resnet50: 34 ms a step" in drawn
    assert "input" not in drawn
    assert {"forward", "backward", "exchange", "update", "call", "29", "53", "15"} <= set(drawn)


def test_of_two_experiments_the_later_counts():
    earlier = dataclasses.replace(gpu_run(1, 1000), step_breakdown=PARTS)
    halved = PARTS | {"step": {"value": 0.5, "low": 0.4, "high": 0.6}}
    later = dataclasses.replace(gpu_run(2, 1000), step_breakdown=halved)
    (figure,) = built([later, earlier])["parts"].figures
    assert "500 ms a step" in figure.text


@pytest.mark.parametrize(
    "unfit",
    [
        {"parts": "x"},
        {"parts": [1, {"part": "forward"}], "step": {"value": 0.1}},
        PARTS | {"step": 1},
        PARTS | {"step": {"value": 1e300}},
        PARTS | {"parts": [part | {"share": 1e300} for part in PARTS["parts"]]},
    ],
)
def test_parts_from_elsewhere_that_are_unfit_are_not_drawn(unfit):
    assert "parts" not in built([dataclasses.replace(gpu_run(1, 1000), step_breakdown=unfit)])


def test_operations_a_second_and_their_share_of_the_peak(sections):
    section = sections["operations"]
    (found,) = section.tables
    speeds = [run.images_per_second for run in runs()[:3]]
    assert column(found, "an image") == ["24.00 GFLOP"]
    assert column(found, "a second") == [f"{24e9 * sum(speeds) / 3 / 1e12:.2f} TFLOP/s"]
    assert column(found, "and device") == [f"{12e9 * sum(speeds) / 3 / 1e12:.2f} TFLOP/s"]
    assert column(found, "of a matrix product") == [f"{24e9 * sum(speeds) / 3 / 240e12:.1%}"]
    assert "of a convolution" not in [heading.lstrip(">") for heading in found.headings]
    assert "--measure_peak" in section.paragraphs[1]
    assert "% of what the devices do alone" in texts(section.figures[0].svg)


def test_without_a_peak_there_is_a_table_and_no_figure():
    made = dataclasses.replace(gpu_run(1, 1000), cost={"flops_an_image": 24e9, "flops_per_second": 24e12})
    section = built([made])["operations"]
    assert column(section.tables[0], "a second") == ["24.00 TFLOP/s"]
    assert (len(section.paragraphs), section.figures) == (1, ())
