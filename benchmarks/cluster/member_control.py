"""The side of every other process than the driver: it says what it is, and hears how the run ended."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from typing import Any

from benchmarks.cluster.addresses import host_and_port
from benchmarks.cluster.cluster import Cluster, Task
from benchmarks.cluster.control import POLL_SECONDS, ClusterError, Control
from benchmarks.cluster.link import Link, Message
from benchmarks.errors import ExitCode


class MemberControl(Control):
    """The side of every other process. `ended` is the driver's last message, once it has come."""

    def __init__(self, cluster: Cluster, timeout_seconds: float, setup_seconds: float, hello: dict[str, Any]) -> None:
        super().__init__(cluster, timeout_seconds, setup_seconds)
        self._hello = {"type": "hello", "job": cluster.task.job, "index": cluster.task.index, **hello}
        self._assembled = False
        self._may_go = False
        self.ended: Message | None = None

    def join_in(self, check: Callable[[], None]) -> None:
        """Say hello to the driver, and wait until every process has. Raises ClusterError."""
        link = Link(self._connect(check))
        self._links[self.cluster.driver] = link
        self._watch(link, self.cluster.driver)
        link.send(self._hello)
        self.start()
        # A little longer than the driver, which knows more, waits.
        left = 0.9 * self.timeout_seconds - (time.monotonic() - self.began)
        if not self.wait_for(lambda: self._assembled, check, left):
            raise ClusterError(f"{self._driver}: did not say within {self._age()} that all processes are there.")

    def say_ready(self, **facts: Any) -> None:
        """Tell the driver that TensorFlow is up here."""
        self.broadcast({"type": "ready", **facts})

    def say_fault(self, reason: str) -> None:
        """Tell the driver that this process cannot go on."""
        with self._changed:
            self._finished = True
        self.broadcast({"type": "fault", "reason": reason})

    def wait_for_go(self, check: Callable[[], None]) -> None:
        """Wait until the driver has found all processes ready, and alike. Raises ClusterError."""
        self.wait_for(lambda: self._may_go, check)

    def wait_for_end(self, check: Callable[[], None]) -> Message:
        """Wait until the driver says how the run ended. Raises ClusterError where it ended badly."""
        self.wait_for(lambda: self.ended is not None, check)
        assert self.ended is not None
        return self.ended

    @property
    def _driver(self) -> str:
        return f"the driver, {self.cluster.name(self.cluster.driver)}"

    def _connect(self, check: Callable[[], None]) -> socket.socket:
        address = host_and_port(self.cluster.address(self.cluster.driver))
        while True:
            left = self.patience_seconds - (time.monotonic() - self.began)
            try:
                return socket.create_connection(address, timeout=max(0.1, min(2.0, left)))
            except OSError as error:
                check()
                if left <= 0:
                    raise ClusterError(
                        f"{self._driver}: never came up ({error.strerror or error}). This process waited {self._age()};"
                        " see the output there, or give a longer --cluster_timeout_secs."
                    ) from None
                time.sleep(POLL_SECONDS)

    def _lost(self, task: Task | None, what: str) -> None:
        del task  # there is but the driver
        if self.ended is None:
            self.fail(ClusterError(f"{self._driver}: {what}"))

    def _heard(self, link: Link, task: Task | None, message: Message) -> None:
        del link, task
        if message["type"] == "welcome":
            self.timeout_seconds = float(message["timeout_seconds"])
        elif message["type"] == "assembled":
            self._assembled = True
        elif message["type"] == "go":
            self._may_go = True
        elif message["type"] == "refused":
            self.fail(ClusterError(f"{self._driver}, refuses this process: {message.get('reason')}"))
        elif message["type"] == "end":
            self._end(message)

    def _end(self, message: Message) -> None:
        self.ended = message
        exit_code = int(message.get("exit_code", ExitCode.FAILED))
        if exit_code not in (ExitCode.VALID, ExitCode.INVALID):
            self.fail(ClusterError(str(message.get("message")), exit_code))
