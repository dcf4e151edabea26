import pytest

from variable_mgr.topology import Topology, groups_of, halves, host_of, is_gpu, topology


def test_a_dgx_1_is_two_halves_linked_by_opposite_numbers():
    wiring = topology("dgx1", 8)
    assert wiring.groups == ((0, 1, 2, 3), (4, 5, 6, 7))
    assert wiring.mains == ((0, 4), (1, 5), (2, 6), (3, 7), (4, 0), (5, 1), (6, 2), (7, 3))


@pytest.mark.parametrize(
    ("towers", "expected"),
    [
        (1, Topology(((0,),), ((0,),))),
        (2, Topology(((0,), (1,)), ((0, 1), (1, 0)))),
        (3, Topology(((0,), (1, 2)), ((0, 1), (0, 2), (1, 0), (2, 0)))),
    ],
)
def test_other_numbers_are_halved(towers, expected):
    assert halves(towers) == topology("dgx1", towers) == expected


def test_a_google_machine_has_eight():
    assert topology("gcp_v100", 8).mains == ((0, 5), (2, 7), (5, 0), (7, 2))
    with pytest.raises(ValueError, match=r"8 GPUs, and there are 4 towers\. Take --num_gpus=8 or --network_topology"):
        topology("gcp_v100", 4)


@pytest.mark.parametrize(
    ("device", "host", "gpu"),
    [
        ("/gpu:3", "/cpu:0", True),
        ("/cpu:3", "/cpu:0", False),
        ("/device:GPU:0", "/cpu:0", True),
        ("/job:worker/task:1/gpu:2", "/job:worker/task:1/cpu:0", True),
        ("/job:worker/replica:0/task:1/device:CPU:2", "/job:worker/replica:0/task:1/cpu:0", False),
    ],
)
def test_hosts(device, host, gpu):
    assert host_of(device) == host
    assert is_gpu(device) == gpu


def test_groups_are_machines_or_halves_of_one():
    workers = [f"/job:worker/task:{task}/gpu:{index}" for task in (0, 1, 2) for index in (0, 1)]
    assert groups_of(workers) == ((0, 1), (2, 3), (4, 5))
    assert groups_of(workers[:2]) == ((0,), (1,))
    assert groups_of([f"/gpu:{index}" for index in range(5)]) == ((0, 1), (2, 3, 4))
