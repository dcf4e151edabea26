"""The command: which suite, where, and what of it; a plan that is printed, or run."""

from __future__ import annotations

import argparse
import random
import re
import uuid
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.console import Console
from benchmarks.errors import ExitCode, UserError
from benchmarks.fresh_process import PROGRAM
from benchmarks.suite import journal, resuming
from benchmarks.suite.attempts import History
from benchmarks.suite.cells import Cell, shard
from benchmarks.suite.estimate import Estimate, estimate
from benchmarks.suite.journal import Header, Journal
from benchmarks.suite.lasting_console import LastingConsole
from benchmarks.suite.order import FIRST, shuffled
from benchmarks.suite.plan import Plan, read_plan, shipped
from benchmarks.suite.plan_lines import plan_lines, told
from benchmarks.suite.session import Session
from benchmarks.suite.software import changes, software
from results import store
from results.commands.arguments import count, seconds
from results.record import utc_now

_DESCRIPTION = """\
Run a suite: many configurations of run_benchmark.py, each run in a process of its own with a record in --results_dir.
SUITE is a YAML file whose keys are the flags, or the name of one that is shipped (--list); without it --set makes one.
"""
_EPILOG = """\
Ctrl-C lets the run that goes on come to its record, and stops; twice stops now. --resume goes on, whatever ended it.

The exit code is the worst of its runs': 0 all completed, and what they computed is right; 1 one failed, or the suite
did not come to its end; 2 flags, the suite or the folder cannot be used; 3 a run computed something wrong; 130 and 143
it was interrupted (Ctrl-C, SIGTERM).
"""
_MAX_CELLS = 200


def main(arguments: Sequence[str] | None = None, program: Sequence[str] = (str(PROGRAM),)) -> int:
    """Run the command with `arguments`; `program` is what a run is, for Python. Returns the exit code."""
    options = parser().parse_args(arguments)
    console = LastingConsole()
    try:
        if options.list:
            console.answer("\n".join(f"{name:<10}{about_it}" for name, about_it in shipped().items()))
            return ExitCode.VALID
        return _run(options, console, program)
    except UserError as error:
        for problem in str(error).splitlines():
            console.notice(f"python -m benchmarks.suite: error: {problem}")
        return ExitCode.UNUSABLE
    except KeyboardInterrupt:
        console.notice("benchmarks.suite: interrupted before anything ran")
        return ExitCode.INTERRUPTED


def parser() -> argparse.ArgumentParser:
    """The parser of the command's arguments."""
    found = argparse.ArgumentParser(
        prog="python -m benchmarks.suite",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = found.add_argument
    add("suite", metavar="SUITE", nargs="?", help="a YAML file, or the name of a suite that is shipped")
    add("--list", action="store_true", help="name the suites that are shipped")
    add("--results_dir", metavar="DIR", type=Path, default=Path("runs"),
        help="folder for the records and the journal of this suite alone (default: runs)")  # fmt: skip
    add("--set", metavar="FLAG=VALUE[,VALUE]", action="append", default=[],
        help="in place of what the suite says of this flag; every combination of several values is a cell")  # fmt: skip
    add("--dry_run", action="store_true", help="print the plan and how long it takes, and end")
    add("--resume", action="store_true", help="go on with the suite that began in --results_dir")
    add("--max_cells", metavar="N", type=count, default=_MAX_CELLS,
        help=f"refuse a suite with more cells (default: {_MAX_CELLS})")  # fmt: skip
    add("--shard", metavar="I/N", type=_shard, default=(1, 1),
        help="run part I of N, from 1: the same cells on every machine, all in one of them")  # fmt: skip
    add("--budget", metavar="TIME", type=seconds,
        help="such as 30m: run each cell twice, then those whose interval is widest, in place of repeats; "
        "with --resume, what was spent before counts")  # fmt: skip
    add("--seed", metavar="N", type=int, help="of the random order of the runs; drawn, and recorded, if not given")
    return found


def _run(options: argparse.Namespace, console: Console, program: Sequence[str]) -> int:
    results_dir = options.results_dir.expanduser()
    if options.resume and options.seed is not None:
        raise UserError("--resume and --seed: the order was drawn when the suite began. Leave --seed out.")
    plan = None
    if options.suite or options.set or not options.resume:
        if not options.suite and not options.set:
            raise UserError("there is no suite. Give a YAML file, the name of one that is shipped (--list), or --set.")
        plan = read_plan(options.suite, options.set, options.max_cells)
        for notice in plan.notices:
            console.notice(f"NOTE: {notice}")
    if options.resume:
        header = resuming.resumed(results_dir, options.shard, plan)
        header = replace(header, budget=options.budget or header.budget)
        for change in changes(journal.read(results_dir / journal.file_name(header.shard)), software()):
            console.notice(f"NOTE: {change}")
    else:
        assert plan is not None, "it was read"
        header = _header(options, plan)
        if not options.dry_run:
            resuming.check_unused(results_dir, options.shard, plan)
    known = estimate(results_dir, header.cells)
    if options.dry_run:
        past = resuming.in_journal(results_dir, options.shard) if options.resume else History()
        for line in plan_lines(header, known, past):
            console.line(line)
        return ExitCode.VALID
    return _session(header, options.resume, results_dir, known, console, program)


def _session(
    header: Header, goes_on: bool, results_dir: Path, known: Estimate, console: Console, program: Sequence[str]
) -> ExitCode:
    try:
        store.check_folder(results_dir)
    except store.FolderError as error:
        raise UserError(str(error)) from error
    written = Journal(results_dir / journal.file_name(header.shard))
    try:
        if goes_on:
            written.append("resumed", at=utc_now(), software=software())
        elif written.entries:
            raise UserError(f"--results_dir={results_dir}: another process has just begun a suite there.")
        else:
            written.begin(header)
        past = resuming.history(written, results_dir) if goes_on else History()
    except OSError as error:
        raise UserError(f"{written.path}: cannot be written: {error.strerror}. Give another --results_dir.") from error
    for line in told(header, known, past):
        console.notice(line)
    try:
        return Session(header, written, past, results_dir, known, console, program).run()
    finally:
        written.close()


def _header(options: argparse.Namespace, plan: Plan) -> Header:
    """How the suite runs here."""
    index, count = options.shard
    dealt = shard(plan.cells, index, count)
    cells = [cell for cell in dealt if cell.id not in plan.missing]
    if not dealt:
        raise UserError(
            f"--shard={index}/{count}: none of the {len(plan.cells)} cells is in this part. Give fewer parts."
        )
    if not cells:
        raise UserError(f"--shard={index}/{count}: all cells of this part need more GPUs than there are here.")
    seed = random.SystemRandom().randrange(2**32) if options.seed is None else options.seed
    repeats = [_repeats(cell, options.budget) for cell in cells]
    return Header(
        suite=plan.name,
        plan=plan.id,
        set=uuid.uuid4().hex[:16],
        seed=seed,
        cells=cells,
        order=shuffled(repeats, seed),
        shard=options.shard,
        budget=options.budget,
        started_at=utc_now(),
        software=software(),
    )


def _repeats(cell: Cell, budget: float | None) -> int:
    """How often a cell runs in any case."""
    return cell.repeats if budget is None else 1 if cell.study else FIRST


def _shard(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d+)/(\d+)", text)
    if not match or not 1 <= int(match[1]) <= int(match[2]):
        raise argparse.ArgumentTypeError(f"'{text}' is no part of a whole such as 1/4, 2/4, 3/4 or 4/4")
    return int(match[1]), int(match[2])
