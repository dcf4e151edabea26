"""Ctrl-C and SIGTERM end a run where it is safe to end it."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Callable, Iterator
from types import FrameType, TracebackType

from benchmarks.errors import ExitCode

_POLL_SECONDS = 0.05


class Terminated(BaseException):
    """Somebody asked the process to end (SIGTERM)."""


def listen(heard: Callable[[int, FrameType | None], object]) -> None:
    """Have SIGINT and SIGTERM handled by `heard`, for good.

    Where SIGINT was ignored from the start, as in a script's background jobs, it stays so.
    """
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, heard)
    signal.signal(signal.SIGTERM, heard)


@contextlib.contextmanager
def listening(heard: Callable[[int, FrameType | None], object]) -> Iterator[None]:
    """The same, until the exit: then they are handled as before."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    listen(heard)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def end_without_a_word() -> None:
    """Let Ctrl-C just end the process, as long as it imports what it needs: there is nothing to tell yet."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def interrupt() -> None:
    """Let Ctrl-C raise KeyboardInterrupt again, after `end_without_a_word`."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)


class Signals:
    """While entered, a first SIGINT or SIGTERM waits for `check`, a second one raises at once.

    An exception in the middle of TensorFlow's graph building can crash the process, and its record with it. From the
    exit on both are ignored: the record is still to be written.
    """

    def __init__(self) -> None:
        self._received: int | None = None

    def __enter__(self) -> Signals:
        listen(self._receive)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)

    @property
    def exit_code(self) -> ExitCode | None:
        """What a process that was told to end ends with; None where it was not told."""
        codes = {signal.SIGINT: ExitCode.INTERRUPTED, signal.SIGTERM: ExitCode.TERMINATED}
        return None if self._received is None else codes[signal.Signals(self._received)]

    def check(self) -> None:
        """Raise KeyboardInterrupt or Terminated if one has come."""
        if self._received == signal.SIGINT:
            raise KeyboardInterrupt
        if self._received == signal.SIGTERM:
            raise Terminated

    def wait(self, seconds: float) -> None:
        """Raise as `check` does if one has come, or comes within so many `seconds`."""
        deadline = time.monotonic() + seconds
        self.check()
        while time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
            self.check()

    def _receive(self, number: int, _: FrameType | None) -> None:
        self.check()
        self._received = number
