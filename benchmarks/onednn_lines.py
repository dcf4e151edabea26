"""What oneDNN tells of its primitives (ONEDNN_VERBOSE), kept apart from the lines of the run, and summed up."""

from __future__ import annotations

import os
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

_BEGIN = "onednn_verbose,"
_EXECUTED = "exec"
_MOST_ROWS = 12  # of the table; the record has all
OTHER = "other"


class Kind(NamedTuple):
    """Primitives of one kind and implementation, such as convolution (backward_data) by brg_conv_fwd:avx512_core."""

    primitive: str
    implementation: str
    number: int
    milliseconds: float


class Told(NamedTuple):
    """What was told: the `kinds` with most time first, and what oneDNN says of itself."""

    kinds: tuple[Kind, ...]
    library: tuple[str, ...]


class PrimitiveLines:
    """The lines that oneDNN prints on this process's stdout, from the construction on, in a file of their own.

    oneDNN writes to descriptor 1, each line at once. That of the run's own lines, which is returned by `own_stdout`,
    is a copy of it from before.
    """

    def __init__(self) -> None:
        self.own_stdout = os.dup(1)
        self._file = tempfile.TemporaryFile("w+b")  # noqa: SIM115  as long as the process prints
        os.dup2(self._file.fileno(), 1)
        self._parts: list[tuple[int, int]] = []

    @contextmanager
    def part(self) -> Iterator[None]:
        """Count what is told while entered."""
        begin = self._size()
        try:
            yield
        finally:
            self._parts.append((begin, self._size()))

    def told(self) -> Told:
        """What was told in the parts."""
        lines = []
        for begin, end in self._parts:
            lines += os.pread(self._file.fileno(), end - begin, begin).decode(errors="replace").splitlines()
        head = os.pread(self._file.fileno(), 65_536, 0).decode(errors="replace").splitlines()  # it begins with itself
        return Told(summed_up(lines), tuple(_library(head)))

    def _size(self) -> int:
        return os.fstat(self._file.fileno()).st_size


def summed_up(lines: Iterable[str]) -> tuple[Kind, ...]:
    """The primitives that `lines` tell of as executed, by kind and implementation, those with most time first.

    A line is, from version 3.3 on with two words more, "onednn_verbose,v1,primitive,exec,ENGINE,PRIMITIVE,
    IMPLEMENTATION,PROPAGATION,...,MILLISECONDS" (oneDNN's documentation, "Verbose Mode").
    """
    found: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
    for line in lines:
        words = line.split(",")
        if not line.startswith(_BEGIN) or _EXECUTED not in words[1:5]:
            continue
        rest = words[words.index(_EXECUTED) + 1 :]
        if len(rest) < 5 or (milliseconds := _number(rest[-1])) is None:
            continue
        _, primitive, implementation, propagation = rest[:4]
        kind = primitive if propagation in ("undef", "") else f"{primitive} ({propagation})"
        found[kind, implementation].append(milliseconds)
    kinds = [Kind(*names, len(times), sum(times)) for names, times in found.items()]
    return tuple(sorted(kinds, key=lambda kind: -kind.milliseconds))


def facts(told: Told, steps: int) -> dict[str, Any]:
    """The `onednn` section of a record, of a window of so many `steps`."""
    return {"library": list(told.library), "steps": steps, "primitives": [kind._asdict() for kind in told.kinds]}


def report(told: Told, steps: int) -> list[str]:
    """The table for people."""
    if not told.kinds:
        return ["oneDNN told of no primitive in the window."]
    total = sum(kind.milliseconds for kind in told.kinds)
    rows = list(told.kinds[:_MOST_ROWS])
    if rest := told.kinds[_MOST_ROWS:]:
        rows.append(Kind(OTHER, "", sum(kind.number for kind in rest), sum(kind.milliseconds for kind in rest)))
    by = "; ".join(told.library) or "version not known"
    first = max(len(kind.primitive) for kind in rows) + 2
    second = max(len(kind.implementation) for kind in rows) + 2
    lines = [
        f"oneDNN's primitives in the {steps} step(s) of the window ({by}):",
        f"  {'primitive':<{first}}{'implementation':<{second}}{'number':>9}{'total ms':>12}{'share':>8}",
    ]
    for kind in rows:
        share = kind.milliseconds / total if total else 0.0
        names = f"{kind.primitive:<{first}}{kind.implementation:<{second}}"
        lines.append(f"  {names}{kind.number:>9,}{kind.milliseconds:>12,.2f}{share:>8.1%}")
    return lines


def _library(lines: Iterable[str]) -> Iterator[str]:
    """What oneDNN says of itself at its start: version, runtime, instruction set."""
    for line in lines:
        words = line.split(",")
        if not line.startswith(_BEGIN) or "info" not in words[1:4]:
            continue
        rest = words[words.index("info") + 1 :]
        if rest[0].startswith("oneDNN"):
            yield rest[0].partition(" (")[0]
        elif rest[0] == "cpu":
            yield rest[1]  # behind it stand threads, those of whoever came first


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
