"""`python -m results show`: one record explained on a screen."""

import argparse
import os
from pathlib import Path
from typing import TextIO

from results.commands.table import report
from results.digests import select_digests
from results.explanation import explain
from results.frame import COLUMNS, facts
from results.record import RecordError, RunRecord
from results.repeats import has_mean, identity
from results.store import FolderError, read, similar

_FIGURE = "steady_images_per_second"  # of a row: what runs are compared by

_EPILOG = """\
The interval is over the valid runs of the same configuration on the same accelerator that are in the record's folder:
one run by itself says nothing of the next.

exit codes:
  0  the record was explained, valid or not
  2  it cannot be read
"""


def main(options: argparse.Namespace, stdout: TextIO, stderr: TextIO) -> int:
    """Run the command and return its exit code."""
    try:
        record = read(options.record)
    except RecordError as error:
        report([f"Not a readable record: {error}. {_way_out(options.record)}"], stderr)
        return 2
    stdout.write(explain(record, _repeats(record, options.record)))
    return 0


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command's arguments."""
    made = argparse.ArgumentParser(
        prog="python -m results show",
        description="Explain one record: what ran, on what, its figure, whether it holds, and how to run it again.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    made.add_argument("record", metavar="RECORD", type=Path, help="a record, one JSON file")
    return made


def _way_out(path: Path) -> str:
    if os.path.isdir(path):  # noqa: PTH112  # which is no error of a name that is too long
        return "Give one of the records in it."
    return similar(path) or "Give a record: one of the JSON files in the --results_dir of runs, by default 'runs'."


def _repeats(record: RunRecord, path: Path) -> list[float]:
    """Return the values of the valid runs of the same configuration and accelerator in the record's folder."""
    try:
        digests = select_digests([path.absolute().parent]).digests
    except FolderError:  # a folder that cannot be listed
        digests = []
    own = facts(record)
    rows = [dict(zip(COLUMNS, digest.row, strict=True)) for digest in digests] or [own]
    return [row[_FIGURE] for row in rows if row["valid"] and has_mean(row[_FIGURE]) and identity(row) == identity(own)]
