"""Where a run takes place: in this process on its own, or in a cluster. Imports TensorFlow."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks import devices
from benchmarks.cluster import runtime
from benchmarks.cluster.cluster import Cluster
from benchmarks.cluster.control import DriverControl
from benchmarks.devices import Devices
from benchmarks.params import Params
from benchmarks.step import TrainingStep


class Place:
    """A process on its own."""

    def set_up(self, params: Params) -> Devices:
        """Find and configure the devices of the run. Raises UserError."""
        return devices.set_up(params)

    def agree(self, step: TrainingStep, check: Callable[[], None]) -> None:
        """Make sure that all processes that run the step begin with equal variables."""


class Servers(Place):
    """A process that drives the towers and variables on all others."""

    def __init__(self, cluster: Cluster, control: DriverControl, check: Callable[[], None]) -> None:
        self._cluster = cluster
        self._control = control
        self._check = check

    def set_up(self, params: Params) -> Devices:
        """Wait for all servers, and connect to them."""
        self._control.wait_until_ready(self._check)
        return runtime.drive(params, self._cluster)
