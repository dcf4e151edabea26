"""What the processes of a cluster tell each other beside TensorFlow: who they are, that they live, and how it ended.

Every process but the driver holds one TCP connection to the driver. No port is needed beside those of the cluster: at
first the driver itself listens on its port of the cluster, and every other process, which knows that port from its
flags, connects to it and stays connected. When all have come the driver closes the listening socket, and TensorFlow's
server takes the port over; connections that were accepted before are not touched by that.

Over a connection go, in this order: `hello` with what the process is and runs, and the answer `welcome`; `assembled`
once all are there; `ready` from each process when TensorFlow is up; `go` where every process runs the step itself;
`end` with the figure and the exit code. From
`hello` on both sides say `alive`. A connection that ends, or is silent for half of --cluster_timeout_secs, is a fault:
the driver tells the others, and everyone ends. A process that lives and makes no progress is not noticed.
"""

from __future__ import annotations

import selectors
import socket
import threading
import time
from abc import abstractmethod
from collections.abc import Callable
from typing import Any

from benchmarks.cluster.cluster import Cluster, Task
from benchmarks.cluster.link import Link, LinkError, Message
from benchmarks.errors import ExitCode

_POLL_SECONDS = 0.2


class ClusterError(Exception):
    """Another process failed. The message names it and what is known; `exit_code` is what this process ends with."""

    def __init__(self, message: str, exit_code: int = ExitCode.FAILED) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class Control(threading.Thread):
    """One process's side of the control connections: a thread that reads, says `alive`, and notices who is lost.

    `fault` is the first that went wrong; `on_fault` is called once with it, in this thread.
    """

    def __init__(self, cluster: Cluster, timeout_seconds: float) -> None:
        super().__init__(name="control", daemon=True)
        self.cluster = cluster
        self.fault: ClusterError | None = None
        self.on_fault: Callable[[ClusterError], None] = lambda _: None
        self.began = time.monotonic()
        self.timeout_seconds = timeout_seconds
        self._changed = threading.Condition()
        self._selector = selectors.DefaultSelector()
        self._links: dict[Task, Link] = {}
        self._last_alive = 0.0
        self._finished = False
        self._closed = False

    @property
    def patience_seconds(self) -> float:
        """How long to wait for other processes at the start: all have to end within the timeout."""
        return 0.8 * self.timeout_seconds

    @property
    def silence_seconds(self) -> float:
        """How long a process may say nothing."""
        return 0.5 * self.timeout_seconds

    def check(self) -> None:
        """Raise ClusterError if something went wrong elsewhere."""
        if self.fault:
            raise self.fault

    def fail(self, fault: ClusterError) -> None:
        """Something went wrong elsewhere; the first to say so is heard."""
        with self._changed:
            if self.fault or self._finished:
                return
            self.fault = fault
            self._changed.notify_all()
        self.on_fault(fault)

    def wait_for(self, done: Callable[[], bool], check: Callable[[], None], seconds: float | None = None) -> bool:
        """Wait until `done`, at most `seconds`; whether it is. `check` is called meanwhile, and may raise.

        Raises ClusterError.
        """
        deadline = None if seconds is None else time.monotonic() + seconds
        while True:
            with self._changed:
                self.check()
                if done():
                    return True
                if deadline is not None and time.monotonic() > deadline:
                    return False
                self._changed.wait(_POLL_SECONDS)
            check()

    def run(self) -> None:
        """The thread: read, say `alive`, notice silence."""
        last_round = time.monotonic()
        while not self._closed:
            for key, _ in self._selector.select(_POLL_SECONDS):
                self._readable(key)
            self._say_alive()
            if time.monotonic() - last_round > max(1.0, self.silence_seconds / 2):
                self._forgive()
            self._notice_silence()
            last_round = time.monotonic()
        for key in list(self._selector.get_map().values()):
            key.fileobj.close()  # type: ignore[union-attr]  # sockets only
        self._selector.close()

    def close(self) -> None:
        """End the thread and all connections, in a process that goes on without them."""
        self._closed = True
        if self.is_alive():
            self.join()

    def _watch(self, link: Link, task: Task | None) -> None:
        self._selector.register(link.connection, selectors.EVENT_READ, (link, task))

    def _readable(self, key: selectors.SelectorKey) -> None:
        link, task = key.data
        try:
            messages = link.receive()
        except LinkError as error:
            self._drop(link)
            self._lost(task, f"it said something that is no message of this program ({error})")
            return
        if messages is None:
            self._drop(link)
            self._lost(task, f"it is gone: its connection ended {self._age()} after the start")
            return
        for message in messages:
            if message["type"] != "alive":
                self._heard(link, task, message)
        with self._changed:
            self._changed.notify_all()

    def _drop(self, link: Link) -> None:
        self._selector.unregister(link.connection)
        link.close()
        with self._changed:
            self._links = {task: other for task, other in self._links.items() if other is not link}
            self._changed.notify_all()

    def _say_alive(self) -> None:
        if time.monotonic() - self._last_alive > min(1.0, self.timeout_seconds / 10):
            self._last_alive = time.monotonic()
            self.broadcast({"type": "alive"})

    def _notice_silence(self) -> None:
        now = time.monotonic()
        for task, link in list(self._links.items()):
            silent = now - link.last_heard
            if silent > self.silence_seconds:
                self._drop(link)
                self._lost(task, f"it has been silent for {silent:.1f} s, though its connection stands: is it stopped?")

    def _forgive(self) -> None:
        """Start counting anew: this process itself was held up, and what it did not hear is nobody's silence."""
        for link in list(self._links.values()):
            link.last_heard = time.monotonic()

    def broadcast(self, message: Message) -> None:
        """Send `message` over every connection."""
        for link in list(self._links.values()):
            link.send(message)

    def _age(self) -> str:
        return f"{time.monotonic() - self.began:.1f} s"

    def _lost(self, task: Task | None, what: str) -> None:
        if task is not None:
            self.fail(ClusterError(f"{self.cluster.name(task)}: {what}"))

    @abstractmethod
    def _heard(self, link: Link, task: Task | None, message: Message) -> None:
        """Act on `message`; called in the thread."""


class DriverControl(Control):
    """The driver's side. `hellos` and `ready` are what the others have said, by task."""

    def __init__(self, cluster: Cluster, timeout_seconds: float, differences: Callable[[Message], list[str]]) -> None:
        """`differences` says how what a `hello` tells differs from what this process runs."""
        super().__init__(cluster, timeout_seconds)
        self.hellos: dict[Task, Message] = {}
        self.ready: dict[Task, Message] = {}
        self._differences = differences
        self._unlike: list[str] = []
        self._listener: socket.socket | None = None

    def gather(self, check: Callable[[], None]) -> None:
        """Wait until every process has said hello. Raises ClusterError, naming those that have not come.

        Raises OSError where this process cannot listen on its port.
        """
        address = self.cluster.address(self.cluster.task)
        self._listener = socket.create_server(("", int(address.rpartition(":")[2])), backlog=128)
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
                self._changed.wait(_POLL_SECONDS)

    def _readable(self, key: selectors.SelectorKey) -> None:
        if key.fileobj is self._listener and self._listener is not None:
            connection, _ = self._listener.accept()
            self._watch(Link(connection), None)
        else:
            super()._readable(key)

    def _heard(self, link: Link, task: Task | None, message: Message) -> None:
        if task is None:
            self._welcome(link, message)
        elif message["type"] == "ready":
            self.ready[task] = message
        elif message["type"] == "fault":
            self.fail(ClusterError(f"{self.cluster.name(task)}: {message.get('reason')}"))

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


class MemberControl(Control):
    """The side of every other process. `ended` is the driver's last message, once it has come."""

    def __init__(self, cluster: Cluster, timeout_seconds: float, hello: dict[str, Any]) -> None:
        super().__init__(cluster, timeout_seconds)
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
        host, _, port = self.cluster.address(self.cluster.driver).rpartition(":")
        while True:
            left = self.patience_seconds - (time.monotonic() - self.began)
            try:
                return socket.create_connection((host.strip("[]"), int(port)), timeout=max(0.1, min(2.0, left)))
            except OSError as error:
                check()
                if left <= 0:
                    raise ClusterError(
                        f"{self._driver}: never came up ({error.strerror or error}). This process waited {self._age()};"
                        " see the output there, or give a longer --cluster_timeout_secs."
                    ) from None
                time.sleep(_POLL_SECONDS)

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
