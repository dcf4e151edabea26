"""What the processes of a cluster tell each other beside TensorFlow: who they are, that they live, and how it ended.

Every process but the driver holds one TCP connection to the driver. No port is needed beside those of the cluster: at
first the driver itself listens on its port of the cluster, and every other process, which knows that port from its
flags, connects to it and stays connected. When all have come the driver closes the listening socket, and TensorFlow's
server takes the port over; connections that were accepted before are not touched by that.

Over a connection go, in this order: `hello` with what the process is and runs, and the answer `welcome`; `assembled`
once all are there; `ready` from each process when TensorFlow is up; `go` where every process runs the step itself;
`end` with the figure and the exit code. From `hello` on both sides say `alive`, and how far they have come. A
connection that ends, or is silent for half of --cluster_timeout_secs, is a fault, and so is a process that lives and
does not get on (benchmarks/cluster/progress.py): the driver tells the others, and everyone ends.
"""

from __future__ import annotations

import selectors
import threading
import time
from abc import abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from benchmarks.cluster.cluster import Cluster, Task
from benchmarks.cluster.link import Link, LinkError, Message
from benchmarks.cluster.progress import Progress
from benchmarks.errors import ExitCode

POLL_SECONDS = 0.2


class ClusterError(Exception):
    """Another process failed. The message names it and what is known; `exit_code` is what this process ends with."""

    def __init__(self, message: str, exit_code: int = ExitCode.FAILED) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class Control(threading.Thread):
    """One process's side of the control connections: a thread that reads, says `alive`, and notices who is lost.

    `fault` is the first that went wrong; `on_fault` is called once with it, in this thread. `progress` is how far this
    process's main thread has come.
    """

    def __init__(self, cluster: Cluster, timeout_seconds: float, setup_seconds: float) -> None:
        """`setup_seconds` is how long a stage before the end of the first step may take."""
        super().__init__(name="control", daemon=True)
        self.cluster = cluster
        self.progress = Progress(setup_seconds, timeout_seconds)
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
        with self.progress.waiting():
            while True:
                with self._changed:
                    self.check()
                    if done():
                        return True
                    if deadline is not None and time.monotonic() > deadline:
                        return False
                    self._changed.wait(POLL_SECONDS)
                check()

    @contextmanager
    def within(self, seconds: float, what: str) -> Iterator[None]:
        """Fail, with `what`, unless the body ends in time: it waits in TensorFlow, where no exception reaches it."""
        timer = threading.Timer(seconds, lambda: self.fail(ClusterError(f"{what} within {seconds:g} s")))
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def run(self) -> None:
        """The thread: read, say `alive`, notice silence."""
        try:
            self._rounds()
        except Exception as error:  # noqa: BLE001  who cannot hear the others must not go on
            self.fail(ClusterError(f"the control connections of this process broke: {error!r}"))

    def _rounds(self) -> None:
        last_round = time.monotonic()
        while not self._closed:
            for key, _ in self._selector.select(POLL_SECONDS):
                self._readable(key)
            self._say_alive()
            now = time.monotonic()  # one look for all: a hold-up after it shows in the next round
            if now - last_round > max(1.0, self.silence_seconds / 2):
                self._forgive()
            self._notice_silence(now)
            self._notice_standstill()
            last_round = now
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
            self.broadcast({"type": "alive", "mark": self.progress.mark})

    def _notice_silence(self, now: float) -> None:
        for task, link in list(self._links.items()):
            silent = now - link.last_heard
            if silent > self.silence_seconds:
                self._drop(link)
                self._lost(task, f"it has been silent for {silent:.1f} s, though its connection stands: is it stopped?")

    def _notice_standstill(self) -> None:
        """The driver's business: it alone hears how far all have come."""

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
