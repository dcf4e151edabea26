"""Processes that run the step together begin with equal variables, or not at all."""

from types import SimpleNamespace

import pytest

from benchmarks.cluster.cluster import Cluster, Task
from benchmarks.cluster.control import ClusterError
from benchmarks.cluster.place import Peers
from benchmarks.collective_step import digest
from models.layers import declarations
from tests.engine.training import CLASSES, SmallNet
from variable_mgr.collective import CollectiveAllReduce

CLUSTER = Cluster({"worker": ("a:1", "b:1")}, Task("worker", 0), "flags", multi_client=True)
DECLARED = declarations(SmallNet(), CLASSES)


def strategy(seed=1):
    return CollectiveAllReduce(DECLARED, ["/cpu:0", "/cpu:1"], seed, num_towers=4)


class Control:
    """The driver's, where the other process has said that it is ready."""

    def __init__(self, variables):
        placement = {"towers": ["b0"], "variables": {"b0": {"variables": 6, "bytes": 1}}}
        self.progress = None
        exchange = {"exchanges": 1, "sent_bytes": {"b0": 7}}
        self.ready = {Task("worker", 1): {"variables": variables, "placement": placement, "exchange": exchange}}
        self.said = []

    def wait_until_ready(self, check):
        check()

    def broadcast(self, message):
        self.said.append(message)


def agree(control, own):
    return Peers(CLUSTER, control).agree(SimpleNamespace(strategy=own, traffic=own.traffic), ["a0", "a1"], lambda: None)


def test_equal_variables():
    control = Control(digest(strategy().stores))
    sections = agree(control, strategy())
    placement = sections["placement"]
    assert placement["towers"] == ["a0", "a1", "b0"]
    assert list(placement["variables"]) == ["/cpu:0", "/cpu:1", "b0"]
    own = strategy().traffic()
    assert sections["exchange"] == {"exchanges": own.exchanges, "sent_bytes": own.sent_bytes | {"b0": 7}}
    assert control.said == [{"type": "go"}]


def test_other_variables_are_refused():
    control = Control(digest(strategy(seed=2).stores))
    with pytest.raises(ClusterError, match="/job:worker/task:1 at b:1 begins with other values of the variables than"):
        agree(control, strategy())
    assert control.said == []


def test_a_tower_that_differs_is_another_digest():
    own = strategy()
    before = digest(own.stores)
    variable = next(iter(own.stores[1].variables.values()))
    variable.assign(variable + 1e-3)
    assert digest(own.stores) != before
