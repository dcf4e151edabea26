"""A file from elsewhere, as lines: whatever is in it, reading takes little memory and ends."""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

from results.files import open_regular

LONGEST_LINE = 64 * 1024  # bytes; the rest of a longer line is passed over
_LOOKED_AT = 8 * 1024  # bytes in which a NUL says that a file is no text, as git has it
_ERASE = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")  # what a terminal was told, for example to erase a progress line


class LogError(Exception):
    """A file that is not imported; the message is the reason, without the file's name."""


class Source:
    """One file. `follow`: whether `path` may be a symbolic link, as one that the user named."""

    def __init__(self, path: Path, *, follow: bool = True) -> None:
        self.path = path
        self.sha256 = ""  # of the content, once `lines` came to its end
        self._follow = follow

    def lines(self) -> Iterator[str]:
        """Yield every line, without the blanks at its end; raise LogError where it is unreadable or no text."""
        try:
            yield from self._lines()
        except OSError as error:
            raise LogError(error.strerror or str(error)) from error

    def _lines(self) -> Iterator[str]:
        digest = hashlib.sha256()
        with open_regular(self.path, follow=self._follow) as stream:
            if b"\0" in stream.read(_LOOKED_AT):
                raise LogError("not a text: it has NUL bytes")
            stream.seek(0)
            begins = True
            while piece := stream.readline(LONGEST_LINE):
                digest.update(piece)
                if begins:
                    yield _text(piece)
                begins = piece.endswith(b"\n")
        self.sha256 = digest.hexdigest()


def _text(line: bytes) -> str:
    """Return a line as it stood on the screen in the end: what follows the last carriage return."""
    text = line.decode("utf-8", errors="replace").rstrip()
    return _ERASE.sub("", text.rpartition("\r")[2]) if "\x1b" in text or "\r" in text else text
