"""`python -m results show`: one record explained on a screen."""

import argparse
import os
from pathlib import Path
from typing import TextIO

from results.commands import arguments
from results.commands.choices import choices, configurations
from results.commands.table import report
from results.digests import select_digests
from results.explanation import explain
from results.frame import COLUMNS, facts
from results.record import RecordError, RunRecord
from results.repeats import has_mean, identity
from results.store import FolderError, read, similar

_FIGURE = "steady_images_per_second"  # of a row: what runs are compared by

_EPILOG = """\
The interval is over the valid runs of the same configuration on the same machine that are in the record's folder:
one run by itself says nothing of the next.

Of several records of one configuration, as a folder or a cell of a suite has, the last is explained.

exit codes:
  0  the record was explained, valid or not
  2  it cannot be read, or there are records of several configurations
"""


class _UnclearError(Exception):
    """Which record is meant is not clear, or there is none."""


def main(options: argparse.Namespace, stdout: TextIO, stderr: TextIO) -> int:
    """Run the command and return its exit code."""
    try:
        record = _meant(options.record, stderr)
    except (FolderError, _UnclearError) as error:
        report(str(error).splitlines(), stderr)
        return 2
    stdout.write(explain(record, _repeats(record, Path(record.file))))
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
    made.add_argument(
        "record", metavar="RECORD", type=arguments.runs,
        help="a record, one JSON file; or a folder, or DIR@WORD with a tag, a set, a suite or a cell, for the last one",
    )  # fmt: skip
    return made


def _meant(chosen: arguments.Runs, stderr: TextIO) -> RunRecord:
    """Return the record that is meant; of several of one configuration the last. Raise FolderError, _UnclearError."""
    if not chosen.word and not os.path.isdir(chosen.text):  # noqa: PTH112  # a name that is too long is no error of it
        path = Path(chosen.text)
        try:
            return read(path)
        except RecordError as error:
            raise _UnclearError(f"Not a readable record: {error}. {_way_out(path)}") from error
    records, left_out = arguments.selected(chosen)
    report(left_out, stderr)
    found = configurations(records)
    if len(found) > 1:
        told = (
            f"{chosen.text} has {len(records)} records of {len(found)} configurations, and one is explained. Give one:"
        )
        raise _UnclearError("\n".join([told, *choices(records, chosen.place)]))
    if len(records) > 1:
        report([f"NOTE: {chosen.text} has {len(records)} records; this is the last."], stderr)
    return found[0][-1]


def _way_out(path: Path) -> str:
    return similar(path) or "Give a record: one of the JSON files in the --results_dir of runs, by default 'runs'."


def _repeats(record: RunRecord, path: Path) -> list[float]:
    """Return the values of the valid runs of the same configuration and machine in the record's folder."""
    try:
        digests = select_digests([path.absolute().parent]).digests
    except FolderError:  # a folder that cannot be listed
        digests = []
    own = facts(record)
    rows = [dict(zip(COLUMNS, digest.row, strict=True)) for digest in digests] or [own]
    return [row[_FIGURE] for row in rows if row["valid"] and has_mean(row[_FIGURE]) and identity(row) == identity(own)]
