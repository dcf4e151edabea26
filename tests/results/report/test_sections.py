"""What stands in the sections, before it is HTML."""

import dataclasses

import pytest

from results.reference import records
from results.report.build import page
from results.report.choosing import choose, in_order, parse
from results.report.material import gather
from results.report.page import MOST_ROWS, table
from results.report.prices import parse as parse_prices
from results.report.sections import steps, topology
from results.report.sections.value import frontier
from results.report.svg import undrawn
from tests.results.records import measurement, record
from tests.results.report.made import gpu_run, runs


def built(found, title="A report", **options):
    return {section.name: section for section in page(gather(found, **options), title, undrawn).sections}


def column(found, heading):
    place = [name.lstrip(">+") for name in found.headings].index(heading)
    return [row[place] for row in found.rows]


@pytest.fixture(scope="module")
def sections():
    return built(runs(), prices=parse_prices("P100:1.5,H100:3", "USD"))


@pytest.fixture(scope="module")
def k80_against_p100():
    filters = parse(["accelerator=K80,P100"])
    material = in_order(gather(choose(records("tf2017"), filters)), filters["accelerator"])
    return {section.name: section for section in page(material, "K80 against P100", undrawn).sections}


def test_every_section_is_there_once_its_data_are(sections):
    assert list(sections) == [
        "against", "throughput", "scaling", "strategies", "formats", "value", "steps", "loss", "topology", "validity",
        "origins",
    ]  # fmt: skip


def test_sections_without_data_are_not_there():
    assert list(built([record()])) == ["throughput", "value", "steps", "loss", "validity", "origins"]


def test_k80_against_p100_says_what_differs_beside_each_ratio(k80_against_p100):
    section = k80_against_p100["against"]
    first = section.tables[0]
    assert section.title == "K80 against P100-SXM2-16GB"
    assert section.paragraphs[0].startswith("On 1 device, P100-SXM2-16GB has 4.39 times the throughput of K80")
    assert section.paragraphs[1] == "The same in all these rows: fp32, sgd, tf_cnn_benchmarks."
    told = dict(zip(zip(column(first, "model"), column(first, "data"), strict=True), first.rows, strict=True))
    resnet = told["resnet152", "imagenet (synthetic)"]
    assert resnet[3:6] == ("20", "91.8", "4.59")
    for model in ("resnet152", "vgg16"):
        assert "batch 32 against batch 64" in told[model, "imagenet (synthetic)"][6]
    for model in ("alexnet", "inception3", "resnet50"):
        assert "batch" not in told[model, "imagenet (synthetic)"][6]
    assert "parameter_server, parameters on gpu against replicated, all-reduce nccl" in told["vgg16", "imagenet"][6]
    assert all("against NVIDIA DGX-1" in row[6] for row in first.rows)


def test_rows_under_nearer_conditions_stand_beside_the_fastest(k80_against_p100):
    nearer = k80_against_p100["against"].tables[2]
    rows = [row for row in nearer.rows if row[:2] == ("resnet152", "imagenet (synthetic)")]
    assert [row[3:6] for row in rows] == [("20", "82.7", "4.13")]
    assert "batch" not in rows[0][6]


def test_the_sources_say_what_a_k80_is(k80_against_p100):
    sources = k80_against_p100["origins"].tables[1]
    assert "One K80 is one GK210, half a board." in sources.rows[0][4]


def test_repeats_have_an_interval_and_one_run_has_none(sections):
    found = sections["throughput"].tables[0]
    assert column(found, "runs") == ["1 valid", "3 valid", "1 valid", "1 valid"]
    assert column(found, "95 % interval") == ["-", "3,971 to 4,070", "-", "-"]


def test_what_is_not_valid_is_bracketed_with_its_reason_and_enters_no_figure(sections):
    left_out = sections["validity"].tables[0]
    assert column(left_out, "images/s") == ["-", "(500)"]
    assert column(left_out, "why") == ["out of memory", "the loss is NaN from step 12 on"]
    assert column(left_out, "state") == ["FAILED", "INVALID"]
    for name, section in sections.items():
        if name != "validity":
            assert "vgg16" not in str(section)


def test_an_invalid_run_is_not_the_best():
    section = built([gpu_run(1, 100), dataclasses.replace(gpu_run(2, 999), problems=("foreign load",))])["throughput"]
    assert column(section.tables[0], "images/s") == ["100"]
    assert column(section.tables[0], "runs") == ["1 valid, 1 left out"]


def test_figures_of_value_follow_their_formulas(sections):
    found = sections["value"].tables[0]
    row = {heading.lstrip(">+"): cell for heading, cell in zip(found.headings, found.rows[2], strict=True)}
    assert row["accelerator"] == "Tesla P100-SXM2-16GB"
    assert (row["images/s"], row["per device"]) == ("400", "200")
    assert (row["per watt"], row["watts"]) == ("0.6667", "300 W, TDP")
    assert row["images per USD"] == "480,000"  # 400 * 3600 / (2 * 1.5)
    assert row["epoch"] == "53.4 min"  # 1,281,167 / 400
    assert row["USD per epoch"] == "2.67"  # 1,281,167 / 480,000


def test_an_epoch_is_as_long_as_the_record_says_of_real_data():
    real = dict.fromkeys(("synthetic", "sample"), False) | {"name": "cifar10", "examples": 40_000}
    for dataset, seconds in ((real, "1.33 min"), (real | {"sample": True}, "1.67 min")):
        assert column(built([record(dataset=dataset)])["value"].tables[0], "epoch") == [seconds]


def test_the_frontier_has_what_nothing_beats():
    assert frontier([(1.0, 10.0), (2.0, 9.0), (2.0, 20.0), (3.0, 20.0), (1.0, 8.0)]) == [(1.0, 10.0), (2.0, 20.0)]


def test_strategies_are_compared_where_all_else_is_the_same(sections):
    found = sections["strategies"].tables[0]
    assert column(found, "choice") == ["replicated", "parameter_server"]
    assert column(found, "of the fastest") == ["100%", "87%"]
    assert column(sections["formats"].tables[0], "choice") == ["NCHW", "NHWC"]


def test_step_times_and_losses_come_from_the_steps():
    times = (0.1,) * 99 + (0.5,)
    made = record(measurement=measurement(step_seconds=times, losses=[float("nan"), *range(99)], window_seconds=10.4))
    material = gather([made])
    figure = steps.step_times(material, undrawn).figures[0]
    assert dict(figure.table.rows)["median"] == "100"
    assert dict(figure.table.rows)["most"] == "500"
    loss = steps.losses(material, undrawn).figures[0]
    assert loss.table.rows[0][1:] == ("2", "0")  # the first step's is not finite
    assert loss.table.rows[-1][1:] == ("100", "98")


@pytest.mark.parametrize(
    "unfit",
    [None, "NV1", {}, {"gpus": ["a", "b"], "links": [["X"], ["X"]]}, {"gpus": ["a", 1], "links": [["X", "Y"]] * 2}],
)
def test_a_topology_that_is_none_is_not_drawn(unfit):
    assert topology.links_of(record(hardware={"topology": unfit})) is None


def test_a_topology_is_drawn_with_its_words(sections):
    assert sections["topology"].figures[0].table.rows[0] == ("GPU0 GPU 0", "X", "NV18")


def test_long_tables_end_and_say_so():
    found = table(("a",), [(str(n),) for n in range(MOST_ROWS + 3)])
    assert found.note.startswith("3 further rows are not shown")


def test_the_same_records_give_the_same_page():
    made = [gpu_run(1, 100), gpu_run(2, 90, data_format="NHWC")]
    assert page(gather(made), "t") == page(gather(made), "t")
