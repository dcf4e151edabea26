"""What several processes train is what one process with the same towers trains; two clusters go side by side."""

import re

import pytest

from tests.cluster.conftest import LOOPBACK_V6, alone, by_slurm, by_tf_config

TOTAL = re.compile(r"-{64}\ntotal images/sec: (\d+\.\d\d)\n-{64}\n\Z")


@pytest.fixture(scope="module")
def four_towers(tmp_path_factory):
    """The losses of one process with four towers."""
    return alone(tmp_path_factory.mktemp("alone"), "--num_gpus=4")["measurement"]["losses"]


def test_parameter_servers_over_processes_and_two_clusters_at_once(cluster, four_towers):
    first = cluster("--num_gpus=2", folder="first", host=LOOPBACK_V6, ps=1, worker=2).start()
    second = cluster("--num_gpus=1", "--optimizer=momentum", folder="second", ps=2, worker=2)
    second.start(told_by=by_tf_config)
    for each, towers in ((first, 4), (second, 2)):
        assert set(each.ends().values()) == {0}, each.err("worker", 0)
        (record,) = each.records()
        assert record["status"] == "completed"
        assert record["measurement"]["num_towers"] == towers
        assert record["cluster"]["driver"] == "/job:worker/task:0"
        assert record["cluster"]["hosts"] == each.hosts
        assert {process["tensorflow"] for process in record["cluster"]["processes"].values()} == {
            record["environment"]["packages"]["tensorflow"]
        }
        assert each.out("ps") == "Running parameter server 0\n"
        assert each.out("worker", 1).startswith("Starting worker 1\n")
        figures = [TOTAL.search(each.out("worker", index))[1] for index in (0, 1)]
        assert figures[0] == figures[1]
        assert len(re.findall("total images/sec", each.out("worker", 0) + each.out("worker", 1))) == 2
    assert "NOTE: this process is /job:ps/task:1 of the cluster (2 ps, 2 worker) that TF_CONFIG names." in second.err(
        "ps", 1
    )
    assert "Sync:        True\n" in first.out("worker", 0)
    assert "Batch size:  16 global\n             4 per device\n" in first.out("worker", 0)
    _, placed = [record["placement"]["variables"] for record in (first.records()[0], second.records()[0])]
    assert set(placed) == {"/job:ps/replica:0/task:0/cpu:0", "/job:ps/replica:0/task:1/cpu:0"}

    assert first.records()[0]["measurement"]["losses"] == pytest.approx(four_towers, abs=1e-5)


def test_collective_operations_and_a_controller(cluster, four_towers):
    collective = cluster(
        "--variable_update=collective_all_reduce", "--num_gpus=2", folder="collective", worker=2
    ).start(told_by=by_slurm)
    controller = cluster(
        "--variable_update=distributed_all_reduce", "--num_gpus=2", folder="all", controller=1, worker=2
    )
    controller.start()
    for each, driver in ((collective, "worker"), (controller, "controller")):
        assert set(each.ends().values()) == {0}, each.err(driver, 0)
        (record,) = each.records()
        assert record["cluster"]["driver"] == f"/job:{driver}/task:0"
        assert record["measurement"]["losses"] == pytest.approx(four_towers, abs=1e-5)
        towers = [f"/job:worker/replica:0/task:{worker}/cpu:{cpu}" for worker in (0, 1) for cpu in (0, 1)]
        assert record["placement"]["towers"] == towers
        assert list(record["placement"]["variables"]) == towers
        assert list(record["exchange"]["sent_bytes"]) == towers
        assert min(record["exchange"]["sent_bytes"].values()) > 0
        figures = {TOTAL.search(each.out("worker", index))[1] for index in (0, 1)}
        assert figures == {TOTAL.search(each.out(driver))[1]}
    assert "Batch size:  16 global\n" in collective.out("worker", 1)
    assert "SingleSess:  True\n" in controller.out("controller")
