"""`python -m results export`: records in the formats of other tools."""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TextIO

from results.checks import WRONG
from results.commands.table import report
from results.exports import mllog, perfzero, services, tables
from results.files import write_whole
from results.naming import counted
from results.record import RunRecord
from results.selection import select
from results.store import FolderError
from results.suites import records_set_aside, told

FORMATS: dict[str, Callable[[Sequence[RunRecord]], bytes]] = {
    "csv": tables.csv,
    "parquet": tables.parquet,
    "bmf": services.bencher,
    "github-action-benchmark": services.github_action_benchmark,
    "perfzero": perfzero.perfzero,
    "mllog": mllog.mllog,
}
BINARY = ("parquet",)
_EPILOG = """\
formats:
  csv, parquet             a row a record, with every column; parquet needs the package pyarrow
  bmf                      Bencher Metric Format, for bencher run --adapter json
  github-action-benchmark  its JSON, for tool: customBiggerIsBetter
  perfzero                 PerfZero's summary, a JSON object a record and line
  mllog                    lines of MLPerf's logging
Where a format has one value per benchmark (bmf, github-action-benchmark) it is the geometric mean over the runs of a
configuration on one machine, with the 95 % interval over the runs.

exit codes:
  0  every file was read
  1  written, but some files were left out: they are named on stderr with the reason
  2  nothing was written: wrong usage, no such path, no valid record, or a file that cannot be written
"""


def main(options: argparse.Namespace, stdout: TextIO, stderr: TextIO) -> int:
    """Run the command and return its exit code."""
    try:
        records, left_out = select(options.paths)
        report(left_out, stderr)
        aside = records_set_aside(records)
        report(told(aside), stderr)
        comparable = [record for record in records if record.record_id not in aside]
        usable = [record for record in comparable if record.valid or options.include_invalid]
        if len(usable) < len(comparable):
            count = len(comparable) - len(usable)
            words = "1 record that is" if count == 1 else f"{count} records that are"
            report([f"Left out: {words} not valid. --include_invalid takes them in."], stderr)
        if wrong := sum(bool(record.wrong) for record in usable):
            report([f"{WRONG}: {counted(wrong, 'record')} among them, of a run that computed something wrong."], stderr)
        if not usable:
            raise FolderError("Nothing to export: no record is valid. --include_invalid takes the others in.")
        _write(FORMATS[options.format](usable), options, stdout)
        if options.out:
            report([f"Export: {options.out} ({options.format}, of {counted(len(usable), 'record')})"], stderr)
    except FolderError as error:
        report(str(error).splitlines(), stderr)
        return 2
    return 1 if left_out else 0


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command's arguments."""
    made = argparse.ArgumentParser(
        prog="python -m results export",
        description="Write records in the format of another tool.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    made.add_argument("paths", metavar="RUNS", type=Path, nargs="+", help="folders with records, or records")
    made.add_argument("--format", choices=FORMATS, required=True, help="see below")
    made.add_argument("--out", metavar="FILE", type=Path, help="where to; by default it is printed (not parquet)")
    made.add_argument("--include_invalid", action="store_true", help="take in records that are not valid")
    return made


def _write(data: bytes, options: argparse.Namespace, stdout: TextIO) -> None:
    if options.out is None:
        if options.format in BINARY:
            raise FolderError(f"--format={options.format} is no text to print. Give a file with --out.")
        stdout.write(data.decode())
        return
    try:
        write_whole(options.out, data)
    except OSError as error:
        raise FolderError(
            f"Cannot write '{options.out}': {error.strerror or error}. Give another with --out."
        ) from error
