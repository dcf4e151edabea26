"""Whole runs that compute the same to the last bit."""

import hashlib
import struct

import pytest

from tests.main.conftest import SHORT, run

FLAGS = [*SHORT, "--deterministic", "--model=resnet20", "--data_name=cifar10", "--display_every=1"]


@pytest.mark.parametrize("strategy", ["replicated", "parameter_server"])
def test_two_runs_have_the_same_losses_to_the_last_bit(sample_data, tmp_path, strategy):
    flags = [*FLAGS, f"--data_dir={sample_data}", f"--variable_update={strategy}"]
    runs = [run(*flags, results_dir=tmp_path / str(number)) for number in (1, 2)]
    assert [ran.code for ran in runs] == [0, 0], runs[0].err
    first, second = (ran.records[0] for ran in runs)
    assert first["measurement"]["losses"] == second["measurement"]["losses"]
    assert first["checks"]["determinism"] == second["checks"]["determinism"]
    assert first["configuration"]["deterministic"] is True
    losses = [*first["measurement"]["warmup_losses"], *first["measurement"]["losses"]]
    fingerprint = hashlib.sha256(struct.pack(f"<{len(losses)}d", *losses)).hexdigest()
    assert first["checks"]["determinism"]["losses_sha256"] == fingerprint
    assert all(f"the losses have the fingerprint {fingerprint}." in ran.err for ran in runs)


def test_another_seed_has_another_fingerprint_and_plain_runs_have_none(tmp_path):
    runs = [run(*FLAGS, f"--tf_random_seed={seed}", results_dir=tmp_path / str(seed)) for seed in (1, 2)]
    first, second = (ran.records[0]["checks"]["determinism"]["losses_sha256"] for ran in runs)
    assert first != second
    plain = run(*FLAGS, "--nodeterministic", results_dir=tmp_path / "plain")
    assert "determinism" not in plain.records[0]["checks"]
