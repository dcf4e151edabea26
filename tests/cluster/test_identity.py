"""What processes compare before they begin."""

import pytest

from benchmarks.cluster.cluster import Cluster, Task
from benchmarks.cluster.identity import differences, identity
from benchmarks.params import Params

CLUSTER = Cluster({"worker": ("one:1", "two:2")}, Task("worker", 0), "flags")


def test_equal_flags_do_not_differ():
    assert differences(identity(Params(), CLUSTER), identity(Params(display_every=3), CLUSTER)) == []


@pytest.mark.parametrize("changed", [{"batch_size": 7}, {"verify_variable_update": False}, {"measure_exchange": True}])
def test_flags_of_what_is_done_together_must_agree(changed):
    """The last two are no part of what is measured, but a process that does without would be waited for."""
    [(name, value)] = changed.items()
    [found] = differences(identity(Params(), CLUSTER), identity(Params(**changed), CLUSTER))
    assert found.startswith(f"it has --{name}={value}, and the driver --{name}=")
