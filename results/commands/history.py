"""`python -m results history`: each configuration over time: where its level changed, and what changed there."""

import argparse
from pathlib import Path
from typing import TextIO

from results.commands import arguments
from results.commands.table import report
from results.digests import select_digests
from results.history.series import FACTS, SEPARATE, Series, histories
from results.history.text import as_json, text
from results.store import FolderError

_EPILOG = """\
A run is one value, the figure of its steady part. A change point is a new level of at least 3 runs that the scatter
of the runs does not explain: PELT on the logarithms, with a penalty of 4 * scatter^2 * log(runs). A shift of three
times the scatter is found within 5 runs after it in 95 % of histories of 60 runs; of histories without any change at
most 5 % show one.

exit codes:
  0  every file was read
  1  the history was printed, but some files were left out: they are named on stderr with the reason
  2  nothing was printed: wrong usage, no such path, no record to use, or a plot that cannot be written
"""


def main(options: argparse.Namespace, stdout: TextIO, stderr: TextIO) -> int:
    """Run the command and return its exit code."""
    try:
        selected = select_digests(options.paths)
        found = histories(selected.digests, options.separate, options.include_invalid)
        report([*selected.left_out, *found.left_out], stderr)
        if not found.series:
            raise FolderError("No history: no record is valid and tells its speed and when it ran.")
        if options.plot:
            _plot(found.series, options.plot)
            report([f"Plot: {options.plot}"], stderr)
    except FolderError as error:
        report(str(error).splitlines(), stderr)
        return 2
    stdout.write(as_json(found.series) if options.format == "json" else text(found.series))
    return 1 if selected.left_out else 0


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command's arguments."""
    made = argparse.ArgumentParser(
        prog="python -m results history",
        description="Print how each configuration did over time, where its level changed, and what changed there.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    made.add_argument("paths", metavar="RUNS", type=Path, nargs="+", help="folders with records, or records")
    made.add_argument("--format", choices=("text", "json"), default="text", help="default: %(default)s")
    made.add_argument("--plot", metavar="FILE", type=Path, help="also draw them, as .png, .svg or .pdf")
    made.add_argument(
        "--separate",
        type=_facts,
        default=SEPARATE,
        metavar="FACT,...",
        help=f"histories of their own for each value of these facts: {', '.join(FACTS)} "
        f"(default: {','.join(SEPARATE)}: a machine each; --separate= joins all)",
    )
    made.add_argument("--include_invalid", action="store_true", help="take in records that are not valid")
    return made


def _facts(text: str) -> list[str]:
    facts = arguments.listed(text)
    for fact in facts:
        if fact not in FACTS:
            raise argparse.ArgumentTypeError(f"'{fact}' is none of {', '.join(FACTS)}")
    return facts


def _plot(series: list[Series], path: Path) -> None:
    from results import plots  # takes as long to import as all the rest
    from results.history.plot import figure

    plots.save(figure(series), path)
