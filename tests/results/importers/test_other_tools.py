import pytest

from results.frame import frame
from results.importers import folder
from results.importers.source import LogError

HOROVOD = """\
Model: resnet50
Batch size: 64
Number of GPUs: 2
Running warmup...
Running benchmark...
Iter #0: 1488.6 img/sec per GPU
Iter #1: 1487.7 img/sec per GPU
Img/sec per GPU: 1488.1 +-2.2
Total img/sec on 2 GPU(s): 2976.1 +-4.3
"""
AIME = """\
OS: Linux, 5.15.0
Device-name: host
2 GPU(s) used for benchmark:
0: NVIDIA H100 80GB HBM3
1: NVIDIA H100 80GB HBM3
Nvidia GPU driver version: 535.54
Python-version: 3.10.12
PyTorch-version: 2.1.0
CPU: AMD EPYC 9354
Model: resnet50
Batch size: 768
Precision: fp16
Training data: Random images

Epoch [1 / 10], Step [10 / 130], Loss: 7.1000, Images per second: 5000.5
Epoch [1 / 10], Step [20 / 130], Loss: 7.0000, Images per second: 5010.5

Mean images per second: 5005.5
"""
MLLOG = """\
0: :::MLLOG {"namespace": "", "time_ms": 1700000000000, "event_type": "POINT_IN_TIME", "key": "submission_benchmark", "value": "resnet", "metadata": {}}
0: :::MLLOG {"namespace": "", "time_ms": 1700000000000, "event_type": "POINT_IN_TIME", "key": "global_batch_size", "value": 3264, "metadata": {}}
0: :::MLLOG {"namespace": "", "time_ms": 1700000001000, "event_type": "INTERVAL_START", "key": "run_start", "value": null, "metadata": {}}
0: :::MLLOG {"namespace": "", "time_ms": 1700000002000, "event_type": "POINT_IN_TIME", "key": "tracked_stats", "value": {"throughput": 2990.0}, "metadata": {"step": 1}}
0: :::MLLOG {"namespace": "", "time_ms": 1700000003000, "event_type": "POINT_IN_TIME", "key": "tracked_stats", "value": {"throughput": 3000.5}, "metadata": {"step": 2}}
0: :::MLLOG {"namespace": "", "time_ms": 1700000004000, "event_type": "INTERVAL_END", "key": "run_stop", "value": null, "metadata": {"status": "success"}}
"""  # noqa: E501
TIMM = """\
model,infer_samples_per_sec,infer_step_time,infer_batch_size,infer_img_size,param_count,train_samples_per_sec,train_step_time,train_batch_size,train_img_size
resnet50,4000.1,63.9,256,224,25.56,1200.2,106.6,128,224
vit_huge,,,,,,,,,
"""
COLUMNS = (
    "source,platform,accelerator,num_workers,num_devices,model,batch_size_per_device,data,precision,images_per_sec"
)
ROW = "mine,Desk,RTX-3090,1,2,resnet50,64,synthetic,fp32,500"
LONG = f"{COLUMNS}\n{ROW}\n{ROW}\n"


@pytest.fixture
def imported(tmp_path):
    def read(text):
        path = tmp_path / "file"
        path.write_text(text, encoding="utf-8")
        return folder.read(path)

    return read


def test_horovod(imported):
    (found,) = imported(HOROVOD)
    assert found.valid
    assert (found.images_per_second, found.reported.uncertainty) == (2976.1, 4.3)
    assert (found.num_towers, found.batch_size) == (2, 64)
    assert found.configuration == {"variable_update": "horovod", "model": "resnet50", "batch_size": 64, "device": "gpu"}
    assert [row.images_per_second for row in found.reported.rows] == [2977.2, 2975.4]
    assert (found.started_at, found.hardware) == ("", {})


def test_horovod_that_was_killed(imported):
    (found,) = imported(HOROVOD.replace("Total img/sec on 2 GPU(s): 2976.1 +-4.3", "Killed"))
    assert (found.status, found.message, found.images_per_second) == ("failed", "Killed", None)


def test_aime(imported):
    (found,) = imported(AIME)
    assert found.valid
    assert (found.images_per_second, found.num_towers, found.batch_size) == (5005.5, 2, 768)
    assert [gpu["name"] for gpu in found.hardware["gpus"]] == ["NVIDIA H100 80GB HBM3"] * 2
    assert (found.hardware["driver"], found.configuration["precision"]) == ("535.54", "fp16")
    assert [row.loss for row in found.reported.rows] == [7.1, 7.0]


def test_mllog(imported):
    (found,) = imported(MLLOG)
    assert found.valid
    assert found.images_per_second == 3000.5
    assert found.model == {"name": "resnet"}
    assert found.started_at == "2023-11-14T22:13:21.000000+00:00"
    assert found.configuration["global_batch_size"] == 3264
    assert found.batch_size is None  # of a device: not in the log


def test_mllog_without_its_end_or_its_throughput(imported):
    (cut,) = imported("".join(MLLOG.splitlines(keepends=True)[:-1]))
    assert (cut.status, cut.message) == ("failed", "the log ends without run_stop")
    (slow,) = imported("\n".join(line for line in MLLOG.splitlines() if "throughput" not in line))
    assert slow.problems == ("no images per second in the source",)


def test_timm(imported):
    trained, inferred, failed = imported(TIMM)
    assert (trained.images_per_second, trained.batch_size, trained.configuration["forward_only"]) == (
        1200.2,
        128,
        False,
    )
    assert (inferred.images_per_second, inferred.batch_size, inferred.configuration["forward_only"]) == (
        4000.1,
        256,
        True,
    )
    assert trained.num_towers is None
    assert (failed.status, failed.message, failed.model["name"]) == ("failed", "no figure in its row", "vit_huge")


def test_a_table_of_ones_own_and_equal_rows_in_it(imported):
    first, second = imported(LONG)
    row = frame([first]).iloc[0]
    assert (row["accelerator"], row["num_gpus"], row["images_per_second"]) == ("RTX-3090", 2, 500.0)
    assert (row["dataset"], row["source"]) == ("synthetic", "mine")
    assert first.provenance["platform"] == "Desk"
    assert first.record_id != second.record_id
    assert imported(f"\ufeff{LONG}other,,K80,1,1,vgg16,32,imagenet,fp32,30\n")[0].record_id == first.record_id


def test_a_broken_table_is_refused_with_the_line(imported):
    with pytest.raises(LogError, match="line 4 has 2 values, its table 10 columns"):
        imported(f"{LONG}a,b\n")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("hello\nworld\n", "not recognised"),
        ("a\0b", "not a text"),
        ('{\n "schema_version": 1,\n "status": "completed"}\n', "a record already"),
        (f"{COLUMNS}\n", "no run in it"),
    ],
)
def test_what_is_nothing_of_the_kind_is_refused_with_the_reason(imported, text, reason):
    with pytest.raises(LogError, match=reason):
        imported(text)
