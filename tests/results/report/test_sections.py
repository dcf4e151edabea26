"""What stands in the sections, before it is HTML."""

import dataclasses

import pytest

from results.comparison.comparison import compare
from results.comparison.facts import admit
from results.comparison.verdict import bounds
from results.reference import records
from results.report.build import page
from results.report.choosing import choose, in_order, parse
from results.report.material import gather
from results.report.page import MOST_ROWS, table
from results.report.prices import parse as parse_prices
from results.report.prices import present
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
        "against", "throughput", "scaling", "strategies", "formats", "value", "operations", "parts", "hardware",
        "steps", "loss", "topology", "validity", "origins",
    ]  # fmt: skip


def test_sections_without_data_are_not_there():
    assert list(built([record()])) == ["throughput", "value", "steps", "loss", "validity", "origins"]


def test_k80_against_p100_says_what_differs_beside_each_ratio(k80_against_p100):
    section = k80_against_p100["against"]
    first = section.tables[0]
    assert section.title == "K80 against P100-SXM2-16GB"
    assert section.paragraphs[0].startswith(
        "On 1 device, P100-SXM2-16GB has 4.39 times the throughput of K80 (geometric mean of 10 ratios, from 4.18 to "
        "4.64; no interval: one run each). "
    )
    assert section.paragraphs[1] == "The same in all these rows: fp32, sgd, tf_cnn_benchmarks, 2017-05 (7c36502127)."
    told = dict(zip(zip(column(first, "model"), column(first, "data"), strict=True), first.rows, strict=True))
    resnet = told["resnet152", "imagenet (synthetic)"]
    assert resnet[3:7] == ("20", "91.8", "4.59", "one run")
    for model in ("resnet152", "vgg16"):
        assert "batch 32 against batch 64" in told[model, "imagenet (synthetic)"][7]
    for model in ("alexnet", "inception3", "resnet50"):
        assert "batch" not in told[model, "imagenet (synthetic)"][7]
    assert "parameter_server, parameters on gpu against replicated, all-reduce nccl" in told["vgg16", "imagenet"][7]
    assert all("against NVIDIA DGX-1" in row[7] for row in first.rows)


def test_a_price_and_watts_of_a_gpu_hold_on_each_of_its_hosts():
    hosts = [gpu_run(0, 1000, gpu="Tesla P100-SXM2-16GB"), gpu_run(1, 1100, gpu="Tesla P100-SXM2-16GB")]
    for each, cores in zip(hosts, (8, 64), strict=True):
        each.hardware["cpu"] = {"usable_cores": cores}
    found = built(hosts, prices=parse_prices("P100:1.5", "USD"))["value"].tables[0]
    assert column(found, "accelerator") == ["Tesla P100-SXM2-16GB (64 cores)", "Tesla P100-SXM2-16GB (8 cores)"]
    assert column(found, "watts") == ["300 W, TDP"] * 2
    assert "-" not in column(found, "images per USD")


def on_hosts():
    """A GPU in each of two hosts, and one host alone: in all three the processor tells something apart."""
    gpu = "Tesla V100-SXM2-16GB"
    made = [gpu_run(0, 1000, gpu=gpu), gpu_run(1, 1100, gpu=gpu), record(2)]
    for each, cpu in zip(made, ("AMD EPYC 7742", "Intel Xeon 8168", "AMD EPYC 7742"), strict=True):
        each.hardware["cpu"] = {"model": cpu}
    return made


def test_a_processor_s_price_is_not_that_of_the_gpus_beside_it():
    material = gather(on_hosts())
    price, absent = present(parse_prices("V100:2,EPYC:0.1", "USD"), material.device_names)
    found = built(on_hosts(), prices=price)["value"]
    costs = dict(zip(column(found.tables[0], "accelerator"), column(found.tables[0], "images per USD"), strict=True))
    assert costs == {
        "Tesla V100-SXM2-16GB (AMD EPYC 7742)": "900,000",  # 1000 * 3600 / (2 * 2)
        "Tesla V100-SXM2-16GB (Intel Xeon 8168)": "990,000",
        "AMD EPYC 7742": "9,000,000",  # 500 * 3600 / (2 * 0.1)
    }
    assert absent == []
    only_host = built(on_hosts(), prices=parse_prices("EPYC:0.1", "USD"))["value"]
    assert column(only_host.tables[0], "images per USD").count("-") == 2
    assert only_host.paragraphs[-1] == "Without a price: Tesla V100-SXM2-16GB."


@pytest.mark.parametrize(
    ("asked", "taken"),
    [("EPYC", [2]), ("V100", [0, 1]), ("Tesla V100-SXM2-16GB (AMD EPYC 7742)", [0])],
)
def test_an_accelerator_is_chosen_by_its_own_name_or_by_all_that_it_is_called(asked, taken):
    records = on_hosts()
    filters = parse([f"accelerator={asked}"])
    assert choose(records, filters) == [records[place] for place in taken]
    first = in_order(gather(records[::-1]), filters["accelerator"]).accelerators[0]
    assert first.startswith("AMD" if asked == "EPYC" else "Tesla V100")


def test_what_was_published_at_several_times_is_no_repeat():
    figures = [each for each in records("nvidia_dle") if each.hardware["gpus"][0]["name"] == "A100-SXM4-40GB"]
    groups = [each for each in gather(figures).groups if each.facts["precision"] == "amp" and each.facts["xla"]]
    on_one = {each.facts["revision"]: each.speeds for each in groups if each.devices == 1}
    assert on_one == {"2020-06-27 (4eaa4434)": (1770.0,), "2020-11-03 (b2e7f4a2)": (2375.0,)}
    assert all(len(each.records) == 1 for each in gather(records("nvidia_dle")).groups)


@pytest.mark.parametrize("name", ["lambda_pytorch", "nvidia_dle", "lambda_tf"])
def test_bars_that_are_some_of_all_begin_with_the_fastest(name):
    published = gather(records(name))
    for figure in built(records(name))["throughput"].figures:
        bars = [float(text.replace(",", "")) for text in column(figure.table, "images/s")]
        assert bars == sorted(bars, reverse=True)
        if " settings" in figure.title:
            shown = [
                each for each in published.groups if f"{each.facts['model']}, {each.facts['dataset']}, " in figure.title
            ]
            count = figure.title.split(" device")[0].rpartition(" ")[2]
            speeds = [each.images_per_second for each in shown if each.facts["num_gpus"] == count]
            assert bars[0] == pytest.approx(max(speeds), rel=1e-3)


def test_of_many_accelerators_those_with_the_fastest_settings_have_a_bar():
    [figure] = [each for each in built(records("lambda_pytorch"))["throughput"].figures if "synthetic" in each.title]
    assert "(the fastest of 64 settings on the 14 fastest of " in figure.title
    told = column(figure.table, "setting")
    assert "B200" in told[0] + told[1]
    assert any("GH200" in label for label in told)
    assert not any("A10," in label for label in told)


def test_rows_under_nearer_conditions_stand_beside_the_fastest(k80_against_p100):
    nearer = k80_against_p100["against"].tables[2]
    rows = [row for row in nearer.rows if row[:2] == ("resnet152", "imagenet (synthetic)")]
    assert [row[3:6] for row in rows] == [("20", "82.7", "4.13")]
    assert "batch" not in rows[0][7]


def test_the_sources_say_what_a_k80_is(k80_against_p100):
    sources = k80_against_p100["origins"].tables[1]
    assert "One K80 is one GK210, half a board." in sources.rows[0][4]


def test_repeats_have_an_interval_and_one_run_has_none(sections):
    found = sections["throughput"].tables[0]
    assert column(found, "runs") == ["1 valid", "3 valid", "1 valid", "1 valid"]
    assert column(found, "95 % interval") == ["-", "3,971 to 4,070", "-", "-"]


def test_ratios_have_the_interval_that_a_comparison_of_the_runs_has():
    slow = [gpu_run(minute, 2000 + 30 * minute, devices=1) for minute in range(4)]
    fast = [gpu_run(10 + minute, 3600 + 40 * minute) for minute in range(3)]
    other = [gpu_run(20 + minute, 1000 + 10 * minute, gpu="Tesla P100-SXM2-16GB") for minute in range(3)]
    server = [gpu_run(30 + minute, 3000 + 10 * minute, variable_update="parameter_server") for minute in range(2)]
    found = built([*slow, *fast, *other, *server])

    def compared(a, b, different):
        return compare(admit(a).runs, admit(b).runs, [different]).rows[0].ratio

    interval = bounds(compared(fast, other, "gpu"))
    assert column(found["against"].tables[0], "95 % interval") == [interval]
    assert f"(95 % interval {interval})" in found["against"].paragraphs[0]

    per_device = compared(slow, fast, "num_gpus")
    efficiency = f"{per_device.low / 2:.1%} to {per_device.high / 2:.1%}"
    assert column(found["scaling"].figures[0].table, "its 95 % interval") == ["-", efficiency]

    interval = bounds(compared(fast, server, "variable_update"))
    assert column(found["strategies"].tables[0], "its 95 % interval") == ["-", interval]


def test_a_ratio_of_single_runs_says_so(sections):
    assert column(sections["against"].tables[0], "95 % interval") == ["one run"]
    assert column(sections["scaling"].figures[0].table, "its 95 % interval") == ["-", "one run"] * 2
    assert column(sections["strategies"].tables[0], "its 95 % interval") == ["-", "one run"]


def test_watts_are_said_to_be_rated_wherever_images_per_watt_stand(sections):
    value = sections["value"]
    for words in (value.paragraphs[0], value.tables[0].caption, sections["origins"].paragraphs[0]):
        assert "rated board power (TDP), not measured" in words
    assert [name for name, each in sections.items() if "per watt" in str(each)] == ["value"]
    assert "Per watt" not in str(built([record()])["value"].paragraphs)  # nobody rates that processor


def test_what_is_not_valid_enters_where_it_is_asked_for_and_is_named():
    bad = dataclasses.replace(gpu_run(2, 900), problems=("foreign load",))
    unusable = record(status="failed", message="out of memory", measurement=None)
    made = page(gather([gpu_run(1, 1000), bad, unusable], include_invalid=True), "t", undrawn)
    found = {section.name: section for section in made.sections}
    assert made.paragraphs[0].startswith("1 valid run and 1 NOT VALID (--include_invalid) of 1 model.")
    assert column(found["throughput"].tables[0], "images/s") == ["948.7"]  # sqrt(900 * 1000)
    assert column(found["throughput"].tables[0], "runs") == ["1 valid, 1 NOT VALID"]
    told = "NOT VALID, and in the figures because --include_invalid was given: 1."
    assert told in found["validity"].paragraphs
    assert [table.caption for table in found["validity"].tables] == ["Not valid, but in the figures", "Left out"]
    assert column(found["validity"].tables[0], "why") == ["foreign load"]


def test_what_is_not_valid_is_bracketed_with_its_reason_and_enters_no_figure(sections):
    left_out = sections["validity"].tables[0]
    assert column(left_out, "images/s") == ["-", "(500)"]
    assert column(left_out, "why") == ["out of memory", "the loss is NaN from step 12 on"]
    assert column(left_out, "state") == ["FAILED", "UNFIT"]
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
    assert (row["per watt (TDP)"], row["watts"]) == ("0.6667", "300 W, TDP")
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
    assert dict(figure.table.rows)["longest"] == "500"
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
