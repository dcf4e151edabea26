"""The command `python -m results`: the records of a folder as a table, and as a bar chart."""

import argparse
import sys
from pathlib import Path
from typing import TextIO

import pandas as pd

from results.frame import frame
from results.record import RecordError
from results.store import FolderError, load
from results.table import printable, table

_EXIT_CODES = """\
exit codes:
  0  every file was read
  1  the table was printed, but some *.json files are no readable records; they are named on stderr
  2  nothing was printed: wrong usage, no such folder, no readable record in it, or a plot that cannot be written
"""


def main(arguments: list[str] | None = None, stdout: TextIO = sys.stdout, stderr: TextIO = sys.stderr) -> int:
    """Run the command and return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        records, unreadable = load(options.folder)
        _report_unreadable(unreadable, stderr)
        if not records:
            raise FolderError(f"No readable record in '{options.folder}'. Is it the --results_dir of a run?")
        found = frame(records)
        if options.plot:
            _plot(found, options.plot)
    except FolderError as error:
        stderr.write(f"{error}\n")
        return 2
    stdout.write(_written(found, options.format))
    return 1 if unreadable else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m results",
        description="Print the records of a folder, one row each, and optionally plot them.",
        epilog=_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("folder", metavar="RUNS_DIR", type=Path, help="the folder that runs wrote their records into")
    parser.add_argument(
        "--format", choices=("text", "csv", "json"), default="text", help="of the table (default: %(default)s)"
    )
    parser.add_argument(
        "--plot", metavar="FILE", type=Path, help="also write a bar chart; .png, .svg or .pdf says in which format"
    )
    return parser


def _written(found: pd.DataFrame, form: str) -> str:
    if form == "csv":
        return found.to_csv(index=False, lineterminator="\n")
    if form == "json":
        rows = found.to_json(orient="records", date_format="iso", date_unit="us", double_precision=15, indent=1)
        return f"{rows}\n"
    return table(found)


def _plot(found: pd.DataFrame, path: Path) -> None:
    from results import plots  # takes as long to import as all the rest

    plots.save(plots.bar_chart(found), path)


def _report_unreadable(unreadable: list[RecordError], stderr: TextIO) -> None:
    for error in unreadable:
        stderr.write(f"Not a readable record: {printable(str(error))}\n")


if __name__ == "__main__":
    sys.exit(main())
