"""`python -m results compare`: whether B is faster than A, by how much, and how sure that is."""

import argparse
from typing import TextIO

from results.commands import arguments
from results.commands.choices import choices, configurations
from results.commands.table import report
from results.comparison import writing
from results.comparison.comparison import THRESHOLD, Comparison, compare
from results.comparison.facts import COMPUTED_WRONG, DOUBTFUL, Admitted, admit, allowed_fields
from results.selection import Selection
from results.store import FolderError
from results.texts import printable

_WRITERS = {"text": writing.text, "markdown": writing.markdown, "csv": writing.as_csv, "json": writing.as_json}
_EPILOG = """\
Runs are matched where all their flags and conditions (GPU, CPU, memory, TensorFlow, driver, commit, ...) that are known
are the same; a run counts as one value. "faster" and "slower" need a 95 % interval (Welch's, on logarithms) that
excludes 1, a p value that stays below 0.05 when adjusted for all comparisons, and a ratio of --threshold or more.

exit codes:
  0  everything that both sides have was compared
  1  some was compared; the rest, refused or unreadable, is named on stderr with the reason
  2  nothing was compared: wrong usage, no such path, no readable or valid record, or only unlike ones
"""


class NothingToCompareError(Exception):
    """Why there is nothing to compare."""


def main(options: argparse.Namespace, stdout: TextIO, stderr: TextIO) -> int:
    """Run the command and return its exit code."""
    try:
        sides = [arguments.selected(options.a), arguments.selected(options.b)]
        found = _compared(sides, options, stderr)
    except (FolderError, ValueError, NothingToCompareError) as error:
        report(str(error).splitlines(), stderr)
        return 2
    if options.format == "text":
        stdout.write(f"A: {printable(options.a.text)}\nB: {printable(options.b.text)}\n\n")
    stdout.write(_WRITERS[options.format](found))
    incomplete = found.matching.refused or any(side.left_out for side in sides)
    return 1 if incomplete else 0


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command's arguments."""
    found = argparse.ArgumentParser(
        prog="python -m results compare",
        description="Compare the runs B with the runs A: ratio, interval, verdict.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    found.add_argument("a", metavar="A", type=arguments.runs, help=arguments.RUNS)
    found.add_argument("b", metavar="B", type=arguments.runs, help="the runs to compare with A, in the same way")
    found.add_argument(
        "--allow_different", metavar="FIELD[,FIELD]", type=arguments.listed, default=[],
        help="compare runs that differ in these; hardware and software stand for all fields of that kind",
    )  # fmt: skip
    found.add_argument(
        "--threshold", metavar="SHARE", type=arguments.fraction, default=THRESHOLD,
        help=f"the smallest difference that counts (default: {arguments.share(THRESHOLD)})",
    )  # fmt: skip
    found.add_argument("--include_invalid", action="store_true", help="compare runs that are not valid too")
    found.add_argument("--format", choices=tuple(_WRITERS), default="text", help="of the output (default: %(default)s)")
    return found


def _compared(sides: list[Selection], options: argparse.Namespace, stderr: TextIO) -> Comparison:
    for selection in sides:
        report(selection.left_out, stderr)
    twice = {record.record_id for record in sides[0].records} & {record.record_id for record in sides[1].records}
    if twice:
        told = f"{len(twice)} run(s) are in A and in B, {min(twice)} for one. Give each run on one side."
        both = [record for record in sides[0].records if record.record_id in twice]
        if len(configurations(both)) > 1:
            told = "\n".join([f"{told} These can be told apart:", *choices(both, options.a.place)])
        raise NothingToCompareError(told)
    admitted = [admit(side.records, options.include_invalid) for side in sides]
    for name, side in zip("AB", admitted, strict=True):
        report((f"Left out of {name}: {count} {_reason(reason)}." for reason, count in side.left_out.items()), stderr)
    _check(admitted)
    known = {field for side in admitted for run in side.runs for field in run.facts}
    allowed = allowed_fields(options.allow_different, known)
    found = compare(admitted[0].runs, admitted[1].runs, allowed, options.threshold)
    for refusal in found.matching.refused:
        report([str(refusal)], stderr)
    if not found.rows:
        raise NothingToCompareError("Nothing was compared.")
    return found


def _check(sides: list[Admitted]) -> None:
    empty = [name for name, side in zip("AB", sides, strict=True) if not side.runs]
    if empty:
        raise NothingToCompareError(f"Nothing to compare: no run of {' or '.join(empty)} is left.")


def _reason(reason: str) -> str:
    return f"{reason} (--include_invalid admits them)" if reason in (DOUBTFUL, COMPUTED_WRONG) else reason
