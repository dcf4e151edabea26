"""`python -m benchmarks.studies.against_yardsticks`: this project against what a user might run instead."""

from __future__ import annotations

import argparse
import dataclasses
import importlib.util
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.errors import UserError
from benchmarks.studies import report
from benchmarks.studies.comparison import Comparison, compare
from benchmarks.studies.fresh_runs import run_ours, run_yardstick, synthetic_flags
from benchmarks.studies.pairs import Spread, Target, differences, ratios
from results.commands.arguments import count

DESCRIPTION = """\
Compare run_benchmark.py with three programs that a user might run instead: a training step written by hand
(bare_step.py), Keras fit (keras_fit.py) and a PyTorch loop (torch_step.py).

Both sides train the same network on one synthetic batch on the CPU with momentum and no weight decay. They run in
turn, each run in a fresh process, ours first. A run's speed is that of its median step after three steps of warm-up.
The table has the medians over the runs, and the median, lowest and highest ratio of ours to its neighbour in time.
"first step" is ours minus theirs, in seconds from the start of the process to the end of the first step; "memory" is
ours by theirs, at the peak as the kernel counts it. Both are judged against the hand-written step only.

With five pairs all cases take one to two hours on two cores; --cases chooses. Leave the machine alone meanwhile.
"""
FOOTNOTE = (
    "Where ResNet-20 changes shape, ours pads the shortcut as its paper does for CIFAR-10; the yardsticks project it "
    "(0.6 % of the multiply-adds). Our momentum is Nesterov's, at the same cost."
)
NO_TORCH = "not measured: no PyTorch"
FIRST_STEP = Target(2.0, at_most=True)
MEMORY = Target(1.10, at_most=True)
PROGRAMS = {"bare": "bare_step.py", "keras": "keras_fit.py", "torch": "torch_step.py"}
YARDSTICKS = Path(__file__).parent / "yardsticks"


@dataclass(frozen=True)
class Case:
    """One comparison; `yardstick` is a key of PROGRAMS, `target` bounds ours / theirs."""

    model: str
    batch: int
    precision: str
    yardstick: str
    steps: int
    target: Target | None

    @property
    def name(self) -> str:
        """What the table and `--cases` call it."""
        return f"{self.model}-b{self.batch}-{self.precision}-{self.yardstick}"

    @property
    def judges_start_and_memory(self) -> bool:
        """Whether its yardstick is the one that time to first step and peak memory are held against."""
        return self.yardstick == "bare"


def _cases() -> dict[str, Case]:
    fp32 = {"bare": Target(0.98), "keras": Target(1.15), "torch": Target(1.0)}
    # A step of ResNet-20 is short: more of them make its median as steady as ResNet-50's.
    shapes = [("resnet50", 16, 8), ("resnet20", 32, 100), ("resnet20", 128, 40)]
    cases = [
        Case(model, batch, "fp32", yardstick, steps, target)
        for model, batch, steps in shapes
        for yardstick, target in fp32.items()
    ]
    cases += [
        Case("resnet50", 16, "bf16", "torch", 8, Target(1.0)),
        Case("resnet50", 16, "bf16", "bare", 8, None),
    ]
    return {case.name: case for case in cases}


CASES = _cases()


@dataclass(frozen=True)
class Result(Comparison[Case]):
    """Ours and theirs."""

    @property
    def first_step_difference(self) -> Spread:
        """Seconds to the first finished step, ours - theirs."""
        return differences([(ours.first_step_at_seconds, theirs.first_step_at_seconds) for ours, theirs in self.pairs])

    @property
    def memory_ratio(self) -> Spread:
        """Peak memory, ours / theirs."""
        return ratios([(ours.peak_mib, theirs.peak_mib) for ours, theirs in self.pairs])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the study; returns the exit code."""
    return report.run(_parser(), study, arguments)


def study(options: argparse.Namespace) -> None:
    """Measure the chosen cases, and print and save what came out."""
    cases = chosen(options.cases)
    pythons = {"bare": sys.executable, "keras": sys.executable, "torch": find_torch(options.torch_python)}
    results: list[Result] = []
    try:
        for case in cases:
            results.append(_measured(case, pythons[case.yardstick], options))
            _save(options, results)
    finally:  # an interrupt in the second hour must not lose the first
        if results:
            report.say(table(results))
            report.say(f"\n{options.pairs} pairs a case, each run in a fresh process. {FOOTNOTE}")


def _measured(case: Case, python: str | None, options: argparse.Namespace) -> Result:
    """The result of a case whose yardstick runs under `python`; an empty one where there is none."""
    if python is None:
        return Result(case, [])
    program = options.yardsticks / PROGRAMS[case.yardstick]
    ours = partial(run_ours, synthetic_flags(case.model, case.batch, case.steps, case.precision))
    theirs = partial(run_yardstick, yardstick_command(python, program, case))
    return Result(case, compare(case, options.pairs, ours, theirs).pairs)


def yardstick_command(python: str, program: Path, case: Case) -> list[str]:
    """The command of a case's other side."""
    flags = {"model": case.model, "batch": case.batch, "steps": case.steps, "precision": case.precision}
    return [python, str(program), *(f"--{name}={value}" for name, value in flags.items())]


def chosen(names: str | None) -> list[Case]:
    """The cases of `names`, separated by commas; all of them for None. Raises UserError for a name that is none."""
    return [CASES[name] for name in (CASES if names is None else report.named("--cases", names, CASES))]


def find_torch(python: str | None) -> str | None:
    """The interpreter that has PyTorch: `python` if it is given, or this one; None where this one has not.

    Raises UserError where a given one has not.
    """
    if python is None:
        return sys.executable if importlib.util.find_spec("torch") else None
    try:
        subprocess.run([python, "-c", "import torch"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise UserError(
            f"--torch_python={python}: cannot import torch there. Give a Python that has PyTorch."
        ) from error
    return python


def table(results: Sequence[Result]) -> str:
    """The Markdown table of all cases."""
    headings = ["case", "ours, images/sec", "theirs", "ratio (range)", "target", "", "first step", "memory"]
    return report.table(headings, [_row(result) for result in results])


def _row(result: Result) -> list[str]:
    case = result.case
    if not result.pairs:
        return [case.name, NO_TORCH, "", "", report.target_text(case.target), "not measured", "", ""]
    first_step, memory = result.first_step_difference, result.memory_ratio
    return [
        case.name,
        *result.cells(),
        _judged(f"{first_step.median:+.1f} s", first_step.median, FIRST_STEP, case),
        _judged(f"{memory.median:.2f}", memory.median, MEMORY, case),
    ]


def _judged(text: str, value: float, target: Target, case: Case) -> str:
    if not case.judges_start_and_memory:
        return text
    return f"{text} ({report.target_text(target)}: {report.verdict(value, target)})"


def _save(options: argparse.Namespace, results: Sequence[Result]) -> None:
    report.save(
        options.output,
        "against_yardsticks",
        {"pairs": options.pairs, "cases": [_plain(result) for result in results]},
    )


def _plain(result: Result) -> dict[str, object]:
    pairs = [{"ours": ours, "theirs": theirs} for ours, theirs in result.pairs]
    reason = {} if pairs else {"reason": NO_TORCH}
    return {"name": result.case.name, **dataclasses.asdict(result.case), "pairs": pairs, **reason}


def _parser() -> argparse.ArgumentParser:
    parser = report.parser("against_yardsticks", f"{DESCRIPTION}\nCases: {', '.join(CASES)}")
    parser.add_argument("--pairs", type=count, default=5, help="pairs of runs a case (default 5)")
    parser.add_argument("--cases", metavar="NAME,...", help="only these cases")
    parser.add_argument(
        "--torch_python",
        metavar="PATH",
        help="the Python that has PyTorch; where it is not given, this one, and without PyTorch its cases are left out",
    )
    parser.add_argument(
        "--yardsticks",
        type=lambda text: Path(text).resolve(),
        metavar="DIR",
        default=YARDSTICKS,
        help="other programs of the same names and flags",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
