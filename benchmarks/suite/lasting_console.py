"""A console for work that goes on when nobody listens any more."""

from __future__ import annotations

import errno
import io
import os
import sys
from pathlib import Path
from typing import TextIO

from benchmarks.console import Console


class LastingConsole(Console):
    """Its readers may go, or their disk may be full: what they do not take is not told, and the work goes on.

    A log's `tee` that is killed must not end a night's runs, of which journal and records tell all.
    """

    def __init__(self, out: TextIO | None = None, err: TextIO | None = None) -> None:
        super().__init__(out or _heard(sys.stdout), err or _heard(sys.stderr))

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


def _heard(stream: TextIO | None) -> TextIO:
    """`stream`, which takes names in any script; one that was closed before the program began takes all and nothing."""
    if stream is None:
        return Path(os.devnull).open("w", encoding="utf-8")
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")
    return stream


def _unheard(error: OSError, stream: TextIO) -> None:
    """Where the reader has gone for good, let nothing wait for it: Python would complain at its end."""
    if error.errno != errno.ENOSPC:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
