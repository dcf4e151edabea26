"""`python -m benchmarks.studies`: measure what the performance guide claims, on this machine."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType

from benchmarks.errors import ExitCode, UserError
from benchmarks.params.option import closest
from benchmarks.signals import Terminated
from benchmarks.studies import report
from benchmarks.studies.claims import writing
from benchmarks.studies.claims.budget import Budget, BudgetSpentError
from benchmarks.studies.claims.catalogue import CLAIMS
from benchmarks.studies.claims.claim import PAIRS, Case, Claim, Measured, Preparation, Way, asked, quoted
from benchmarks.studies.claims.effect import LEAST_PAIRS
from benchmarks.studies.claims.machine import Machine, look
from benchmarks.studies.claims.measuring import Measuring, WayError
from benchmarks.studies.claims.own_flags import check_flags
from benchmarks.studies.claims.schedule import Story, least_seconds, next_case, seconds_of_all, story_of
from benchmarks.studies.claims.work_folder import work_folder
from benchmarks.studies.claims.writing import lacks
from benchmarks.studies.pairs import in_turn
from results import store
from results.commands import arguments
from results.durations import about, figure

PROGRAM = "python -m benchmarks.studies"
DESCRIPTION = """\
Measure what the TensorFlow performance guide of 2017 claims, on this machine. Each study holds an advised way against
another, in fresh processes that take turns, and says how many times as good it is, with the 95 % interval, whether that
confirms the claim, and why it may not.

  python -m benchmarks.studies --list              claim, source and cost of each study
  python -m benchmarks.studies fused_batch_norm    one study, or several
  python -m benchmarks.studies all --budget=10m    all of them, in so much time as there is
      --report=claims.html                         and a page with drawings of what came of them

Flags after -- go to every run of run_benchmark.py: python -m benchmarks.studies xla -- --batch_size=8. The runs leave
their records in --results_dir. Leave the machine alone meanwhile.

The exit code is 0 where what there was time for was measured, 1 where a case failed, 2 where a flag or a folder cannot
be used, as a budget in which nothing can be measured, and 77 where this machine can run no case.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    end = words.index("--") if "--" in words else len(words)
    parser = _parser()
    options, unknown = parser.parse_known_args(words[:end])
    if unknown:
        parser.error(f"unknown: {' '.join(unknown)}. Flags of run_benchmark.py come after --; see --help.")
    options.run_flags = words[end + 1 :]
    if options.list:
        two_cores = Machine(cores=2, gpus=(), work=Path())  # no TensorFlow has to be asked
        report.say(writing.listing(CLAIMS, two_cores, options.pairs))
        return ExitCode.VALID
    codes: list[ExitCode] = []
    before = signal.signal(signal.SIGTERM, _terminate)  # as a suite sends it: the run that goes on has to end as well
    try:
        code = report.conclude(parser, lambda: codes.append(study(options)))
    except Terminated:
        report.note(f"{parser.prog}: terminated")
        return ExitCode.TERMINATED
    finally:
        signal.signal(signal.SIGTERM, before)
    return code or codes[0]


def study(options: argparse.Namespace) -> ExitCode:
    """Measure the chosen claims, print what they say and write it; the worst of what became of them."""
    claims, budget = chosen(options.studies), Budget(options.budget)
    try:
        store.check_folder(options.results_dir)
    except store.FolderError as error:
        raise UserError(str(error)) from error
    report.check_writable(options.output)
    for path in options.report:
        report.check_writable(path, "--report")
    with work_folder() as work:
        story = plan(claims, look(work), options.cases)
        check_flags(story, options.run_flags)
        if options.pairs < LEAST_PAIRS:
            report.note(f"NOTE: --pairs={options.pairs}: a verdict needs {LEAST_PAIRS}.")
        measuring = Measuring(options.results_dir, tuple(options.run_flags), budget, work=work)
        try:
            measure(
                story,
                measuring.measure,
                options.pairs,
                budget,
                prepare=measuring.prepare,
                on_pair=lambda: save(options, story),
            )
        except store.FolderError as error:  # a disk that is full is so for every case
            raise UserError(str(error)) from error
        finally:  # an interrupt must not lose what is there
            save(options, story)
            report.say(writing.text(story))
    if not story.cases:
        report.note(f"{PROGRAM}: no case can run here: this machine lacks {lacks(story)}.")
        return ExitCode.CANNOT_RUN_HERE
    if any(each.failure for each in story.cases):
        return ExitCode.FAILED
    if not story.measured:
        raise UserError(f"--budget={figure(options.budget)}: nothing was measured: {too_short(story, options.pairs)}")
    return ExitCode.VALID


def too_short(story: Story, pairs: int) -> str:
    """Why there was no time for a pair of any case, in words."""
    for each in story.cases:
        if each.ended_after:
            return f"the first pair of {each.name} was not done after {figure(each.ended_after)}. Give more."
    least = about(least_seconds(story, pairs))
    return f"the shortest case is expected to take about {least}, and the start is counted too. Give more."


def chosen(names: Sequence[str]) -> list[Claim]:
    """The claims of `names`, or all of them for "all". Raises UserError for a name that is none."""
    known = {claim.name: claim for claim in CLAIMS}
    if not names:
        raise UserError(f"no study is named. Name one, several or all; there are: {', '.join(known)}.")
    if "all" in names:
        return list(CLAIMS)
    for name in names:
        if name not in known:
            meant = closest(name, [*known, "all"])
            hint = f" Did you mean '{meant}'?" if meant else ""
            raise UserError(f"'{name}' is no study.{hint} There are: {', '.join(known)}, all.")
    return [known[name] for name in dict.fromkeys(names)]


def plan(claims: Sequence[Claim], machine: Machine, patterns: Sequence[str] = ()) -> Story:
    """The cases of `claims` on `machine` whose names match one of `patterns`, if there are any. Raises UserError."""
    story = story_of(claims, machine, patterns)
    names = [*(progress.case.name for progress in story.cases), *(case.name for _, case in story.missing)]
    for pattern in patterns:
        if not any(asked(name, [pattern]) for name in names):
            there_are = quoted(case.name for claim in claims for case in claim.cases(machine))
            each = " Give --cases once for each." if "," in pattern else ""
            raise UserError(f"--cases: no case is called '{pattern}'.{each} There are: {there_are}.")
    return story


def measure(
    story: Story,
    run: Callable[[Way], Measured],
    pairs: int,
    budget: Budget,
    *,
    prepare: Callable[[Preparation], None] = lambda _: None,
    on_pair: Callable[[], None] = lambda: None,
) -> None:
    """Measure up to `pairs` pairs of each case, within `budget`. A case that fails is given up, the others go on.

    `prepare` makes the files that ways read. `on_pair` is called after each pair.
    """
    for claim, case in story.missing:
        report.note(f"{claim.name}: {case.name}: this machine cannot run it: it lacks {case.lacks}")
    while progress := next_case(story, pairs, budget.left):
        number = len(progress.pairs) + 1
        left = min(seconds_of_all(story, pairs), budget.left)
        report.note(f"{progress.name}: pair {number} of {pairs}; about {about(left)} left")
        turned_to = budget.spent
        try:
            for files in progress.case.preparations:
                if files not in story.made:
                    prepare(files)
                    story.made.add(files)
            began = budget.spent
            pair = one_pair(progress.case, number, run)
            progress.pair_seconds = budget.spent - began
            progress.pairs.append(pair)
        except WayError as error:
            progress.failure = str(error)
            report.note(f"{progress.name}: given up: {error}")
        except BudgetSpentError:
            progress.ended_after = 0.0 if progress.pairs else budget.spent - turned_to
            report.note(f"{progress.name}: ended, as --budget is spent")
            break
        on_pair()
    story.why_not = "its pairs do not fit in the time that was left"


def one_pair(case: Case, number: int, run: Callable[[Way], Measured]) -> tuple[Measured, Measured]:
    """The measurements of (advised, other) in pair `number`, from 1."""
    return in_turn(number, lambda: run(case.advised), lambda: run(case.other))


def save(options: argparse.Namespace, story: Story) -> None:
    """Write what came of the claims so far into the files that were asked for. Raises UserError where it cannot.

    Where nothing was measured, what is there is kept: an earlier study may have left it.
    """
    if not story.measured:
        return
    report.save(options.output, "claims", {"cases": writing.figures(story)})
    for path in options.report:
        report.write(path, "--report", _document(path)(story))


def _terminate(_number: int, _frame: FrameType | None) -> None:
    raise Terminated


def _document(path: Path) -> Callable[[Story], str]:
    """What writes a story in the form that the name of the file asks for."""
    if path.suffix == ".md":
        return writing.document
    from benchmarks.studies.claims import page  # it draws, and nothing else has to wait for matplotlib

    return page.document


def _report_file(text: str) -> Path:
    path = Path(text)
    if path.suffix not in (".md", ".html"):
        raise argparse.ArgumentTypeError(f"{text!r} is neither Markdown nor a page: give FILE.md or FILE.html")
    return path


def _parser() -> argparse.ArgumentParser:
    parser = report.parser("", DESCRIPTION, "--report=FILE.md is text, and FILE.html a page")
    parser.prog = PROGRAM
    parser.usage = "%(prog)s [OPTIONS] NAME ... [-- --FLAG=VALUE ...]"
    parser.add_argument("studies", nargs="*", metavar="NAME", help="studies to run, or all")
    parser.add_argument("--list", action="store_true", help="say what studies there are, and end")
    parser.add_argument("--pairs", type=arguments.count, default=PAIRS, help=f"pairs a case, at most (default {PAIRS})")
    parser.add_argument(
        "--budget", type=arguments.seconds, default=float("inf"), metavar="TIME", help="for all of it, such as 30m"
    )
    parser.add_argument(
        "--cases",
        action="append",
        default=[],
        metavar="PATTERN",
        help="only the cases of this name; * stands for anything, and several --cases for several names",
    )
    parser.add_argument(
        "--results_dir", type=Path, default=Path("runs/studies"), metavar="DIR", help="default runs/studies"
    )
    parser.add_argument(
        "--report",
        type=_report_file,
        action="append",
        default=[],
        metavar="FILE",
        help="also write what is printed, as Markdown (FILE.md), or with drawings as a page for a browser (FILE.html); "
        "may be given for each",
    )
    return parser
