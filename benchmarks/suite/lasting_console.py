"""A console for work that goes on when nobody listens any more."""

from __future__ import annotations

import errno
import os
from typing import TextIO

from benchmarks.console import Console


class LastingConsole(Console):
    """Its readers may go, or their disk may be full: what they do not take is not told, and the work goes on.

    A log's `tee` that is killed must not end a night's runs, of which journal and records tell all.
    """

    def line(self, text: str) -> None:
        """A line on stdout."""
        try:
            super().line(text)
        except OSError as error:
            _unheard(error, self._out)

    def notice(self, text: str) -> None:
        """A line for people, on stderr."""
        try:
            super().notice(text)
        except OSError as error:
            _unheard(error, self._err)

    def progress(self, text: str) -> None:
        """Progress in place, where a person can see it."""
        try:
            super().progress(text)
        except OSError as error:
            _unheard(error, self._err)


def _unheard(error: OSError, stream: TextIO) -> None:
    """Where the reader has gone for good, let nothing wait for it: Python would complain at its end."""
    if error.errno != errno.ENOSPC:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
