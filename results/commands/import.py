"""`python -m results import`: logs and tables of other programs become records."""  # noqa: N999 # named as the command is; nothing imports it by an import statement

import argparse
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

from results.commands.table import report
from results.importers.folder import Outcome, import_all
from results.naming import counted
from results.store import FolderError
from results.texts import printable

_MOST_REASONS = 12  # printed of each kind; the rest is counted
_DESCRIPTION = """\
Import what other programs left of their runs: files, or folders and all that is below them. What a file is, its content
says: console output of tf_cnn_benchmarks (any version) and of run_benchmark.py, Horovod's synthetic benchmark, MLLOG
lines, AIME's pytorch-benchmarks, the CSV files of timm's benchmark.py, tables in the long format of results/reference.
A run that failed, or whose loss is not finite, becomes a record that is marked so. Importing twice adds nothing.
"""
_EXIT_CODES = """\
exit codes:
  0  every file was imported (or was there already); flagged runs are records too
  1  some files were refused: the reasons are in the summary
  2  nothing was imported: wrong usage, no such path, a folder that cannot be written, or every file was refused
"""


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command's arguments."""
    found = argparse.ArgumentParser(
        prog="python -m results import",
        description=_DESCRIPTION,
        epilog=_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    found.add_argument(
        "paths",
        metavar="PATH",
        type=Path,
        nargs="+",
        help="a log, a table, or a folder; in folders hidden files are passed over and links are not followed",
    )
    found.add_argument(
        "--results_dir", metavar="DIR", type=Path, default=Path("runs"), help="where to (default: %(default)s)"
    )
    found.add_argument(
        "--fields_from_path",
        metavar="REGEX",
        type=_pattern,
        help="settings that only the path tells, as named groups, for example '(?P<precision>fp16|fp32)-'; "
        "a file whose path does not match, or whose log says otherwise, is refused",
    )
    found.add_argument("--verbose", action="store_true", help="also say of each file what became of it")
    return found


def main(options: argparse.Namespace, stdout: TextIO, stderr: TextIO) -> int:
    """Run the command and return its exit code."""
    outcomes = []
    try:
        for outcome in import_all(options.paths, options.results_dir, options.fields_from_path):
            outcomes.append(outcome)
            if options.verbose:
                stdout.write(f"{printable(_line(outcome))}\n")
    except FolderError as error:
        report(str(error).splitlines(), stderr)
        return 2
    stdout.writelines(f"{line}\n" for line in _summary(outcomes, options.results_dir))
    refused = sum(bool(outcome.refused) for outcome in outcomes)
    if refused == len(outcomes):  # no file at all is nothing imported, too
        return 2
    return 1 if refused else 0


def _summary(outcomes: list[Outcome], results_dir: Path) -> Iterable[str]:
    records = [(outcome.path, flaw) for outcome in outcomes for _, flaw in outcome.written]
    flagged = [(path, flaw) for path, flaw in records if flaw]
    refused = [(outcome.path, outcome.refused) for outcome in outcomes if outcome.refused]
    there = sum(outcome.already_there for outcome in outcomes)
    yield (
        f"{counted(len(outcomes), 'file')}: {counted(len(records), 'new record')} in {printable(str(results_dir))} "
        f"({len(records) - len(flagged)} valid, {len(flagged)} flagged), {there} already there, "
        f"{counted(len(refused), 'file')} refused"
    )
    yield from _reasons("Flagged, kept as records that enter no comparison:", flagged)
    yield from _reasons("Refused:", refused)


def _reasons(heading: str, cases: list[tuple[Path, str]]) -> Iterable[str]:
    """Yield the reasons, the most frequent first; those that differ in numbers only are one."""
    if not cases:
        return
    yield heading
    kinds = [re.sub(r"\d+", "N", reason)[:80] for _, reason in cases]
    examples = dict(zip(reversed(kinds), reversed(cases), strict=True))
    common = Counter(kinds).most_common()
    for kind, times in common[:_MOST_REASONS]:
        path, reason = examples[kind]
        yield f"{times:7,}  {printable(reason)} ({'' if times == 1 else 'as in '}{printable(str(path))})"
    if len(common) > _MOST_REASONS:
        rest = sum(times for _, times in common[_MOST_REASONS:])
        yield f"{rest:7,}  for {len(common) - _MOST_REASONS} other reasons; --verbose names each"


def _line(outcome: Outcome) -> str:
    parts = [outcome.refused and f"refused: {outcome.refused}"]
    parts += [f"{record_id[:8]} {flaw or 'ok'}" for record_id, flaw in outcome.written]
    if outcome.already_there:
        parts.append(f"{outcome.already_there} already there")
    return f"{outcome.path}: {', '.join(filter(None, parts))}"


def _pattern(text: str) -> re.Pattern[str]:
    try:
        pattern = re.compile(text)
    except re.error as error:
        raise argparse.ArgumentTypeError(f"no regular expression: {error}") from None
    if not pattern.groupindex:
        raise argparse.ArgumentTypeError("it has no named group, such as (?P<precision>fp16|fp32)")
    return pattern
