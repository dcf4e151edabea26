"""A whole run that makes many steps in a call."""

import pytest

from tests.main.conftest import SHORT, run


def test_it_trains_as_one_that_makes_a_step_a_call(main_job, sample_data, tmp_path):
    flags = ["--model=resnet20", "--data_name=cifar10", f"--data_dir={sample_data}", "--variable_update=replicated"]
    ran = run(*SHORT, *flags, "--steps_per_loop=2", "--display_every=4", results_dir=tmp_path)
    assert ran.code == main_job.code, ran.err
    (record,), (expected,) = ran.records, main_job.records
    found, single = record["measurement"], expected["measurement"]
    assert found["losses"] == pytest.approx(single["losses"], rel=1e-3)
    assert found["warmup_losses"] == pytest.approx(single["warmup_losses"], rel=1e-3)
    seconds = found["step_seconds"]
    assert len(seconds) == 12
    assert seconds[::2] == seconds[1::2]
    assert sum(seconds) <= found["window_seconds"] * (1 + 1e-9)
    assert record["configuration"]["steps_per_loop"] == 2
    assert [line.split("\t")[0] for line in ran.out.splitlines() if "(jitter" in line] == ["4", "8", "12"]
