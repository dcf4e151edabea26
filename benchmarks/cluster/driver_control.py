"""The driver's side of the control connections: it takes the others in, and tells them how it ended."""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Callable

from benchmarks.cluster.addresses import host_and_port, listen
from benchmarks.cluster.cluster import Cluster, Task
from benchmarks.cluster.control import POLL_SECONDS, ClusterError, Control
from benchmarks.cluster.link import Link, Message
from benchmarks.cluster.progress import Mark, Standstill, explain
from benchmarks.errors import ExitCode

_REACH_SECONDS = 5.0


class DriverControl(Control):
    """The driver's side. `hellos` and `ready` are what the others have said, by task."""

    def __init__(
        self,
        cluster: Cluster,
        timeout_seconds: float,
        setup_seconds: float,
        differences: Callable[[Message], list[str]],
    ) -> None:
        """`differences` says how what a `hello` tells differs from what this process runs."""
        super().__init__(cluster, timeout_seconds, setup_seconds)
        self._standstill = Standstill()
        self.hellos: dict[Task, Message] = {}
        self.ready: dict[Task, Message] = {}
        self._differences = differences
        self._unlike: list[str] = []
        self._listener: socket.socket | None = None

    def gather(self, check: Callable[[], None]) -> None:
        """Wait until every process has said hello. Raises ClusterError, naming those that have not come.

        Raises OSError where this process cannot listen on its port.
        """
        _, port = host_and_port(self.cluster.address(self.cluster.task))
        self._listener = listen(port)
        self._selector.register(self._listener, selectors.EVENT_READ, (None, None))
        self.start()
        left = self.patience_seconds - (time.monotonic() - self.began)
        if not self.wait_for(lambda: self._listener is None, check, left):
            missing = [self.cluster.name(task) for task in self.cluster.others if task not in self.hellos]
            never = (
                f"{', '.join(missing)}: never came up. This process waited {self._age()} for "
                f"{'it' if len(missing) == 1 else 'them'}; see the output there, or give a longer "
                "--cluster_timeout_secs."
            )
            self.fail(ClusterError("\n".join([never, *self._unlike])))
            self.check()

    def wait_until_ready(self, check: Callable[[], None]) -> None:
        """Wait until TensorFlow is up in every other process. Raises ClusterError."""
        self.wait_for(lambda: len(self.ready) == len(self.cluster.others), check)

    def reach_all(self) -> None:
        """Make sure that the ports of all others can be reached from here. Raises ClusterError."""
        for task in self.cluster.others:
            try:
                socket.create_connection(host_and_port(self.cluster.address(task)), timeout=_REACH_SECONDS).close()
            except OSError as error:  # noqa: PERF203  one is enough
                raise ClusterError(
                    f"{self.cluster.name(task)}: it is up and connected to this process, but its own port cannot be "
                    f"reached from here ({error.strerror or error}): is there a firewall?"
                ) from None

    def fail(self, fault: ClusterError) -> None:
        """As every process does, and tell the others."""
        first = self.fault is None and not self._finished
        super().fail(fault)
        if first:
            self.broadcast({"type": "end", "exit_code": int(ExitCode.FAILED), "message": str(fault)})

    def finish(self, exit_code: int, images_per_second: float | None, message: str) -> None:
        """Tell all others how the run ended, and wait a little until they are gone."""
        end = {"type": "end", "exit_code": exit_code, "images_per_second": images_per_second, "message": message}
        with self._changed:
            already_told = self.fault is not None
            self._finished = True
        if not already_told:
            self.broadcast(end)
        deadline = time.monotonic() + min(5.0, 0.2 * self.timeout_seconds)
        with self._changed:
            while self._links and time.monotonic() < deadline:
                self._changed.wait(POLL_SECONDS)

    def _readable(self, key: selectors.SelectorKey) -> None:
        if key.fileobj is self._listener and self._listener is not None:
            connection, _ = self._listener.accept()
            self._watch(Link(connection), None)
        else:
            super()._readable(key)

    def _heard(self, link: Link, task: Task | None, message: Message) -> None:
        if task is None:
            self._welcome(link, message)
        elif message["type"] == "alive":
            self._standstill.heard(task, Mark(*message["mark"]))
        elif message["type"] == "ready":
            self.ready[task] = message
        elif message["type"] == "fault":
            self.fail(ClusterError(f"{self.cluster.name(task)}: {message.get('reason')}"))

    def _notice_standstill(self) -> None:
        self._standstill.heard(self.cluster.task, self.progress.mark)
        if stuck := self._standstill.stuck():
            self.fail(ClusterError(explain(stuck, {each.task: self.cluster.name(each.task) for each in stuck})))

    def _forgive(self) -> None:
        super()._forgive()
        self._standstill.forgive()

    def _welcome(self, link: Link, message: Message) -> None:
        """Take a process in that has said hello."""
        task = next((each for each in self.cluster.others if _is(each, message)), None)
        if message["type"] != "hello" or task is None:
            asked = f"/job:{message.get('job')}/task:{message.get('index')}"
            link.send({"type": "refused", "reason": f"the driver knows no {asked}"})
            return
        if task in self.hellos:
            link.send({"type": "refused", "reason": f"another process already is {self.cluster.name(task)}"})
            return
        self._selector.modify(link.connection, selectors.EVENT_READ, (link, task))
        with self._changed:
            self._links[task] = link
            self.hellos[task] = message
        link.send({"type": "welcome", "timeout_seconds": self.timeout_seconds})
        if differences := self._differences(message):
            name = self.cluster.name(task)
            self._unlike.append(f"{name} does not run what the driver runs: {'; '.join(differences)}")
        if len(self.hellos) == len(self.cluster.others):
            self._assemble()

    def _assemble(self) -> None:
        """All have come: leave the port to TensorFlow, unless something is wrong with what they run."""
        if self._unlike:
            self.fail(ClusterError("\n".join(self._unlike)))  # only now, so that all are told of all of it
        elif self._listener is not None:
            self._selector.unregister(self._listener)
            self._listener.close()
            self._listener = None
            self.broadcast({"type": "assembled"})


def _is(task: Task, hello: Message) -> bool:
    return (task.job, task.index) == (hello.get("job"), hello.get("index"))
