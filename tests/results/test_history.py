import io
import json
import random

import pytest
from matplotlib.image import imread

from results.__main__ import main
from results.digests import digest_of
from results.history.plot import MOST_PANELS, figure
from results.history.series import histories
from results.history.text import text
from results.store import FolderError, write
from tests.results.records import measurement, record

NIGHTS, SHIFT = 30, 18


def night(number, slower=1.0, model="resnet20", **changes):
    """The run of night `number`: 500 images/s with half a per cent of noise, and new software from SHIFT on."""
    speed = 500 * (1 + random.Random(number).gauss(0, 0.005)) / slower
    facts = {
        "settings": {"model": model},
        "model": {"name": model},
        "started_at": f"2026-01-{number + 1:02}T02:00:00+00:00",
        "environment": {
            "packages": {"tensorflow": "2.20.0" if number < SHIFT else "2.21.0"},
            "git": {"commit": ("a" if number < SHIFT - 1 else "b") * 40},
        },
        "measurement": measurement(window_seconds=640 / speed),
    }
    return record(**(facts | changes))


def slower_from_shift_on(**changes):
    return [night(number, 1.05 if number >= SHIFT else 1.0, **changes) for number in range(NIGHTS)]


def digests(records):
    return [digest_of(each) for each in records]


def test_a_change_says_when_how_much_and_what_changed_there():
    [series], left_out = histories(digests(reversed(slower_from_shift_on())))
    [change] = series.changes
    assert left_out == []
    assert series.runs[change.index].started_at == "2026-01-19T02:00:00+00:00"
    assert change.ratio == pytest.approx(1 / 1.05, rel=0.005)
    assert change.differences == (
        ("tensorflow", "2.20.0", "2.21.0", 0),
        ("commit", "a" * 40, "b" * 40, -1),
    )


def test_text_for_people():
    said = text(histories(digests(slower_from_shift_on())).series).splitlines()
    assert said[0].startswith(
        "resnet20, cifar10 (sample), 2 towers, cpu, batch 32, replicated, NHWC, fp32, Testium 9000  ["
    )
    assert said[1].startswith("  30 runs from 2026-01-01 02:00 to 2026-01-30 02:00, which scatter by 0.")
    assert said[2].startswith("  changed at 2026-01-19 02:00: 49")
    assert said[2].endswith("% slower")
    assert said[4:6] == ["    tensorflow 2.20.0 -> 2.21.0", "    commit aaaaaaaaaa -> bbbbbbbbbb (1 run earlier)"]
    assert said[6].endswith("images/s (median of the last 12)")


def test_each_configuration_has_a_series_and_facts_can_part_them():
    records = [night(number, model=model) for number in range(4) for model in ("vgg16", "resnet20")]
    found = histories(digests(records))
    assert sorted(series.settings["model"] for series in found.series) == ["resnet20", "vgg16"]
    assert "too few to look for changes: 11 more are needed" in text(found.series)
    apart = histories(digests(slower_from_shift_on()), separate=["tensorflow"])
    assert [(len(series.runs), series.settings["tensorflow"]) for series in apart.series] == [
        (SHIFT, "2.20.0"),
        (NIGHTS - SHIFT, "2.21.0"),
    ]


def test_two_machines_that_run_the_same_are_two_series():
    cpus = {name: {"hardware": {"cpu": {"model": name}}} for name in ("Testium", "Other")}
    records = [night(2 * number + place, **cpus[name]) for number in range(3) for place, name in enumerate(cpus)]
    found = histories(digests(records)).series
    assert [(series.settings["accelerator"], len(series.runs)) for series in found] == [("Testium", 3), ("Other", 3)]
    [joined] = histories(digests(records), separate=()).series
    assert len(joined.runs) == 6


def test_invalid_and_timeless_records_are_left_out_and_counted():
    imported = {"started_at": "", "finished_at": "", "provenance": {"tool": "another"}}
    records = [night(0), night(1, problems=("NaN",)), night(2, measurement=None), night(3, **imported)]
    found = histories(digests(records))
    assert [len(series.runs) for series in found.series] == [1]
    assert found.left_out == [
        "Left out: 2 records, not valid (--include_invalid) or without a figure.",
        "Left out: 1 record without the time of the run.",
    ]
    assert [len(series.runs) for series in histories(digests(records), include_invalid=True).series] == [2]


@pytest.fixture
def runs(tmp_path):
    for each in slower_from_shift_on():
        write(each, tmp_path / "runs")
    return tmp_path / "runs"


def output(*arguments):
    stdout, stderr = io.StringIO(), io.StringIO()
    return main(["history", *map(str, arguments)], stdout, stderr), stdout.getvalue(), stderr.getvalue()


def test_the_command_prints_json_and_draws(runs, tmp_path):
    (runs / "cut.json").write_text("{")
    code, said, complaints = output(runs, "--format=json", f"--plot={tmp_path}/history.png")
    assert code == 1
    assert "cut.json" in complaints
    assert complaints.endswith(f"\nPlot: {tmp_path}/history.png\n")
    [series] = json.loads(said)["series"]
    assert [change["first_run"] for change in series["changes"]] == [SHIFT]
    assert [level["runs"] for level in series["levels"]] == [SHIFT, NIGHTS - SHIFT]
    assert len(series["runs"]) == NIGHTS
    assert imread(tmp_path / "history.png").shape[1] == 1350


def test_nothing_to_tell_is_an_error(tmp_path):
    write(record(problems=("NaN",)), tmp_path)
    code, said, complaints = output(tmp_path)
    assert (code, said) == (2, "")
    assert complaints.endswith("No history: no record is valid and tells its speed and when it ran.\n")


def test_a_wrong_fact_is_named(runs, capsys):
    with pytest.raises(SystemExit):
        output(runs, "--separate=colour")
    assert "'colour' is none of accelerator, cpu" in capsys.readouterr().err


def test_a_plot_of_one_run_says_when_it_was():
    [axes] = figure(histories(digests(slower_from_shift_on()[:1])).series).axes
    first, last = axes.get_xlim()  # in days
    assert last - first == pytest.approx(2 / (24 * 60))
    axes.figure.canvas.draw()
    assert axes.xaxis.get_offset_text().get_text().startswith("2026-")


def test_the_plot_has_points_levels_and_a_numbered_change():
    found = histories(digests(slower_from_shift_on())).series
    made = figure(found)
    [axes] = made.axes
    points, before, after, mark = axes.lines
    assert [len(line.get_xdata()) for line in (points, before, after, mark)] == [NIGHTS, 2, 2, 2]
    assert axes.get_ylabel() == "images/s"
    assert any("tensorflow 2.20.0 -> 2.21.0" in each.get_text() for each in made.texts)
    with pytest.raises(FolderError, match=f"Cannot plot {MOST_PANELS + 1} configurations"):
        figure(found * (MOST_PANELS + 1))
