"""`python -m benchmarks.launch --workers=2 --ps=1 -- FLAGS`: a cluster of processes on this machine, as one command.

The processes are run_benchmark.py with FLAGS and their roles, on free ports of 127.0.0.1. Each line of their output is
passed on with the role before it. Ctrl-C and SIGTERM go to the driver, which ends the others. What is left after that,
or after the first failure, is killed: with a --cluster_timeout_secs of 25 s or more, all is over within it. On Linux no
process outlives this one. The exit code is the worst of all.

With --data_service_workers there is no cluster, but one process and a tf.data service that makes its images.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import FrameType
from typing import TextIO

from benchmarks.children import start_python
from benchmarks.cluster.cluster import HOST_FLAGS, Cluster, Task
from benchmarks.errors import ExitCode
from benchmarks.launch_with_service import PROGRAM, run_with_service, service_flags
from benchmarks.params import CommandLineError, parse

_WORKERS = 2
# With the half of --cluster_timeout_secs that it takes to notice, 10 s fit into one of 25 s, in which all is over.
_END_SECONDS = 10.0  # for processes whose driver has ended: to see that, and leave
_TOLD_SECONDS = 10.0  # from a signal to end on: for the driver's step and record, and then for the others
# Of --cluster_timeout_secs: who fails has noticed within half of it, and those that can end then do, with a record.
_AFTER_FAILURE = 0.4
_POLL_SECONDS = 0.1
_COUNTED_BY = {"ps": "--ps=N", "worker": "--workers=N", "controller": "--controller"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with `arguments`; returns its exit code."""
    parser = _parser()
    options, unknown = parser.parse_known_args(arguments)
    if unknown:
        parser.error(f"{' '.join(unknown)}: flags of the run stand after --, as in --workers=2 -- {' '.join(unknown)}")
    if options.data_service_workers:
        return _run_with_service(parser, options)
    options.workers = options.workers or _WORKERS
    counts = {"controller": int(options.controller), "ps": options.ps, "worker": options.workers}
    with contextlib.ExitStack() as held:
        reserved = {job: [held.enter_context(_reserved_port()) for _ in range(count)] for job, count in counts.items()}
        hosts = {
            job: tuple(f"127.0.0.1:{port.getsockname()[1]}" for port in ports)
            for job, ports in reserved.items()
            if ports
        }
        cluster = Cluster(hosts, Task("worker", 0), "flags")
        try:
            command = parse([*options.flags, *_role(cluster, cluster.driver)])
        except CommandLineError as error:
            return _refuse(error.problems)
        if command.answer is not None:
            sys.stdout.write(f"{command.answer}\n")
            return ExitCode.VALID
        return _Processes(cluster, options.flags, command.params.cluster_timeout_secs).run()


def _run_with_service(parser: argparse.ArgumentParser, options: argparse.Namespace) -> int:
    """A run of one process, whose images a tf.data service makes."""
    if options.workers or options.ps or options.controller:
        parser.error("--data_service_workers is for a run of one process: leave --workers, --ps and --controller out")
    try:
        command = parse([*options.flags, *service_flags("127.0.0.1:1")])
    except CommandLineError as error:
        return _refuse(error.problems)
    if command.answer is not None:
        sys.stdout.write(f"{command.answer}\n")
        return ExitCode.VALID
    return run_with_service(options.flags, options.data_service_workers)


def _role(cluster: Cluster, task: Task) -> list[str]:
    """The flags that make a process `task` of `cluster`."""
    hosts = [f"--{HOST_FLAGS[job]}={','.join(addresses)}" for job, addresses in cluster.hosts.items()]
    return [*hosts, f"--job_name={task.job}", f"--task_index={task.index}", "--cluster_resolver=flags"]


def _refuse(problems: Sequence[str]) -> int:
    """Say what is wrong with the flags, once for all processes; returns the exit code."""
    for problem in problems:
        sys.stderr.write(f"benchmarks.launch: error: {_as_own(problem)}\n")
    if any(flag in problem for flag in HOST_FLAGS.values() for problem in map(_as_own, problems)):
        sys.stderr.write(
            "benchmarks.launch: the flags that name hosts are its own: say how many processes there are by --workers, "
            "--ps and --controller, before the --.\n"
        )
    return ExitCode.UNUSABLE


def _as_own(problem: str) -> str:
    """`problem` with the way out that this command has: it counts processes where a run names hosts."""
    for job, flag in HOST_FLAGS.items():
        problem = problem.replace(f"add --{flag}=host:port.", f"add {_COUNTED_BY[job]}, before the --.")
    return problem


@dataclass
class _Processes:
    """The processes of `cluster`, all with the same `flags`."""

    cluster: Cluster
    flags: Sequence[str]
    timeout_seconds: float  # --cluster_timeout_secs
    _running: dict[Task, subprocess.Popen[str]] = field(default_factory=dict)
    _codes: dict[Task, int] = field(default_factory=dict)
    _began: float = field(default_factory=time.monotonic)
    _kill_at: float = float("inf")
    _signal: int | None = None
    _relays: list[threading.Thread] = field(default_factory=list)

    def run(self) -> int:
        """Start them, wait for them, kill what is left; returns the worst exit code."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._receive)
        try:
            for task in self.cluster.tasks:
                self._start(task)
            for task, process in self._running.items():
                self._relay_output(task, process)
            while self._running:
                self._pass_signal_on()
                self._reap()
                if time.monotonic() > self._kill_at:
                    self._kill()
                time.sleep(_POLL_SECONDS)
        finally:
            self._kill()
        for relay in self._relays:
            relay.join(timeout=_END_SECONDS)
        return max(self._codes.values())

    def _start(self, task: Task) -> None:
        self._running[task] = start_python(
            [str(PROGRAM), *self.flags, *_role(self.cluster, task)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            errors="replace",
        )

    def _relay_output(self, task: Task, process: subprocess.Popen[str]) -> None:
        for source, target in ((process.stdout, sys.stdout), (process.stderr, sys.stderr)):
            assert source is not None
            relay = threading.Thread(target=_relay, args=(f"[{task.job} {task.index}] ", source, target), daemon=True)
            relay.start()
            self._relays.append(relay)

    def _receive(self, number: int, _: FrameType | None) -> None:
        self._signal = number

    def _pass_signal_on(self) -> None:
        if self._signal is None:
            return
        # The driver knows best how to end the others; without it they are told one by one.
        told = [self.cluster.driver] if self.cluster.driver in self._running else list(self._running)
        for task in told:
            self._running[task].send_signal(self._signal)
        self._signal = None
        self._kill_within(_TOLD_SECONDS)

    def _reap(self) -> None:
        for task, process in list(self._running.items()):
            code = process.poll()
            if code is None:
                continue
            del self._running[task]
            self._codes[task] = _exit_code(code)
            if task == self.cluster.driver:
                self._kill_within(_END_SECONDS)
            elif code:
                # Until all have come up nobody hears of those that end, and the others wait for them.
                coming_up = self._began + self.timeout_seconds - time.monotonic()
                self._kill_within(max(coming_up, _END_SECONDS, _AFTER_FAILURE * self.timeout_seconds))

    def _kill_within(self, seconds: float) -> None:
        self._kill_at = min(self._kill_at, time.monotonic() + seconds)

    def _kill(self) -> None:
        for task, process in self._running.items():
            sys.stderr.write(f"benchmarks.launch: killing {task.job} {task.index}, which does not end\n")
            process.kill()
            self._codes[task] = _exit_code(process.wait())
        self._running.clear()


def _exit_code(code: int) -> int:
    """`code` of a process as shells number it."""
    return code if code >= 0 else 128 - code


_one_line_at_a_time = threading.Lock()


def _relay(prefix: str, source: TextIO, target: TextIO) -> None:
    """Pass lines on, each whole and with `prefix`. Where nobody reads them any more, the processes still go on."""
    for line in source:
        with _one_line_at_a_time, contextlib.suppress(BrokenPipeError):
            target.write(prefix + line.rstrip("\n") + "\n")
            target.flush()


def _reserved_port() -> socket.socket:
    """A free port that nobody but who sets SO_REUSEADDR, as TensorFlow's server does, can take from now on.

    Linux gives no such port to connections or to others who ask for a free one.
    """
    held = socket.socket()
    held.bind(("", 0))
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return held


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.launch",
        description="Run a cluster of run_benchmark.py processes on this machine.",
        usage="%(prog)s [--workers=N] [--ps=N] [--controller] -- FLAGS OF run_benchmark.py\n"
        "       %(prog)s --data_service_workers=N -- FLAGS OF run_benchmark.py",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--workers", type=_from(1), metavar="N", help=f"processes that compute towers (default {_WORKERS})"
    )
    parser.add_argument("--ps", type=_from(0), default=0, metavar="N", help="parameter servers")
    parser.add_argument("--controller", action="store_true", help="a controller, for distributed_all_reduce")
    parser.add_argument(
        "--data_service_workers",
        type=_from(1),
        metavar="N",
        help="in place of a cluster, one process and a tf.data service with so many workers, which makes its images "
        "(--input_method=service) and ends with it",
    )
    parser.add_argument("flags", nargs="*", metavar="FLAGS", help="flags of run_benchmark.py, after --")
    return parser


def _from(least: int) -> Callable[[str], int]:
    def count(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {least} on")
        return int(text)

    return count


if __name__ == "__main__":
    os.environ.pop("TF_CONFIG", None)
    sys.exit(main())
