"""One control connection: JSON objects over TCP, one a line."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from typing import Any

Message = dict[str, Any]  # every one has a "type"

_SEND_SECONDS = 2.0  # a message is small: one that cannot be sent in this time goes to a process that is stuck
_LONGEST_LINE = 1 << 20


class LinkError(Exception):
    """What came over the connection is no message of this program."""


class Link:
    """A connection to another process. Any thread may send; one receives, when `connection` is readable."""

    def __init__(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.settimeout(_SEND_SECONDS)
        self.connection = connection
        self.last_heard = time.monotonic()
        self._lock = threading.Lock()
        self._received = b""

    def send(self, message: Message) -> None:
        """Send `message`, or nothing if the other end is gone: whoever receives will notice that."""
        line = json.dumps(message).encode() + b"\n"
        with self._lock, contextlib.suppress(OSError):
            self.connection.sendall(line)

    def receive(self) -> list[Message] | None:
        """The messages that have come since, perhaps none; None where the connection has ended. Raises LinkError."""
        try:
            data = self.connection.recv(1 << 16)
        except OSError:
            return None
        if not data:
            return None
        self.last_heard = time.monotonic()
        *lines, self._received = (self._received + data).split(b"\n")
        if len(self._received) > _LONGEST_LINE:
            raise LinkError("a line without an end")
        return [_decoded(line) for line in lines]

    def close(self) -> None:
        """End the connection."""
        with contextlib.suppress(OSError):
            self.connection.close()


def _decoded(line: bytes) -> Message:
    try:
        message = json.loads(line)
    except ValueError:
        raise LinkError(f"no JSON: {line[:40]!r}") from None
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise LinkError(f"no message: {line[:40]!r}")
    return message
