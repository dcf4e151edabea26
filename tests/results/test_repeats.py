"""One notion of repeats, and one figure of them, in all commands."""

import io
import json

import pytest

from results.__main__ import main
from results.comparison.facts import admit
from results.comparison.matching import match
from results.exports.repeats import results
from results.frame import frame
from results.plots import bar_chart
from results.repeats import has_mean, repeats
from results.report.material import gather
from results.statistics.within_run import describe
from results.store import write
from tests.results.records import measurement, record

SLOW_START = (1.0,) * 10


def run(minute, seconds, gpu="Testla A", **settings):
    """A run on a GPU that is slow for ten steps and then takes `seconds` a step: 64 / seconds images/s when steady."""
    steps = (*SLOW_START, *(seconds, 1.01 * seconds) * 60)
    measured = measurement(step_seconds=steps, losses=(1.0,) * len(steps), window_seconds=sum(steps))
    return record(
        minute,
        {"device": "gpu", "weight_decay": 0, **settings},
        measurement=measured,
        statistics=describe(measured.step_seconds),
        hardware={"cpu": {"model": "Testium 9000"}, "gpus": [{"name": gpu}] * 2},
    )


RUNS = [
    *(run(minute, 0.1 + 0.01 * minute) for minute in range(3)),
    *(run(10 + minute, 0.2, gpu="Testla B") for minute in range(2)),
    run(20, 0.3, weight_decay=1),  # a flag that is no column
]


@pytest.fixture
def folder(tmp_path):
    paths = [write(each, tmp_path) for each in RUNS]
    assert len(paths) == len(RUNS)
    return tmp_path


def output(*arguments):
    stdout, stderr = io.StringIO(), io.StringIO()
    assert main([*map(str, arguments)], stdout, stderr) == 0, stderr.getvalue()
    return stdout.getvalue()


def expected():
    """The runs of each configuration and accelerator, and the geometric mean of their steady figures."""
    found = []
    for group in (RUNS[:3], RUNS[3:5], RUNS[5:]):
        product = 1.0
        for each in group:
            product *= each.steady_images_per_second
        found.append((len(group), pytest.approx(product ** (1 / len(group)))))
    return found


def test_every_command_has_the_same_groups_with_the_same_figure(folder):
    assert RUNS[0].steady_images_per_second > 1.5 * RUNS[0].images_per_second  # so that it shows which of them it is
    assert [(len(each.records), each.images_per_second) for each in results(RUNS)] == expected()
    assert [(len(each.records), each.images_per_second) for each in gather(RUNS).groups] == expected()

    matched = match(admit(RUNS).runs, admit(RUNS).runs).matches
    values = [[entry.images_per_second for entry in each.a] for each in matched]
    assert [len(each) for each in values] == [runs for runs, _ in expected()]

    bars = [bar.get_width() for bar in bar_chart(frame(RUNS)).axes[0].patches]
    assert bars == [figure for _, figure in expected()]

    series = json.loads(output("history", folder, "--format=json"))["series"]
    assert [len(each["runs"]) for each in series] == [runs for runs, _ in expected()]

    exported = json.loads(output("export", folder, "--format=bmf"))
    assert [each["throughput"]["value"] for each in exported.values()] == [figure for _, figure in expected()]

    path = next(folder.glob(f"*{RUNS[0].record_id[:8]}.json"))
    mean = f"{results(RUNS)[0].images_per_second:,.2f}"
    assert f"3 valid runs of this configuration in its folder: mean {mean}" in " ".join(output("show", path).split())


def test_a_command_may_hold_repeats_further_apart_or_join_them(folder):
    flags = {"device": "gpu", "weight_decay": 0}
    other = record(30, flags, environment={"packages": {"tensorflow": "2.14.1"}}, hardware=RUNS[0].hardware)
    assert len(results([*RUNS, other])) == 3
    assert len(gather([*RUNS, other]).groups) == 4
    joined = json.loads(output("history", folder, "--format=json", "--separate="))["series"]
    assert [len(each["runs"]) for each in joined] == [5, 1]


def test_groups_are_in_the_order_of_their_first_items_and_unknown_is_unknown():
    entries = [{"a": 1, "b": None}, {"a": 2}, {"a": 1, "b": ""}, {"a": 1, "b": "x"}]
    assert repeats(entries, dict, ["a", "b"]) == [[entries[0], entries[2]], [entries[1]], [entries[3]]]


def on(minute, cores=2, memory=24, **changes):
    """A run on a processor with so many cores and GiB."""
    hardware = {"cpu": {"model": "Testium 9000", "usable_cores": cores}, "memory_bytes": memory * 2**30, "gpus": []}
    return record(minute, hardware=hardware, **changes)


def test_two_machines_with_one_processor_are_never_one_figure(tmp_path):
    """Those that `compare` refuses: not one bar, row, series or result has runs of both."""
    small = [on(minute) for minute in range(2)]
    large = [on(10 + minute, 64, 188, measurement=measurement(window_seconds=0.128)) for minute in range(2)]
    assert match(admit(small).runs, admit(large).runs).matches == []
    machines = ["Testium 9000 (2 cores)", "Testium 9000 (64 cores)"]
    speeds = [pytest.approx(500), pytest.approx(5000)]

    material = gather([*small, *large])
    assert [(each.facts["accelerator"], each.images_per_second) for each in material.groups] == [
        *zip(machines, speeds, strict=True)
    ]
    assert material.accelerators == tuple(machines)
    axes = bar_chart(frame([*small, *large])).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == machines
    assert [bar.get_width() for bar in axes.patches] == speeds
    assert [each.name.split("fp32, ")[1] for each in results([*small, *large])] == machines

    for each in (*small, *large):
        path = write(each, tmp_path)
    told = [line for line in output("history", tmp_path).splitlines() if "Testium" in line]
    assert [line.split("fp32, ")[1].split("  [")[0] for line in told] == machines
    assert "2 valid runs of this configuration in its folder: mean 5,000" in " ".join(output("show", path).split())
    together = output("history", tmp_path, "--separate=accelerator")
    assert "fp32, Testium 9000  [" in together
    assert "4 runs from" in together


def test_one_machine_is_called_by_its_accelerator_alone():
    material = gather([on(0), on(1)])
    assert material.accelerators == ("Testium 9000",)
    assert [each.name for each in results([on(0)])] == [
        "resnet20, cifar10 (sample), 2 towers, cpu, batch 32, replicated, NHWC, fp32, Testium 9000"
    ]


def test_the_host_of_a_gpu_parts_runs_as_it_does_for_a_comparison():
    on_another_host = record(1, {"device": "gpu"}, hardware=RUNS[0].hardware | {"cpu": {"model": "Testium 1"}})
    own = record(0, {"device": "gpu"}, hardware=RUNS[0].hardware)
    assert gather([own, on_another_host]).accelerators == ("Testla A (Testium 9000)", "Testla A (Testium 1)")


@pytest.mark.parametrize(("speed", "fit"), [(None, False), (0.0, False), (1e300, False), (500.0, True)])
def test_what_no_device_does_enters_no_mean(speed, fit):
    assert has_mean(speed) is fit
