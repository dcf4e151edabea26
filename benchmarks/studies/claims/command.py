"""`python -m benchmarks.studies`: measure what the performance guide claims, on this machine."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType

from benchmarks.errors import ExitCode, UserError
from benchmarks.params import parse
from benchmarks.params.option import closest
from benchmarks.signals import Terminated
from benchmarks.studies import report
from benchmarks.studies.claims import writing
from benchmarks.studies.claims.catalogue import CLAIMS
from benchmarks.studies.claims.claim import PAIRS, Case, Claim, Measured, Missing, Way, asked
from benchmarks.studies.claims.effect import LEAST_PAIRS
from benchmarks.studies.claims.machine import Machine, look
from benchmarks.studies.claims.measuring import Measuring, WayError
from benchmarks.studies.claims.schedule import Progress, Story, next_case, seconds_at_most
from benchmarks.studies.claims.writing import lacks
from benchmarks.studies.pairs import in_turn
from results import store
from results.commands import arguments
from results.durations import about

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

The exit code is 0 where all was measured, 1 where a case failed, 2 where a flag or a folder cannot be used, and 77
where this machine can run no case.
"""
_STUCK_SECONDS = 3600.0  # a process that takes longer is taken for stuck


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
    claims = chosen(options.studies)
    try:
        store.check_folder(options.results_dir)
    except store.FolderError as error:
        raise UserError(str(error)) from error
    report.check_writable(options.output)
    for path in options.report:
        report.check_writable(path, "--report")
    with tempfile.TemporaryDirectory() as folder:
        story = plan(claims, look(Path(folder)), options.cases)
        check_flags(story, options.run_flags)
        if options.pairs < LEAST_PAIRS:
            report.note(f"NOTE: --pairs={options.pairs}: a verdict needs {LEAST_PAIRS}.")
        measuring = Measuring(options.results_dir, tuple(options.run_flags), _STUCK_SECONDS)
        try:
            measure(story, measuring.measure, options.pairs, options.budget, lambda: save(options, story))
        except store.FolderError as error:  # a disk that is full is so for every case
            raise UserError(str(error)) from error
        finally:  # an interrupt must not lose what is there
            save(options, story)
            report.say(writing.text(story))
    if not story.cases:
        report.note(f"{PROGRAM}: no case can run here: this machine lacks {lacks(story)}.")
        return ExitCode.CANNOT_RUN_HERE
    return ExitCode.FAILED if any(each.failure for each in story.cases) else ExitCode.VALID


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
    story = Story(machine)
    for claim in claims:
        for rank, case in enumerate(claim.cases(machine)):
            if not asked(case.name, patterns):
                continue
            if isinstance(case, Missing):
                story.missing.append((claim, case))
            else:
                story.cases.append(Progress(claim, case, rank))
    names = [*(progress.case.name for progress in story.cases), *(case.name for _, case in story.missing)]
    for pattern in patterns:
        if not any(asked(name, [pattern]) for name in names):
            there_are = ", ".join(case.name for claim in claims for case in claim.cases(machine))
            raise UserError(f"--cases: no case is called '{pattern}'. There are: {there_are}.")
    return story


def check_flags(story: Story, run_flags: Sequence[str]) -> None:
    """Give up the cases whose runs cannot have `run_flags`.

    Raises UserError where that is all of them, and where flags for both ways of a case set what these differ in.
    """
    for progress in story.cases:
        if run_flags and progress.case.advised.program:
            report.note(f"NOTE: {progress.name}: a program of its own measures it, to which flags after -- do not go.")
    checked = [each for each in story.cases if run_flags and _can_run(each.case)]
    for progress in checked:
        case = progress.case
        try:
            lost = _differing(case, ()) - _differing(case, run_flags)
        except UserError as error:
            progress.failure = str(error)
            continue
        if lost:
            raise UserError(
                f"{' '.join(run_flags)} after --: '{case.advised.name}' and '{case.other.name}' of {progress.name} "
                f"differ in {', '.join(f'--{name}' for name in sorted(lost))}. Leave that out, or leave the case out "
                "by --cases."
            )
    if checked and all(progress.failure for progress in checked):
        raise UserError(checked[0].failure)


def _can_run(case: Case) -> bool:
    """Whether both ways are runs, and what they read is there: some of it is made when its turn comes."""
    if case.advised.program or case.other.program:
        return False
    try:
        _differing(case, ())
    except UserError:
        return False
    return True


def _differing(case: Case, more: Sequence[str]) -> set[str]:
    """The flags that have another value in one way of `case` than in the other, with `more` of them in both.

    Raises UserError where a run would.
    """
    advised, other = (vars(parse([*way.flags, *more]).params) for way in (case.advised, case.other))
    return {name for name, value in advised.items() if other[name] != value}


def measure(
    story: Story,
    run: Callable[[Way], Measured],
    pairs: int,
    budget: float,
    on_pair: Callable[[], None] = lambda: None,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Measure up to `pairs` pairs of each case, for `budget` seconds. A case that fails is given up, the others go on.

    `on_pair` is called after each pair.
    """
    for claim, case in story.missing:
        report.note(f"{claim.name}: {case.name}: this machine cannot run it: it lacks {case.lacks}")
    begin = clock()
    while progress := next_case(story.cases, pairs, budget - (clock() - begin)):
        left = min(seconds_at_most(story.cases, pairs), budget - (clock() - begin))
        number = len(progress.pairs) + 1
        report.note(f"{progress.name}: pair {number} of {pairs}; at most {about(left)} left")
        began = clock()
        try:
            progress.pairs.append(one_pair(progress.case, number, run))
        except WayError as error:
            progress.failure = str(error)
            report.note(f"{progress.name}: given up: {error}")
        progress.pair_seconds = clock() - began
        on_pair()
    story.why_not = "its pairs do not fit in the time that was left"


def one_pair(case: Case, number: int, run: Callable[[Way], Measured]) -> tuple[Measured, Measured]:
    """The measurements of (advised, other) in pair `number`, from 1."""
    return in_turn(number, lambda: run(case.advised), lambda: run(case.other))


def save(options: argparse.Namespace, story: Story) -> None:
    """Write what came of the claims so far into the files that were asked for. Raises UserError where it cannot."""
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
        "--budget", type=arguments.seconds, default=float("inf"), metavar="TIME", help="at most, in all: such as 30m"
    )
    parser.add_argument(
        "--cases",
        type=lambda text: text.split(","),
        default=(),
        metavar="PATTERN,...",
        help="only the cases of these names; * stands for anything",
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
