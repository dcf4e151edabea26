"""Ends the process where its main thread cannot: a step that hangs in TensorFlow does not come back to Python."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable

from benchmarks.cluster.control import ClusterError

_ENDING_SECONDS = 5.0  # to write a record and say the last words


def leave(exit_code: int) -> None:
    """End the process at once: TensorFlow's server cannot be shut down, and what it logs would follow the last line."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(exit_code)


class Watchdog:
    """After a fault the main thread has `grace_seconds` to end the run; then `last_words` are said, and it is ended."""

    def __init__(
        self,
        grace_seconds: float,
        last_words: Callable[[ClusterError], None],
        told: Callable[[], int | None] = lambda: None,
        end: Callable[[int], None] = leave,
    ) -> None:
        """`told` is the exit code of a process that was told to end by itself; None where it was not."""
        self._grace_seconds = grace_seconds
        self._last_words = last_words
        self._told = told
        self._end_process = end
        self._lock = threading.Lock()
        self._main_ends = False

    def let_loose(self, fault: ClusterError) -> None:
        """Something went wrong: the time of grace begins."""
        threading.Thread(target=self._end, args=(fault,), name="watchdog", daemon=True).start()

    def hold_back(self) -> None:
        """Called by the main thread when it ends the run itself. Does not return if the watchdog is at it already."""
        if not self._lock.acquire(timeout=_ENDING_SECONDS):
            threading.Event().wait()  # the process is about to go
        self._main_ends = True
        self._lock.release()

    def _end(self, fault: ClusterError) -> None:
        threading.Event().wait(self._grace_seconds)
        self._lock.acquire()
        if self._main_ends:
            self._lock.release()
            threading.Event().wait(_ENDING_SECONDS)
        else:
            self._last_words(fault)
        told = self._told()
        self._end_process(fault.exit_code if told is None else told)
