"""`python -m results table`: the records of a folder as a table, and as a bar chart."""

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

import pandas as pd

from results.digests import select_digests
from results.store import FolderError
from results.table import table
from results.texts import printable

_EXIT_CODES = """\
exit codes:
  0  every file was read
  1  the table was printed, but some files were left out: they are named on stderr with the reason
  2  nothing was printed: wrong usage, no such path, no readable record, or a plot that cannot be written
"""


def main(options: argparse.Namespace, stdout: TextIO, stderr: TextIO) -> int:
    """Run the command and return its exit code."""
    try:
        selected = select_digests(options.paths)
        report(selected.left_out, stderr)
        found = selected.frame()
        if options.plot:
            _plot(found, options.plot)
            report([f"Plot: {options.plot}"], stderr)
    except FolderError as error:
        report(str(error).splitlines(), stderr)
        return 2
    stdout.write(_written(found, options.format))
    return 1 if selected.left_out else 0


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command's arguments."""
    found = argparse.ArgumentParser(
        prog="python -m results table",
        description="Print records, one row each, and optionally plot them.",
        epilog=_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    found.add_argument(
        "paths", metavar="RUNS", type=Path, nargs="+", help="folders that runs wrote their records into, or records"
    )
    found.add_argument(
        "--format", choices=("text", "csv", "json"), default="text", help="of the table (default: %(default)s)"
    )
    found.add_argument(
        "--plot", metavar="FILE", type=Path, help="also write a bar chart; .png, .svg or .pdf says in which format"
    )
    return found


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


def report(messages: Iterable[str], stderr: TextIO) -> None:
    """Write `messages` a line each; what records say may come from anywhere."""
    for message in messages:
        stderr.write(f"{printable(message)}\n")
