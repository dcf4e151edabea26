"""The part that this process has in a cluster, from the first word to the others to its own end."""

from __future__ import annotations

import dataclasses
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from benchmarks.cluster.addresses import host_and_port
from benchmarks.cluster.cluster import Cluster, Task
from benchmarks.cluster.control import ClusterError, Control
from benchmarks.cluster.driver_control import DriverControl
from benchmarks.cluster.identity import differences, identity
from benchmarks.cluster.member_control import MemberControl
from benchmarks.cluster.roles import RESOLVERS
from benchmarks.cluster.watchdog import Watchdog
from benchmarks.console import Console
from benchmarks.draft import Draft
from benchmarks.ending import Ending, run_to_end
from benchmarks.errors import ExitCode
from benchmarks.params import CommandLine, Params
from benchmarks.signals import Signals
from benchmarks.tensorflow_lines import import_tensorflow
from results.record import RunRecord

_FAULT_SECONDS = 1.5  # how much later than TensorFlow the control connection may notice that a process is gone
# With these TensorFlow says that another process does not answer; which one it is, the control connection knows better,
# if only once that process has been silent for long enough.
_NO_ANSWER = ("UnavailableError", "AbortedError", "CancelledError", "DeadlineExceededError")


def with_roles(params: Params, cluster: Cluster) -> Params:
    """`params` with the roles of `cluster` as flags, wherever it is from, and what else follows from it."""
    hosts = {job: ",".join(addresses) for job, addresses in cluster.hosts.items()}
    return dataclasses.replace(
        params,
        job_name=cluster.task.job,
        task_index=cluster.task.index,
        ps_hosts=hosts.get("ps", ""),
        worker_hosts=hosts.get("worker", ""),
        controller_host=hosts.get("controller"),
        local_parameter_device=params.local_parameter_device or ("cpu" if "ps" in hosts else None),
    )


def past_proxies(cluster: Cluster, environment: Mapping[str, str]) -> dict[str, str]:
    """What to set so that gRPC reaches the cluster's hosts itself: a proxy for the web would not let it through."""
    hosts = {host_and_port(cluster.address(task))[0] for task in cluster.tasks}
    known = environment.get("no_grpc_proxy") or environment.get("no_proxy") or ""
    return {"no_grpc_proxy": ",".join([*filter(None, [known]), *sorted(hosts)])}


def join(
    command: CommandLine,
    cluster: Cluster,
    command_line: Sequence[str],
    console: Console,
    started: float,
    write: Callable[[RunRecord], object],
    known: Mapping[str, Any],
) -> Session:
    """The part that falls to this process; `write` stores a record, of which the sections in `known` are known."""
    part = Driver if cluster.drives else Peer if cluster.multi_client else Server
    return part(command, cluster, command_line, console, started, write, known)


class Session(ABC):
    """The part of this process in `cluster`.

    `started` is when the process did, by time.perf_counter; `write` stores a record, of which the sections in `known`
    are known.
    """

    control: Control

    def __init__(
        self,
        command: CommandLine,
        cluster: Cluster,
        command_line: Sequence[str],
        console: Console,
        started: float,
        write: Callable[[RunRecord], object],
        known: Mapping[str, Any],
    ) -> None:
        self.cluster = cluster
        self.params = command.params
        self.console = console
        self.started = started
        self.draft = Draft(command, command.params, command_line, sections=dict(known))
        self.identity = identity(command.params, cluster)
        self.draft.sections["cluster"] = {
            "driver": str(cluster.driver),
            "hosts": self.identity["hosts"],
            "source": cluster.source,
        }
        self.write = write
        self.signals = Signals()
        self.control = self.make_control()

    @abstractmethod
    def make_control(self) -> Control:
        """The own end of the connections to the others."""

    def run(self) -> Ending:
        """Play the part; see run_to_end."""
        if self.params.cluster_resolver not in RESOLVERS:  # those take their own time
            self.control.began -= time.perf_counter() - self.started
        grace_seconds = min(2.0, self.params.cluster_timeout_secs / 5)
        self.watchdog = Watchdog(grace_seconds, self.last_words, lambda: self.signals.exit_code)
        self.control.on_fault = self.watchdog.let_loose

        def story() -> None:
            with self.signals:
                try:
                    self.play(partial(_both, self.signals.check, self.control.check))
                except Exception:
                    # Who ends a whole cluster tells one process after another: to see the others go is no fault of
                    # theirs, and the signal for this one may be on its way still.
                    self.signals.wait(grace_seconds / 4)
                    raise

        ending = run_to_end(self.draft, story, self.explain)
        self.watchdog.hold_back()
        return ending._replace(exit_code=self.exit_code(ending))

    def exit_code(self, ending: Ending) -> ExitCode:
        """What this process ends with."""
        fault = self.control.fault
        return ExitCode(fault.exit_code) if fault and ending.record.status == "failed" else ending.exit_code

    @abstractmethod
    def play(self, check: Callable[[], None]) -> None:
        """Everything up to the last step. `check` raises where a signal has come or another process has failed."""

    @abstractmethod
    def finish(self, ending: Ending, exit_code: ExitCode) -> float | None:
        """Tell the others, or have heard from them, how the run ended; the figure to print, if there is one."""

    def last_words(self, fault: ClusterError) -> None:
        """Said where the main thread hangs and the process has to go."""
        self.console.notice(f"run_benchmark.py: failed: {fault}")

    def explain(self, error: Exception) -> str:
        """What to tell of `error`. Where another process is gone, that is behind whatever TensorFlow says."""
        if isinstance(error, ClusterError):
            return str(error)
        deadline = time.monotonic() + self._patience_with(error)
        while self.control.fault is None and time.monotonic() < deadline:
            time.sleep(0.05)
        if self.control.fault is not None:
            return f"{self.control.fault} ({type(error).__name__} ended this process's last step)"
        from benchmarks import failures

        message = failures.explain(error, self.draft.params)
        named = [self.cluster.name(task) for task in self.cluster.tasks if _names(error, task)]
        return f"{message}; TensorFlow's error names {', '.join(named)}" if named else message

    def _patience_with(self, error: Exception) -> float:
        """How long to wait for word of a fault elsewhere that may be behind `error`."""
        kinds = [kind.__name__ for kind in type(error).__mro__]
        if "OpError" not in kinds:
            return 0.0
        return self.control.silence_seconds + 1 if kinds[0] in _NO_ANSWER else _FAULT_SECONDS


class Driver(Session):
    """The process that knows the figures and leaves the record."""

    control: DriverControl

    def make_control(self) -> DriverControl:
        """Listen for all others."""
        params, differ = self.params, partial(differences, self.identity)
        return DriverControl(self.cluster, params.cluster_timeout_secs, params.setup_timeout_secs, differ)

    def play(self, check: Callable[[], None]) -> None:
        """Wait for the others, then train as on one machine."""
        self.control.gather(check)
        self.draft.sections["cluster"]["processes"] = self._processes()
        import_tensorflow()
        from benchmarks import runner
        from benchmarks.cluster.place import Peers, Servers

        place = (
            Peers(self.cluster, self.control)
            if self.cluster.multi_client
            else Servers(self.cluster, self.control, check)
        )
        runner.train(self.draft, self.console, check, self.started, place=place)
        self.control.progress.stage("writing the record")

    def finish(self, ending: Ending, exit_code: ExitCode) -> float | None:
        """Tell the others how it ended."""
        record = ending.record
        figure = record.images_per_second if record.status == "completed" else None
        self.control.finish(exit_code, figure, f"the driver, {self.cluster.name(self.cluster.task)}: {record.message}")
        return figure

    def last_words(self, fault: ClusterError) -> None:
        """The record of what was measured, and the fault."""
        self.write(self.draft.record("failed", str(fault)))
        super().last_words(fault)

    def _processes(self) -> dict[str, dict[str, Any]]:
        """What each process runs; the flags are the same in all of them."""
        told: dict[Task, dict[str, Any]] = {self.cluster.driver: self.identity} | self.control.hellos
        shown = ("hostname", "tensorflow", "python", "commit", "source")
        return {str(task): {name: told[task].get(name) for name in shown} for task in self.cluster.tasks}


class Member(Session):
    """A process that is not the driver, and learns from it how the run ended."""

    control: MemberControl

    def make_control(self) -> MemberControl:
        """Call the driver."""
        params = self.params
        return MemberControl(self.cluster, params.cluster_timeout_secs, params.setup_timeout_secs, self.identity)

    def exit_code(self, ending: Ending) -> ExitCode:
        """That of the driver, where it got that far; but who was told to end by itself says so."""
        ended = self.control.ended
        if ended and ending.record.status != "interrupted":
            return ExitCode(ended["exit_code"])
        return super().exit_code(ending)

    def finish(self, ending: Ending, exit_code: ExitCode) -> float | None:
        """Say goodbye to the driver where it does not know yet, and give the figure that it told."""
        del exit_code
        if self.control.ended is None:
            if self.control.fault is None:
                self.control.say_fault(ending.record.message)
            return None
        figure = self.control.ended.get("images_per_second")
        return float(figure) if figure is not None and self.cluster.task.job == "worker" else None


class Server(Member):
    """Computes for the driver, or keeps variables for it, and waits."""

    def play(self, check: Callable[[], None]) -> None:
        """Let TensorFlow serve until the driver says how it ended."""
        task = self.cluster.task
        self.console.line(f"{'Running parameter server' if task.job == 'ps' else 'Starting worker'} {task.index}")
        self.control.join_in(check)
        import_tensorflow()
        from benchmarks.cluster import runtime

        runtime.serve(self.params, self.cluster)
        self.control.say_ready()
        self.control.wait_for_end(check)


class Peer(Member):
    """Trains together with the driver, each on towers of its own."""

    def play(self, check: Callable[[], None]) -> None:
        """Train, and hear from the driver how it ended."""
        self.control.join_in(check)
        import_tensorflow()
        from benchmarks import runner
        from benchmarks.cluster.place import Peers

        place = Peers(self.cluster, self.control)
        runner.train(self.draft, self.console, check, self.started, place=place)
        self.control.wait_for_end(check)

    def finish(self, ending: Ending, exit_code: ExitCode) -> float | None:
        """As every member; where the driver is lost, what was measured is known here too."""
        if self._leaves_record():
            self.write(ending.record)
        return super().finish(ending, exit_code)

    def last_words(self, fault: ClusterError) -> None:
        """The record in place of a driver that is lost, and the fault."""
        if self._leaves_record():
            self.write(self.draft.record("failed", str(fault)))
        super().last_words(fault)

    def _leaves_record(self) -> bool:
        """Whether the record falls to this process: the driver went silent in the middle, and this one is the next."""
        lost = self.control.fault is not None and self.control.ended is None
        return lost and self.draft.recording is not None and self.cluster.task == self.cluster.others[0]


def _both(*checks: Callable[[], None]) -> None:
    for check in checks:
        check()


def _names(error: Exception, task: Task) -> bool:
    return f"/job:{task.job}/replica:0/task:{task.index}" in str(error)
