"""Where a run takes place: in this process on its own, or in a cluster. Imports TensorFlow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from benchmarks import devices
from benchmarks.cluster import runtime
from benchmarks.cluster.cluster import Cluster
from benchmarks.cluster.control import ClusterError, Control
from benchmarks.cluster.driver_control import DriverControl
from benchmarks.cluster.member_control import MemberControl
from benchmarks.collective_step import digest
from benchmarks.devices import Devices
from benchmarks.draft import exchange_facts, placement_facts
from benchmarks.measure import Outcome
from benchmarks.params import Params
from benchmarks.step import Step

_JOIN_SECONDS = 60.0


class Place:
    """A process on its own."""

    @property
    def leaves_record(self) -> bool:
        """Whether this process's record is the run's."""
        return True

    @property
    def alone(self) -> bool:
        """Whether this process is all of the run."""
        return True

    def sections(self) -> dict[str, Any]:
        """Sections of the record that the place knows, once it is set up."""
        return {}

    def set_up(self, params: Params) -> Devices:
        """Find and configure the devices of the run. Raises UserError."""
        return devices.set_up(params)

    def agree(self, step: Step, towers: Sequence[str], check: Callable[[], None]) -> dict[str, Any]:
        """Make sure that all processes that run the step begin alike.

        Returns the record's sections on where towers and variables are and what they exchange. `towers` are those of
        this process, and `check` is called while it waits.
        """
        del check
        return {
            "placement": placement_facts(towers, [*step.strategy.stores, *step.strategy.masters]),
            "exchange": exchange_facts(step.traffic()),
        }

    def stage(self, doing: str) -> None:
        """The run begins something that may take long; `doing` says what."""

    def watched(self, step: Callable[[], Outcome]) -> Callable[[], Outcome]:
        """`step`, watched by the other processes where there are any."""
        return step


class _InCluster(Place):
    """One of several processes, which others wait for."""

    def __init__(self, control: Control) -> None:
        self._progress = control.progress

    @property
    def alone(self) -> bool:
        """It is not."""
        return False

    def stage(self, doing: str) -> None:
        """Let the others know, should it not end."""
        self._progress.stage(doing)

    def watched(self, step: Callable[[], Outcome]) -> Callable[[], Outcome]:
        """`step`; the driver notices if it does not end."""
        return self._progress.watched(step)


class Servers(_InCluster):
    """A process that drives the towers and variables on all others."""

    def __init__(self, cluster: Cluster, control: DriverControl, check: Callable[[], None]) -> None:
        super().__init__(control)
        self._cluster = cluster
        self._control = control
        self._check = check

    def set_up(self, params: Params) -> Devices:
        """Wait for all servers, and connect to them."""
        self._control.wait_until_ready(self._check)
        self._control.reach_all()
        with self._control.within(params.cluster_timeout_secs, "TensorFlow did not connect to all processes"):
            return runtime.drive(params, self._cluster)


class Peers(_InCluster):
    """One of several processes that run the same step together, each on towers of its own."""

    def __init__(self, cluster: Cluster, control: DriverControl | MemberControl) -> None:
        super().__init__(control)
        self._cluster = cluster
        self._control = control

    def set_up(self, params: Params) -> Devices:
        """Connect to the others, which do the same."""
        # The processes come here each after its own import of TensorFlow, and wait for each other.
        seconds = max(_JOIN_SECONDS, params.cluster_timeout_secs)
        with self._control.within(seconds, "TensorFlow's collective operations did not start in all processes"):
            return runtime.join_collective(params, self._cluster)

    def agree(self, step: Step, towers: Sequence[str], check: Callable[[], None]) -> dict[str, Any]:
        """Begin only where all variables of all processes are equal, bit by bit."""
        sections, variables = super().agree(step, towers, check), digest(step.strategy.stores)
        if isinstance(self._control, MemberControl):
            self._control.say_ready(variables=variables, **sections)
            self._control.wait_for_go(check)
            return sections
        self._control.wait_until_ready(check)
        for task, told in sorted(self._control.ready.items()):
            if told["variables"] != variables:
                raise ClusterError(
                    f"{self._cluster.name(task)} begins with other values of the variables than the driver"
                )
            sections["placement"]["towers"] += told["placement"]["towers"]
            sections["placement"]["variables"] |= told["placement"]["variables"]
            if "sent_bytes" in sections["exchange"]:  # not every strategy tells
                sections["exchange"]["sent_bytes"] |= told["exchange"]["sent_bytes"]
        self._control.broadcast({"type": "go"})
        return sections
