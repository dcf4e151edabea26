"""Whole runs on shards of ImageNet with images that cannot be decoded, as a night would have it."""

import pytest

from tests.inputs import jpegs
from tests.main.conftest import SHORT, run

FLAGS = [*SHORT, "--model=trivial", "--data_name=imagenet"]


@pytest.fixture
def shards(tmp_path):
    """Three shards for two towers; every eighth image is not one."""
    good = [jpegs.record(jpegs.encoded(jpegs.pixels_of(number)), label=number + 1) for number in range(21)]
    for first in (0, 7, 14):
        good[first] = jpegs.record(b"\xff\xd8\xff" + bytes(50), label=1)
    return jpegs.write_shards(tmp_path, good[:7], good[7:14], good[14:])[0].parent


def test_the_record_counts_what_was_left_out(shards, tmp_path):
    flags = ["--max_skipped_images=100000", "--datasets_sloppy_parallel_interleave"]
    ran = run(*FLAGS, f"--data_dir={shards}", *flags, results_dir=tmp_path / "runs")
    assert ran.code == 0, ran.err
    (record,) = ran.records
    skipped = record["dataset"].pop("skipped_images")
    assert skipped >= 14 * 16 // 8  # of the images of 14 steps, 16 each
    assert f"WARNING: {skipped} skipped images: they could not be decoded. The first are:\n  train-0" in ran.err
    named = record["dataset"].pop("skipped")
    assert set(named) == {f"train-0000{shard}-of-00003, record 0: truncated" for shard in range(3)}
    assert all(f"\n  {name}\n" in ran.err for name in named)
    assert record["dataset"] == {
        "name": "imagenet",
        "synthetic": False,
        "examples": 21,
        "source": "unknown",
        "sample": False,
        "shards": 3,
        "deterministic_order": False,
    }
    assert "NOTE: the order of the images depends on timing" in ran.err


def test_too_many_end_the_run_with_what_to_do(shards, tmp_path):
    ran = run(*FLAGS, f"--data_dir={shards}", "--max_skipped_images=3", results_dir=tmp_path / "runs")
    assert ran.code == 1
    (record,) = ran.records
    assert record["status"] == "failed"
    assert record["message"].startswith(
        f"While reading {shards}, more images than --max_skipped_images=3 cannot be decoded. Make the data set again"
    )
    assert record["dataset"]["skipped_images"] >= 4
    assert record["message"] in ran.err


def test_shards_that_cannot_be_used_are_told_of_before_the_model_is_built(shards, tmp_path):
    for path in shards.glob("train-*"):
        path.write_bytes(path.read_bytes()[:-10])
    ran = run(*FLAGS, f"--data_dir={shards}", results_dir=tmp_path / "runs")
    assert ran.code == 2
    assert "Generating training model" not in ran.out
    told = "it is truncated or corrupt at record 0 or after it: it ends within the record that begins at byte "
    assert f"train-00000-of-00003: {told}" in ran.err
    assert "truncated record at" not in ran.err
    assert ran.err.count("python -m benchmarks.inputs.imagenet") == 1
