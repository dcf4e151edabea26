from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmarks import console
from benchmarks.measure import Speed
from results.importers import console as importer
from results.importers import folder
from results.importers.source import LogError

LOGS = Path(__file__).parents[1] / "legacy_logs"


def record(name):
    (found,) = folder.read(LOGS / f"{name}.log")
    return found


@pytest.fixture
def log(tmp_path):
    """Return the records of a log with the given lines."""

    def read(*lines):
        path = tmp_path / "log"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return folder.read(path)

    return read


def test_the_conditions_come_from_the_log():
    found = record("a100_sxm4_resnet50_8gpu")
    assert found.valid
    assert found.images_per_second == 7966.56
    assert (found.batch_size, found.num_towers) == (448, 8)
    assert found.configuration == {
        "model": "resnet50",
        "data_name": "imagenet",
        "optimizer": "sgd",
        "data_format": "NCHW",
        "variable_update": "replicated",
        "forward_only": False,
        "eval": False,
        "batch_size": 448,
        "num_batches": 100,
        "num_epochs": 0.28,
        "device": "gpu",
        "num_gpus": 8,
        "all_reduce_spec": "nccl",
    }
    assert found.hardware == {"gpus": [{"index": index, "name": "A100-SXM4-40GB"} for index in range(8)]}
    assert found.environment == {"packages": {"tensorflow": "2.3"}}
    assert found.dataset == {"name": "imagenet", "synthetic": False, "sample": False}


def test_rows_keep_what_they_say_and_when():
    found = record("a100_sxm4_resnet50_1gpu")
    last = found.reported.rows[-1]
    assert (last.step, last.images_per_second, last.uncertainty, last.jitter) == (100, 1939.6, 4.9, 25.2)
    assert (last.loss, last.unix_seconds) == (7.656, 1599302085)
    assert found.reported.uncertainty == 4.9
    assert found.started_at == "2020-09-05T10:34:22.000000+00:00"
    assert found.finished_at == "2020-09-05T10:34:45.000000+00:00"


@pytest.mark.parametrize("name", ["alexnet_nan", "vgg16_nan"])
def test_a_loss_of_nan_makes_the_record_invalid(name):
    found = record(name)
    assert found.status == "completed"
    assert found.problems == ("the loss is not finite from step 1 on",)


def test_a_forward_pass_has_accuracies_and_no_loss_to_judge():
    found = record("forward_only")
    assert found.valid
    assert found.configuration["forward_only"]
    assert (found.reported.rows[-1].top_1, found.reported.rows[-1].top_5) == (0.001, 0.009)
    assert found.reported.rows[-1].unix_seconds == 1604275808


def test_the_total_is_found_where_stderr_follows_it():
    assert record("rocm_stderr_after_total").images_per_second == 3610.93


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("died_on_import", "tensorflow.python.framework.errors_impl.NotFoundError: libforestprotos.so: cannot open"),
        ("internal_error", "tensorflow.python.framework.errors_impl.InternalError: 2 root error(s) found. (0) Inter"),
        ("no_rows_training", "the log ends before the run does, with: 2020-08-14 16:35:00.026559: I tensorflow/"),
    ],
)
def test_a_run_that_died_is_a_failed_record_with_its_last_words(name, message):
    found = record(name)
    assert (found.status, found.images_per_second) == ("failed", None)
    assert found.message.startswith(message)


@pytest.mark.parametrize(
    ("name", "gpu", "tensorflow"),
    [
        ("rtx3090_vgg16_1gpu", "GeForce RTX 3090", "1.15"),
        ("gtx1080ti_resnet152", "GeForce GTX 1080 Ti", "2.2"),
        ("v100_inception3", "Tesla V100-SXM2-16GB", "1.15"),
        ("rocm_stderr_after_total", "Vega 20", "2.1"),
    ],
)
def test_gpus_are_named_in_the_words_of_every_version(name, gpu, tensorflow):
    found = record(name)
    assert {entry["name"] for entry in found.hardware["gpus"]} == {gpu}
    assert found.environment["packages"]["tensorflow"] == tensorflow


@pytest.mark.parametrize(
    "lines",
    [
        ("Found device 0 with properties: ", "name: Tesla K80", "major: 3 minor: 7 memoryClockRate (GHz) 0.8235"),
        ("Created device /device:GPU:0 with 9 MB memory:  -> device: 0, name: Tesla K80, pci bus id: 0",),
    ],
)
def test_gpus_of_the_oldest_and_newest_logs(log, lines):
    (found,) = log(*lines, "total images/sec: 1.00")
    assert found.hardware["gpus"] == [{"index": 0, "name": "Tesla K80"}]


def test_a_log_may_hold_several_runs(log):
    text = (LOGS / "rtx3090_vgg16_1gpu.log").read_text(encoding="utf-8").splitlines()
    other = (LOGS / "v100_inception3.log").read_text(encoding="utf-8").splitlines()
    first, second = log(*text, *other)
    assert (first.model["name"], first.images_per_second) == ("vgg16", 332.93)
    assert (second.model["name"], second.images_per_second) == ("inception3", 2426.23)
    assert (len(first.hardware["gpus"]), len(second.hardware["gpus"])) == (1, 8)
    assert first.record_id != second.record_id


def test_totals_of_several_processes_in_one_log_are_flagged(log):
    (found,) = log("TensorFlow:  1.15", "total images/sec: 10.00", "total images/sec: 11.00")
    assert found.problems == ("2 totals in one run: the output of several processes is mixed up",)


def test_indented_headers_rows_without_time_and_devices_of_a_cluster(log):
    (found,) = log(
        "TensorFlow:  1.4",
        "Model:       trivial",
        "Dataset:     synthetic",
        "Mode:        training",
        "Batch size:  256 global",
        "             32 per device",
        "Devices:     ['/job:worker/replica:0/task:0/gpu:0', '/job:worker/replica:0/task:0/gpu:1']",
        "Variables:   parameter_server",
        "Sync:        True",
        "==========",
        "Step\tImg/sec\ttotal_loss",
        "1\timages/sec: 100.1 +/- 0.0 (jitter = 0.0)\t7.427",
        "total images/sec: 100.00",
    )
    assert found.valid
    assert (found.num_towers, found.configuration["num_gpus"], found.batch_size) == (8, 2, 32)
    assert found.configuration["cross_replica_sync"] is True
    assert (found.started_at, found.reported.rows[0].loss) == ("", 7.427)


def test_an_evaluation_and_its_accuracy(log):
    (found,) = log(
        "TensorFlow:  1.4",
        "Mode:        evaluation",
        "==========",
        "10\t250.5 examples/sec",
        "Accuracy @ 1 = 0.7600 Accuracy @ 5 = 0.9300 [50000 examples]",
        "total images/sec: 250.00",
    )
    assert found.configuration["eval"]
    assert [(row.step, row.images_per_second, row.top_1) for row in found.reported.rows] == [
        (10, 250.5, None),
        (11, None, 0.76),
    ]


def test_training_that_ends_in_words_has_no_total_and_says_so(log):
    (found,) = log("TensorFlow:  1.15", "Mode:        training + evaluation", "Done with training")
    assert found.status == "completed"
    assert found.problems == ("no images per second in the source",)


@pytest.mark.parametrize("total", ["nan", "inf", "-3.00", "many"])
def test_a_total_that_is_none_is_a_failure(log, total):
    (found,) = log("TensorFlow:  1.15", f"total images/sec: {total}")
    assert (found.status, found.message) == ("failed", f"total images/sec: {total}")


def test_our_own_output_with_stderr_and_a_progress_line(log):
    (found,) = log(
        "TensorFlow:  2.21",
        "\r\x1b[Kwarm-up 1/10\r\x1b[K1\timages/sec: 599.4 +/- 0.0 (jitter = 0.0)\t1.653",
        "Record: runs/20260131T120000Z-resnet20-0123abcd.json",
        "total images/sec: 600.41",
    )
    assert found.provenance["tool"] == "run_benchmark.py"
    assert found.reported.rows[0].images_per_second == 599.4


def test_an_exploding_loss_is_flagged(log):
    rows = [f"{step}\timages/sec: 9.0 +/- 0.0 (jitter = 0.0)\t{7.0 * 2**step:.3f}" for step in range(1, 8)]
    (found,) = log("TensorFlow:  1.15", "Mode:        training", *rows, "total images/sec: 9.00")
    assert "the loss explodes" in found.problems[0]


def test_the_same_log_gives_the_same_record_wherever_it_lies(tmp_path):
    copy = tmp_path / "elsewhere"
    copy.write_bytes((LOGS / "alexnet_nan.log").read_bytes())
    (found,) = folder.read(copy)
    assert found.record_id == record("alexnet_nan").record_id
    assert found.provenance["path"] == str(copy)


def test_what_our_console_prints_is_read_back(log):
    header = console.Header(
        tensorflow="2.21.0",
        model="resnet20",
        dataset="cifar10 (sample)",
        batch_size=32,
        num_towers=2,
        num_batches=100,
        num_epochs=4.0,
        devices=["/cpu:0", "/cpu:1"],
        data_format="NHWC",
        optimizer="momentum",
        variables="replicated",
        all_reduce="xring",
    )
    row = console.step_row(10, Speed(573.8, 6.3, 25.1), SimpleNamespace(loss=1.904, applied=True, top_1=0.5, top_5=0.9))
    (found,) = log(*header.lines(), console.table_head("total_loss", True), row, console.total_block(600.41))
    assert found.valid
    assert (found.images_per_second, found.batch_size, found.num_towers) == (600.41, 32, 2)
    assert (found.configuration["device"], found.configuration["all_reduce_spec"]) == ("cpu", "xring")
    assert found.dataset == {"name": "cifar10", "synthetic": False, "sample": True}
    (only,) = found.reported.rows
    assert (only.step, only.images_per_second, only.uncertainty, only.jitter) == (10, 573.8, 6.3, 25.1)
    assert (only.loss, only.top_1, only.top_5) == (1.904, 0.5, 0.9)


@pytest.mark.parametrize(("limit", "lines"), [("MOST_RUNS", 0), ("MOST_ROWS", 3)])
def test_a_log_of_more_runs_or_rows_than_memory_should_hold_is_refused(log, monkeypatch, limit, lines):
    monkeypatch.setattr(importer, limit, 5)
    run = ["TensorFlow:  1.15", "Model:       alexnet", *["1\timages/sec: 9.0 +/- 0.0 (jitter = 0.0)\t7.1"] * lines]
    assert len(log(*run * 2)) == 2
    with pytest.raises(LogError, match=r"more than .* runs or .* rows in one log; cut it into several"):
        log(*run * 6)
