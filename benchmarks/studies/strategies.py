"""`python -m benchmarks.studies.strategies`: towers under each strategy against one tower, and against Keras."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from benchmarks.studies import report
from benchmarks.studies.against_yardsticks import PROGRAMS, YARDSTICKS
from benchmarks.studies.comparison import Comparison, compare
from benchmarks.studies.fresh_runs import FreshRun, run_ours, run_yardstick, several_workers, synthetic_flags
from benchmarks.studies.pairs import Target
from results.commands.arguments import count

DESCRIPTION = """\
Compare training of ResNet-20 with 32 images a tower on 2 and on 4 logical CPU devices, under each strategy, with one
tower that has all the images of a step, and with Keras fit under MirroredStrategy on the same devices (keras_fit.py).
Then two worker processes under collective_all_reduce with a custom loop under MultiWorkerMirroredStrategy
(multi_worker.py).

The devices share the cores, so what is seen is what a strategy costs, less what overlaps better in several towers. Runs
take turns, each in a fresh process, on one synthetic batch; a run's speed is that of its median step.

With five pairs it takes about forty minutes on two cores. Leave the machine alone meanwhile.
"""
MODEL, BATCH_SIZE = "resnet20", 32
ONE_TOWER = {2: Target(1.05), 4: Target(1.0)}
KERAS = Target(1.2)
MULTI_WORKER = Target(1.0)
WORKERS = 2
JUDGED = ("replicated", "parameter_server")  # the others are for information
OVER_PROCESSES = ("collective_all_reduce",)  # a tower a process
STRATEGIES = (*JUDGED, "sharded", "distributed_replicated", "mirrored", "independent", *OVER_PROCESSES)


@dataclass(frozen=True)
class Case:
    """`strategy` on `towers` devices, against `other`: "one tower", "Keras" or "MultiWorkerMirroredStrategy"."""

    strategy: str
    towers: int
    other: str

    @property
    def name(self) -> str:
        """What the table and the progress call it."""
        return f"{self.strategy} on {self.towers} against {self.other}"

    @property
    def target(self) -> Target | None:
        """The bound of ours / the other."""
        if self.other == "MultiWorkerMirroredStrategy":
            return MULTI_WORKER
        if self.strategy not in JUDGED:
            return None
        return KERAS if self.other == "Keras" else ONE_TOWER[self.towers]


Result = Comparison[Case]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the study; returns the exit code."""
    return report.run(_parser(), study, arguments)


def study(options: argparse.Namespace) -> None:
    """Measure every case, print and save."""
    results: list[Result] = []
    strategies = report.named("--strategies", options.strategies, STRATEGIES)
    towers = [int(each) for each in report.named("--towers", options.towers, map(str, ONE_TOWER))]
    try:
        for case in cases(strategies, towers):
            ours, other = _ours(case, options.steps), _other(case, options.steps)
            results.append(compare(case, options.pairs, ours, other))
            _save(options, results)
    finally:  # an interrupt must not lose what is there
        if results:
            report.say(table(results))
            report.say(f"\n{MODEL}, {BATCH_SIZE} images a tower, {options.pairs} pairs of fresh runs.")


def cases(strategies: Sequence[str], towers: Sequence[int]) -> list[Case]:
    """All comparisons; Keras with the strategies that are judged."""
    together = [strategy for strategy in strategies if strategy not in OVER_PROCESSES]
    judged = [strategy for strategy in together if strategy in JUDGED]
    over_processes = [strategy for strategy in strategies if strategy in OVER_PROCESSES]
    return [
        *(Case(strategy, count, "one tower") for strategy in together for count in towers),
        *(Case(strategy, count, "Keras") for strategy in judged for count in towers),
        *(Case(strategy, WORKERS, "MultiWorkerMirroredStrategy") for strategy in over_processes),
    ]


def tower_flags(strategy: str, towers: int, steps: int) -> list[str]:
    """Flags of ours for `towers` towers; of two equal flags the last counts."""
    flags = synthetic_flags(MODEL, BATCH_SIZE, steps)
    return [*flags, f"--num_gpus={towers}", f"--variable_update={strategy}"]


def _ours(case: Case, steps: int) -> Callable[[], FreshRun]:
    if case.strategy in OVER_PROCESSES:
        flags = [*synthetic_flags(MODEL, BATCH_SIZE, steps), f"--variable_update={case.strategy}"]
        return partial(run_ours, flags, program=several_workers(case.towers))
    return partial(run_ours, tower_flags(case.strategy, case.towers, steps))


def _other(case: Case, steps: int) -> Callable[[], FreshRun]:
    if case.strategy in OVER_PROCESSES:
        program = str(YARDSTICKS / "multi_worker.py")
        flags = [f"--batch={BATCH_SIZE}", f"--steps={steps}", f"--workers={case.towers}"]
        return partial(run_yardstick, [sys.executable, program, *flags])
    if case.other == "one tower":
        return partial(run_ours, synthetic_flags(MODEL, BATCH_SIZE * case.towers, steps))
    command = [sys.executable, str(YARDSTICKS / PROGRAMS["keras"]), f"--model={MODEL}", f"--batch={BATCH_SIZE}"]
    return partial(run_yardstick, [*command, f"--steps={steps}", f"--towers={case.towers}"])


def table(results: Sequence[Result]) -> str:
    """The Markdown table."""
    headings = ["strategy, devices", "against", "ours, images/sec", "theirs", "ratio (range)", "target", ""]
    return report.table(headings, [_row(result) for result in results])


def _row(result: Result) -> list[str]:
    case = result.case
    return [f"{case.strategy}, {case.towers}", case.other, *result.cells()]


def _save(options: argparse.Namespace, results: Sequence[Result]) -> None:
    plain = [
        {
            **dataclasses.asdict(result.case),
            "pairs": result.pairs,
        }
        for result in results
    ]
    report.save(options.output, "strategies", {"steps": options.steps, "cases": plain})


def _parser() -> argparse.ArgumentParser:
    parser = report.parser("strategies", DESCRIPTION)
    parser.add_argument("--pairs", type=count, default=5, help="pairs of runs a case (default 5)")
    parser.add_argument("--steps", type=count, default=60, help="measured steps a run (default 60)")
    parser.add_argument("--strategies", default=",".join(STRATEGIES), metavar="NAME,...", help="only these")
    parser.add_argument(
        "--towers", default=",".join(map(str, ONE_TOWER)), metavar="N,...", help="2, 4 or both (default)"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
