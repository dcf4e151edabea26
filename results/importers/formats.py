"""The formats that are understood, and which of them a file has: its content says so, never its name."""

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from results.importers import aime, console, horovod, mllog, tables
from results.importers.run import Run
from results.importers.source import LogError

OWN_RECORD = re.compile(r'\s*(?:\{\s*)?"schema_version": \d')


class Format(NamedTuple):
    """One format: a line that only it has (its first, if it is a table), and how to read the runs out of all lines."""

    name: str
    signature: re.Pattern[str]
    read: Callable[[Iterable[str]], list[Run]]
    table: bool = False


FORMATS = (
    Format("console output of tf_cnn_benchmarks or run_benchmark.py", console.SIGNATURE, console.read),
    Format("Horovod synthetic benchmark", horovod.SIGNATURE, horovod.read),
    Format("MLLOG lines", mllog.SIGNATURE, mllog.read),
    Format("AIME pytorch-benchmarks", aime.SIGNATURE, aime.read),
    Format("table in the long format of results/reference", tables.LONG_FORMAT, tables.read_long_format, table=True),
    Format("CSV of timm's benchmark.py", tables.TIMM, tables.read_timm, table=True),
)


# A line that none of them has is the common case; this one search says so.
_ANY = re.compile(
    "|".join(f"(?:{form.signature.pattern})" for form in FORMATS if not form.table) + "|" + OWN_RECORD.pattern
)


def recognise(lines: Iterable[str]) -> Format:
    """Return the format of a file; raise LogError where it has none."""
    empty = True
    for line in lines:
        if not (empty or _ANY.match(line)):
            continue
        for form in FORMATS:
            if (empty or not form.table) and form.signature.match(line):
                return form
        if OWN_RECORD.match(line):
            raise LogError("a record already: there is nothing to import")
        empty = empty and not line.strip()
    if empty:
        raise LogError("empty")
    raise LogError("not recognised: no line of it is of a known format (--help names them)")
