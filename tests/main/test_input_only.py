"""Whole runs of the input alone."""

import re

from tests.main.conftest import SHORT, run
from tests.main.test_console_contract import TAIL


def test_the_input_alone_is_measured_and_its_stages_are_told(sample_data, tmp_path):
    flags = ["--input_only", "--model=resnet20", f"--data_dir={sample_data}", "--data_name=cifar10"]
    ran = run(*SHORT, *flags, results_dir=tmp_path)
    assert ran.code == 0, ran.err
    assert "\nMode:        input only\n" in ran.out
    assert "Generating training model" not in ran.out
    assert re.search(TAIL + r"\Z", ran.out)
    (record,) = ran.records
    assert record["configuration"]["input_only"] is True
    measurement = record["measurement"]
    assert (len(measurement["step_seconds"]), measurement["losses"]) == (12, [])
    assert record["model"] == {}
    stages = record["dataset"]["stages"]
    assert [stage["name"] for stage in stages] == ["read and batch", "decode", "prepare", "prefetch"]
    assert all(
        f"up to {stage['name']}: {stage['images_per_second']:,.1f} images a second" in ran.err for stage in stages
    )
    assert "images/sec" not in ran.err
