"""Every strategy of a cluster, over two and three processes: it trains what one process with the same towers trains."""

import pytest

from tests.cluster.conftest import LOOPBACK_V6, alone

CASES = [
    ("parameter_server", {"ps": 2, "worker": 3}, []),
    ("distributed_replicated", {"ps": 1, "worker": 2}, []),
    ("sharded", {"worker": 3}, []),
    ("collective_all_reduce", {"worker": 3}, []),
    ("mirrored", {"worker": 2}, []),
    ("distributed_all_reduce", {"controller": 1, "worker": 2}, ["--all_reduce_spec=pscpu/xring#2"]),
    (
        "distributed_all_reduce",
        {"controller": 1, "worker": 3},
        ["--all_reduce_spec=pscpu:16:rechd:1k:xring", "--agg_small_grads_max_bytes=64"],
    ),
]


@pytest.fixture(scope="module")
def one_process(tmp_path_factory):
    """The losses of one process with so many towers."""
    found = {}

    def losses(towers):
        if towers not in found:
            record = alone(tmp_path_factory.mktemp("alone"), f"--num_gpus={towers}", "--variable_update=replicated")
            found[towers] = record["measurement"]["losses"]
        return found[towers]

    return losses


def test_collective_operations_in_one_process(one_process, tmp_path):
    record = alone(tmp_path, "--num_gpus=2", "--variable_update=collective_all_reduce")
    assert record["measurement"]["losses"] == pytest.approx(one_process(2), abs=1e-5)


def test_collectives_are_cut_as_the_spec_says(cluster, one_process):
    spec = ["--all_reduce_spec=collective:16:collective#2", "--bytes_per_pack=0"]
    processes = cluster("--variable_update=collective_all_reduce", *spec, worker=2).start()
    assert set(processes.ends().values()) == {0}, [processes.err(*role) for role in processes.roles]
    (record,) = processes.records()
    assert record["checks"]["variable_update"]["passed"]
    assert record["measurement"]["losses"] == pytest.approx(one_process(2), abs=1e-5)
    assert record["exchange"]["exchanges"] == 10  # two biases whole, and four others in two


@pytest.mark.parametrize(("strategy", "counts", "flags"), CASES)
def test_processes_train_like_one(cluster, one_process, strategy, counts, flags):
    host = LOOPBACK_V6 if strategy == "collective_all_reduce" else "127.0.0.1"
    processes = cluster(f"--variable_update={strategy}", *flags, host=host, **counts).start()
    assert set(processes.ends().values()) == {0}, [processes.err(*role) for role in processes.roles]
    (record,) = processes.records()
    assert record["status"] == "completed"
    assert record["cluster"]["hosts"] == processes.hosts
    assert record["checks"]["variable_update"]["passed"]
    assert record["checks"]["variable_update"]["largest_difference"] < 1e-4
    assert record["measurement"]["losses"] == pytest.approx(one_process(counts["worker"]), abs=1e-5)
    if strategy == "mirrored":
        assert record["exchange"] == {"not_known": "TensorFlow's strategy chooses how it exchanges"}
    else:
        assert sum(record["exchange"]["sent_bytes"].values()) > 0


def test_mirrored_over_processes_has_a_tower_a_process_on_cpus(cluster):
    processes = cluster("--variable_update=mirrored", "--num_gpus=2", worker=2).start()
    assert set(processes.ends().values()) == {2}
    for role in processes.roles:
        assert "TensorFlow's MultiWorkerMirroredStrategy has one tower on the CPU" in processes.err(*role)


def test_an_algorithm_that_the_processes_cannot_run_is_refused(cluster):
    processes = cluster("--variable_update=distributed_all_reduce", "--all_reduce_spec=nccl", controller=1, worker=1)
    processes.start()
    assert set(processes.ends().values()) == {2}
    for role in processes.roles:
        assert "--all_reduce_spec=nccl with --device=cpu: nccl needs GPUs" in processes.err(*role)
