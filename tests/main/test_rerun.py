import json
import re

import pytest

from tests.main.conftest import SHORT, run

FLAGS = [*SHORT, "--model=trivial", "--data_name=cifar10", "--variable_update=replicated"]


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """The record of a run."""
    ran = run(*FLAGS, results_dir=tmp_path_factory.mktemp("first"))
    assert ran.code == 0
    return json.dumps(ran.records[0])


def test_a_rerun_has_the_same_configuration_and_says_what_differs_now(first, tmp_path):
    path, original = tmp_path / "first.json", json.loads(first)
    path.write_text(first)
    same = run(f"--rerun={path}", results_dir=tmp_path / "same")
    assert same.code == 0
    assert same.records[0]["configuration_key"] == original["configuration_key"]
    assert "Nothing that the record knows of the machine differs now." in same.err
    figures = r"Rerun with the record's configuration; [\d.]+ images a second then \(UNFIT\), [\d.]+ now \(UNFIT\): "
    assert re.search(figures, same.err)
    assert same.out.splitlines()[-1] == "-" * 64

    original["environment"]["packages"]["tensorflow"] = "2.14.1"
    original["environment"]["variables"]["XLA_FLAGS"] = "--xla_of_old"
    path.write_text(json.dumps(original))
    other = run(f"--rerun={path}", "--batch_size=4", results_dir=tmp_path / "other")
    assert other.code == 0
    assert "NOTE: --batch_size=4 replaces 8, which the record has." in other.err
    assert re.search(r"NOTE: tensorflow: 2\.14\.1 then, 2\.\S+ now\.", other.err)
    assert "NOTE: environment variable XLA_FLAGS: --xla_of_old then, not set now." in other.err
    assert "Rerun with another configuration than the record's: batch_size (8 then, 4 now)" in other.err
    assert "images/sec" not in other.err


def test_a_record_of_a_cluster_is_not_run_by_one_process(first, tmp_path):
    path, original = tmp_path / "first.json", json.loads(first)
    original["cluster"] = {"driver": "/job:worker/task:0"}
    path.write_text(json.dumps(original))
    ended = run(f"--rerun={path}", results_dir=tmp_path / "second")
    assert ended.code == 2
    assert "that run had several processes. Start each of them" in ended.err


def test_logs_as_tf_cnn_benchmarks_wrote_them(tmp_path):
    logs = tmp_path / "logs"
    ended = run(*FLAGS, f"--benchmark_log_dir={logs}", "--benchmark_test_id=night", results_dir=tmp_path / "runs")
    assert ended.code == 0
    assert "WARNING: --benchmark" not in ended.err
    metrics = [json.loads(line) for line in (logs / "metric.log").read_text().splitlines()]
    rows = {int(step): speed for step, speed in re.findall(r"^(\d+)\timages/sec: (\S+)", ended.out, re.MULTILINE)}
    told = {each["global_step"]: each["value"] for each in metrics if each["name"] == "current_examples_per_sec"}
    assert {step: f"{speed:.1f}" for step, speed in told.items()} == rows
    [total] = [each["value"] for each in metrics if each["name"] == "average_examples_per_sec"]
    assert f"total images/sec: {total:.2f}" in ended.out
    assert json.loads((logs / "benchmark_run.log").read_text())["test_id"] == "night"


def test_a_log_folder_that_cannot_be_written_shows_before_the_run(tmp_path):
    (tmp_path / "file").write_text("")
    ended = run(*FLAGS, f"--benchmark_log_dir={tmp_path}/file", results_dir=tmp_path / "runs")
    assert ended.code == 2
    assert f"Cannot write into log folder '{tmp_path}/file': File exists" in ended.err
    assert ended.records == []
