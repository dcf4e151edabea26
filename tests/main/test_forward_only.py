"""Whole runs of the forward pass alone."""

import re

import pytest

from tests.main.conftest import SHORT, run
from tests.main.test_console_contract import TAIL

FORWARD = [*SHORT, "--forward_only", "--model=resnet20", "--data_name=cifar10"]


def test_the_forward_pass_alone_is_measured_and_tells_accuracies(sample_data, tmp_path):
    ran = run(*FORWARD, f"--data_dir={sample_data}", "--variable_update=replicated", results_dir=tmp_path)
    assert ran.code == 0, ran.err
    assert "\nMode:        forward only\n" in ran.out
    assert "Step\tImg/sec\ttotal_loss\ttop_1_accuracy\ttop_5_accuracy\n" in ran.out
    rows = re.findall(r"^\d+\timages/sec: .*", ran.out, re.MULTILINE)
    assert all(len(row.split()) == 11 and row.split()[8] == "0.000" for row in rows)
    assert re.search(TAIL + r"\Z", ran.out)
    (record,) = ran.records
    assert record["configuration"]["forward_only"] is True
    assert record["exchange"] == {"exchanges": 0, "sent_bytes": {"/cpu:0": 0, "/cpu:1": 0}}
    assert "variable_update" not in record["checks"]
    measurement = record["measurement"]
    assert (len(measurement["step_seconds"]), measurement["losses"]) == (12, [])
    assert all(top_1 <= top_5 for top_1, top_5 in zip(measurement["top_1"], measurement["top_5"], strict=True))


@pytest.mark.parametrize("strategy", ["parameter_server", "distributed_replicated", "sharded", "mirrored"])
def test_synthetic_images_under_other_strategies(strategy, tmp_path):
    ran = run(*FORWARD, "--model=trivial", f"--variable_update={strategy}", results_dir=tmp_path)
    assert ran.code == 0, ran.err
    (record,) = ran.records
    assert len(set(record["measurement"]["top_1"])) == 1, "nothing is updated, so the same images score the same"
