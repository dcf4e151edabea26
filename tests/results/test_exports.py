import csv
import io
import json
import sys
from datetime import datetime

import pandas as pd
import pytest

from results.__main__ import main
from results.commands.export import FORMATS
from results.exports import perfzero, tcb_logs
from results.frame import COLUMNS
from results.store import FolderError, write
from tests.results.records import measurement, record

NAME = "resnet20, cifar10 (sample), 2 towers, cpu, batch 32, replicated, NHWC, fp32, Testium 9000"


def run(minute, images_per_second, **changes):
    facts = {"finished_at": f"2026-01-31T12:{minute:02}:30.000000+00:00"} | changes
    return record(minute=minute, measurement=measurement(window_seconds=640 / images_per_second), **facts)


@pytest.fixture
def runs(tmp_path):
    """Three repeats, one run of another model, an invalid one and a failed one."""
    folder = tmp_path / "runs"
    for minute, speed in enumerate((495.0, 500.0, 505.0)):
        write(run(minute, speed), folder)
    write(run(4, 50.0, settings={"model": "vgg16"}), folder)
    write(run(5, 9999.0, problems=("the loss is NaN",)), folder)
    write(record(minute=6, status="failed", message="out of memory", measurement=None), folder)
    return folder


def export(runs, form, *more):
    stdout, stderr = io.StringIO(), io.StringIO()
    code = main(["export", str(runs), f"--format={form}", *map(str, more)], stdout, stderr)
    return code, stdout.getvalue(), stderr.getvalue()


def exported(runs, form, *more):
    code, out, err = export(runs, form, *more)
    assert code == 0, err
    return out


@pytest.mark.parametrize("form", FORMATS)
def test_invalid_records_are_out_unless_asked_for_and_counted(runs, form, tmp_path):
    if form == "parquet":
        pytest.importorskip("pyarrow")
    code, _, err = export(runs, form, f"--out={tmp_path}/out")
    said = "Left out: 2 records that are not valid. --include_invalid takes them in."
    assert (code, err) == (0, f"{said}\nExport: {tmp_path}/out ({form}, of 4 records)\n")
    few = (tmp_path / "out").read_bytes()
    code, _, err = export(runs, form, f"--out={tmp_path}/out", "--include_invalid")
    assert (code, err) == (0, f"Export: {tmp_path}/out ({form}, of 6 records)\n")
    assert (tmp_path / "out").read_bytes() != few


def test_csv_and_parquet_have_every_column(runs, tmp_path):
    rows = list(csv.DictReader(io.StringIO(exported(runs, "csv"))))
    assert [float(row["images_per_second"]) for row in rows] == pytest.approx([495.0, 500.0, 505.0, 50.0])
    pytest.importorskip("pyarrow")
    exported(runs, "parquet", f"--out={tmp_path}/runs.parquet")
    table = pd.read_parquet(tmp_path / "runs.parquet")
    assert list(table.columns) == list(rows[0]) == list(COLUMNS)
    assert table["images_per_second"].tolist() == pytest.approx([495.0, 500.0, 505.0, 50.0])
    assert table["num_gpus"].tolist() == [2, 2, 2, 2]


def test_parquet_needs_a_file_and_pyarrow(runs, tmp_path, monkeypatch):
    assert export(runs, "parquet")[2].endswith("--format=parquet is no text to print. Give a file with --out.\n")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    code, _, err = export(runs, "parquet", f"--out={tmp_path}/runs.parquet")
    assert code == 2
    assert "Cannot write Parquet: pyarrow is not there" in err
    assert "or export csv." in err
    assert not (tmp_path / "runs.parquet").exists()


def test_bencher_has_one_value_and_bounds_a_configuration(runs):
    found = json.loads(exported(runs, "bmf"))
    repeated, single = found[NAME]["throughput"], found[NAME.replace("resnet20", "vgg16")]["throughput"]
    assert len(found) == 2
    assert repeated["value"] == pytest.approx(500.0, abs=0.02)
    # Student's t with 2 degrees of freedom: 4.303 * 5 / sqrt(3) = 12.4 either side
    assert [repeated["lower_value"], repeated["upper_value"]] == pytest.approx([487.7, 512.6], abs=0.3)
    assert single == {"value": pytest.approx(50.0)}


def test_github_action_benchmark(runs):
    repeated, single = json.loads(exported(runs, "github-action-benchmark"))
    assert repeated["name"] == NAME
    assert repeated["unit"] == "images/s"
    assert repeated["range"] == "± 12.42"
    assert repeated["extra"] == "runs: 3\ntensorflow: 2.21.0"
    assert "range" not in single


def test_configurations_of_one_name_and_machines_are_kept_apart(tmp_path):
    write(run(0, 100.0, configuration={"model": "resnet20", "momentum": 0.9}), tmp_path)
    write(run(1, 200.0, configuration={"model": "resnet20", "momentum": 0.8}), tmp_path)
    write(run(2, 300.0, hardware={"cpu": {"model": "Testium 9001"}}), tmp_path)
    found = json.loads(exported(tmp_path, "bmf"))
    assert sorted(each["throughput"]["value"] for each in found.values()) == pytest.approx([100.0, 200.0, 300.0])


def test_perfzero(runs):
    summaries = [json.loads(line) for line in exported(runs, "perfzero", "--include_invalid").splitlines()]
    results = [each["benchmark_result"] for each in summaries]
    assert [result["succeeded"] for result in results] == [True] * 4 + [False] * 2
    assert results[0]["wall_time"] == pytest.approx(640 / 495)
    assert results[0]["metrics"][0] == {"name": "exp_per_second", "value": pytest.approx(495.0)}
    assert results[-1] == {"name": results[0]["name"], "succeeded": False, "wall_time": -1, "metrics": []}
    assert summaries[-1]["benchmark_info"]["has_exception"] is True
    assert summaries[0]["ml_framework_info"] == {"name": "tensorflow", "version": "2.21.0"}
    assert summaries[0]["system_info"]["cpu_model"] == "Testium 9000"
    assert summaries[0]["execution_timestamp"] == datetime.fromisoformat("2026-01-31T12:00:00+00:00").timestamp()
    keys = {"ml_framework_info", "execution_timestamp", "execution_id", "benchmark_info", "system_info", "process_info"}
    assert summaries[0].keys() == keys | {"benchmark_result"}


def test_perfzero_of_a_record_with_nothing_in_it():
    bare = record(hardware={}, environment={}, measurement=None, provenance={"tool": "another"}, started_at="")
    assert json.loads(perfzero.perfzero([bare]))["benchmark_info"]["harness_name"] == "another"


def test_mllog(runs):
    lines = exported(runs, "mllog", "--include_invalid").splitlines()
    assert all(line.startswith(":::MLLOG ") for line in lines)
    events = [json.loads(line.removeprefix(":::MLLOG ")) for line in lines]
    assert all(list(event) == ["namespace", "time_ms", "event_type", "key", "value", "metadata"] for event in events)
    throughput = [event["value"]["throughput"] for event in events if event["key"] == "tracked_stats"]
    assert throughput == pytest.approx([495.0, 500.0, 505.0, 50.0, 9999.0])
    stops = [event["metadata"]["status"] for event in events if event["key"] == "run_stop"]
    assert stops == ["success"] * 4 + ["aborted"] * 2
    assert [event["value"] for event in events if event["key"] == "global_batch_size"] == [64] * 5
    assert events[0]["time_ms"] == 1769860800000  # 2026-01-31T12:00:00Z


def test_nothing_valid_is_an_error_and_so_is_a_file_that_cannot_be_written(tmp_path, runs):
    write(record(problems=("NaN",)), tmp_path / "bad")
    code, out, err = export(tmp_path / "bad", "csv")
    assert (code, out) == (2, "")
    assert err.endswith("Nothing to export: no record is valid. --include_invalid takes the others in.\n")
    code, _, err = export(runs, "csv", f"--out={tmp_path}/none/out.csv")
    assert code == 2
    assert err.endswith(
        f"Cannot write '{tmp_path}/none/out.csv': No such file or directory. Give another with --out.\n"
    )


def test_tcb_logs_have_the_rows_of_the_console(tmp_path):
    steps = tuple(0.125 for _ in range(25))
    made = record(
        params={"model": "resnet20", "data_name": "cifar10", "display_every": 10, "benchmark_test_id": "night"},
        measurement=measurement(
            step_seconds=steps, losses=(2.0,) * 25, window_seconds=3.2, top_1=(0.5,) * 25, top_5=(1.0,) * 25
        ),
    )
    tcb_logs.write(made, tmp_path / "logs")
    metrics = [json.loads(line) for line in (tmp_path / "logs" / "metric.log").read_text().splitlines()]
    rows = [(each["name"], each["global_step"], each["value"]) for each in metrics]
    assert rows == [
        *[
            (name, step, value)
            for step in (1, 10, 20)
            for name, value in (("current_examples_per_sec", 512.0), ("top_1_accuracy", 0.5), ("top_5_accuracy", 1.0))
        ],
        ("average_examples_per_sec", 25, 500.0),
    ]
    assert metrics[0].keys() == {"name", "value", "unit", "global_step", "timestamp", "extras"}
    assert metrics[-1]["timestamp"] == "2026-01-31T12:00:30.000000Z"
    assert metrics[0]["timestamp"] == "2026-01-31T12:00:27.000000Z"  # 24 steps earlier
    [info] = [json.loads(line) for line in (tmp_path / "logs" / "benchmark_run.log").read_text().splitlines()]
    assert (info["model_name"], info["dataset"], info["test_id"]) == ("resnet20", {"name": "cifar10"}, "night")
    parameters = {each["name"]: each for each in info["run_parameters"]}
    assert parameters["batch_size"] == {"name": "batch_size", "long_value": 64}
    assert parameters["batch_size_per_device"] == {"name": "batch_size_per_device", "float_value": 32.0}
    assert parameters["single_sess"] == {"name": "single_sess", "bool_value": "False"}


def test_tcb_logs_of_a_run_that_failed_early_say_what_it_was(tmp_path):
    failed = record(status="failed", message="no", measurement=None, hardware={}, environment={})
    tcb_logs.write(failed, tmp_path)
    assert (tmp_path / "metric.log").read_text() == ""
    assert json.loads((tmp_path / "benchmark_run.log").read_text())["model_name"] == "resnet20"
    (tmp_path / "file").write_text("")
    with pytest.raises(FolderError, match=r"Cannot write into log folder .* Give another with --benchmark_log_dir\."):
        tcb_logs.write(failed, tmp_path / "file")
