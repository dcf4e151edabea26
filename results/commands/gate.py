"""`python -m results gate`: whether anything got slower, as an exit code for a nightly job."""

import argparse
from pathlib import Path
from typing import TextIO

from results.commands import arguments
from results.commands.table import report
from results.comparison.facts import admit, allowed_fields
from results.files import write_whole
from results.gate import writing
from results.gate.judgment import CANNOT_SAY, REGRESSED, Candidate, Judgment, Rules, gate
from results.gate.nights import nights, started
from results.markdown import escaped
from results.record import RunRecord
from results.selection import UNREADABLE
from results.store import FolderError
from results.suites import records_set_aside

_EPILOG = """\
A night is what ran with no pause of six hours in it, on one commit; a run counts as one value, a night as the geometric
mean of its runs. A benchmark is slower where its change is beyond the noise from night to night (one-sided t test; its
false alarms controlled over all benchmarks by Benjamini and Hochberg's procedure at 5 %; surer than any alarm that the
nights themselves would have raised), and is --threshold or more. With fewer than 3 nights the noise is that between
runs (Welch), two or more on each side. Benchmarks are compared on the same hardware only; what differs in software is
named.

exit codes:
  0  no regression
  1  regression: at least one benchmark is slower
  2  cannot say: wrong usage, nothing comparable, or a benchmark that is invalid, missing from the candidate, or too
     noisy to judge (--must_detect); --allow_partial passes these as long as something was judged
"""


def main(options: argparse.Namespace, stdout: TextIO, stderr: TextIO) -> int:
    """Run the command and return its exit code."""
    try:
        found = _judgment(options, stderr)
    except (FolderError, ValueError) as error:
        messages = str(error).splitlines()
        report(messages, stderr)
        _write(options.junit, writing.junit_of_error(messages), stderr)
        _write(options.markdown, f"### Gate: {escaped(' '.join(messages))}\n".encode(), stderr)
        return CANNOT_SAY
    stdout.write(writing.text(found))
    written = _write(options.junit, writing.junit(found), stderr)
    written &= _write(options.markdown, writing.markdown(found).encode(), stderr)
    return found.exit_code if written or found.exit_code == REGRESSED else CANNOT_SAY


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command's arguments."""
    found = argparse.ArgumentParser(
        prog="python -m results gate",
        description="Say by exit code whether the candidate is slower than the baseline.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add, rules = found.add_argument, Rules()
    add("--baseline", metavar="RUNS", type=arguments.runs, required=True, help=f"what to judge by: {arguments.RUNS}")
    add("--candidate", metavar="RUNS", type=arguments.runs,
        help="what to judge, in the same way; where it is not given, the last night of --baseline")  # fmt: skip
    add("--last", metavar="N", type=arguments.count,
        help="judge by the last N nights before the candidate with a valid comparable run; 20 is good")  # fmt: skip
    add("--threshold", metavar="SHARE", type=arguments.fraction, default=rules.threshold,
        help=f"the smallest slowdown that counts (default: {arguments.share(rules.threshold)})")  # fmt: skip
    add("--must_detect", metavar="SHARE", type=arguments.fraction, default=rules.must_detect,
        help=f"one too noisy to show this is not judged (default: {arguments.share(rules.must_detect)})")  # fmt: skip
    add("--allow_partial", action="store_true", help="pass where only a part of the benchmarks could be judged")
    add("--allow_different", metavar="FIELD[,FIELD]", type=arguments.listed, default=[],
        help="judge runs that differ in these; hardware stands for all fields of that kind")  # fmt: skip
    add("--junit", metavar="FILE", type=Path, help="also write JUnit XML")
    add("--markdown", metavar="FILE", type=Path, help="also write a summary in Markdown")
    return found


def _judgment(options: argparse.Namespace, stderr: TextIO) -> Judgment:
    before, candidate, unreadable = _sides(options, stderr)
    beginnings = [started(record) for record in candidate if record.started_at]
    if options.last and beginnings:
        before = [record for record in before if not record.started_at or started(record) < min(beginnings)]
    baseline, tonight = admit(before), admit(candidate)
    for side, left_out in (("baseline", baseline.left_out), ("candidate", tonight.left_out)):
        report((f"Left out of the {side}: {count} {reason}." for reason, count in left_out.items()), stderr)
    admitted = {run.record.record_id for run in tonight.runs}
    passed_over = admitted | records_set_aside(candidate).keys()
    rejected = [record for record in candidate if record.record_id not in passed_over]
    known = {field for run in (*baseline.runs, *tonight.runs) for field in run.facts}
    allowed = allowed_fields(options.allow_different, known)
    rules = Rules(options.threshold, options.must_detect, options.allow_partial)
    return gate(baseline.runs, Candidate(tonight.runs, rejected, unreadable), rules, allowed, options.last)


def _sides(options: argparse.Namespace, stderr: TextIO) -> tuple[list[RunRecord], list[RunRecord], list[str]]:
    """Return the records of the baseline without the candidate's, the candidate's, and what of it is unreadable."""
    chosen = arguments.selected(options.baseline)
    report(chosen.left_out, stderr)
    unreadable: list[str] = []
    if options.candidate:
        candidate, left_out = arguments.selected(options.candidate)
        unreadable = [message for message in left_out if message.startswith(UNREADABLE)]
        report((message for message in left_out if message not in chosen.left_out), stderr)
    else:
        candidate = (nights([record for record in chosen.records if not record.trial]) or [[]])[-1]
    own = {record.record_id for record in candidate}
    return [record for record in chosen.records if record.record_id not in own], candidate, unreadable


def _write(path: Path | None, data: bytes, stderr: TextIO) -> bool:
    """Write a file that was asked for; say so, and return False, where it cannot be written."""
    if path is None:
        return True
    try:
        write_whole(path, data)
    except OSError as error:
        report([f"Cannot write '{path}': {error.strerror}."], stderr)
        return False
    return True
