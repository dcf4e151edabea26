"""Whole runs that compute the same to the last bit."""

import hashlib
import struct

import pytest

from tests.main.conftest import SHORT, run

FLAGS = [*SHORT, "--deterministic", "--model=resnet20", "--data_name=cifar10", "--display_every=1", "--num_batches=5"]


@pytest.fixture(scope="module", params=["replicated", "parameter_server"])
def flags(request, sample_data):
    return [*FLAGS, f"--data_dir={sample_data}", f"--variable_update={request.param}"]


@pytest.fixture(scope="module")
def first_run(flags, tmp_path_factory):
    return run(*flags, results_dir=tmp_path_factory.mktemp("first"))


def test_two_runs_have_the_same_losses_to_the_last_bit(flags, first_run, tmp_path):
    runs = [first_run, run(*flags, results_dir=tmp_path)]
    assert [ran.code for ran in runs] == [0, 0], runs[0].err
    first, second = (ran.records[0] for ran in runs)
    assert first["measurement"]["losses"] == second["measurement"]["losses"]
    assert first["checks"]["determinism"] == second["checks"]["determinism"]
    assert first["configuration"]["deterministic"] is True
    losses = [*first["measurement"]["warmup_losses"], *first["measurement"]["losses"]]
    fingerprint = hashlib.sha256(struct.pack(f"<{len(losses)}d", *losses)).hexdigest()
    assert first["checks"]["determinism"]["losses_sha256"] == fingerprint
    assert all(f"the losses have the fingerprint {fingerprint}." in ran.err for ran in runs)


@pytest.mark.parametrize("flags", ["replicated"], indirect=True)
def test_another_seed_has_another_fingerprint(flags, first_run, tmp_path):
    other = run(*flags, "--tf_random_seed=2", results_dir=tmp_path)
    first, second = (ran.records[0]["checks"]["determinism"]["losses_sha256"] for ran in (first_run, other))
    assert first != second
