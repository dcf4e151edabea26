"""`python -m benchmarks.studies.first_losses`: whether a network of the zoo diverges at its defaults."""

from __future__ import annotations

import argparse
import math
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace

import models
from benchmarks.studies import report
from benchmarks.studies.fresh_runs import record_of
from results.commands.arguments import count

DESCRIPTION = """\
Train every network of the zoo for 100 steps on synthetic images with its own learning rate, initial values and batch
size, and look at the losses: a network diverges if a loss is not finite, or if the last ten are on average above the
first. One network after the other, each in a process of its own.

On two cores the whole zoo at its own batch sizes takes about five hours, of which resnet152 and vgg19 half an hour
each; --models and --batch_size choose less, and a GPU needs minutes.
"""
LAST = 10  # steps whose mean is the end of a run


@dataclass(frozen=True)
class Result:
    """The losses of one network's first steps."""

    model: str
    dataset: str
    batch_size: int
    losses: Sequence[float]

    @property
    def end(self) -> float:
        """Mean of the last losses."""
        return statistics.fmean(self.losses[-LAST:])

    @property
    def diverged(self) -> bool:
        """Whether a loss is not finite, or the end is above the beginning."""
        return not all(map(math.isfinite, self.losses)) or self.end > self.losses[0]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the study; returns the exit code."""
    return report.run(_parser(), study, arguments)


def study(options: argparse.Namespace) -> None:
    """Train the chosen networks, print and save their losses."""
    results: list[Result] = []
    cases = chosen(options.models)
    try:
        for model, dataset in cases:
            report.note(f"{model} on {dataset}")
            results.append(train(model, dataset, options))
            _save(options, results)
    finally:  # an interrupt must not lose what is there
        if results:
            report.say(table(results))


def distinct() -> list[tuple[str, str]]:
    """Name and data set of each network of the zoo; what two names stand for is listed once."""
    cases = []
    for dataset, networks in models.NETWORKS.items():
        seen: list[models.Network] = []
        for name, network in networks.items():
            structure = replace(network, batch_size=1, recipe=None)
            if structure not in seen:
                seen.append(structure)
                cases.append((name, dataset))
    return cases


def chosen(names: str | None) -> list[tuple[str, str]]:
    """The cases of `names`, separated by commas; all of them for None. Raises UserError for a name that is none."""
    cases = distinct()
    if names is None:
        return cases
    asked = report.named("--models", names, (model for model, _ in cases))
    return [case for case in cases if case[0] in asked]


def train(model: str, dataset: str, options: argparse.Namespace) -> Result:
    """The losses of `model`'s first steps, in a fresh process."""
    flags = [
        f"--model={model}",
        f"--data_name={dataset}",
        f"--num_batches={options.steps}",
        "--num_warmup_batches=0",
        f"--batch_size={options.batch_size}",
        "--allow_nonfinite_loss",
    ]
    record, _ = record_of([*flags, f"--device={options.device}"])
    measured = record.measurement
    assert measured is not None, "a completed run has measured"
    return Result(model, dataset, measured.batch_size, measured.losses)


def table(results: Sequence[Result]) -> str:
    """The Markdown table."""
    headings = ["network", "images", "steps", "first loss", "highest", "last ten", ""]
    return report.table(headings, [_row(result) for result in results])


def _row(result: Result) -> list[str]:
    losses = result.losses
    return [
        f"{result.model} ({result.dataset})",
        str(result.batch_size),
        str(len(losses)),
        f"{losses[0]:.3f}",
        f"{max(losses):.3f}",
        f"{result.end:.3f}",
        "DIVERGED" if result.diverged else "ok",
    ]


def _save(options: argparse.Namespace, results: Sequence[Result]) -> None:
    networks = [vars(result) | {"losses": list(result.losses), "diverged": result.diverged} for result in results]
    report.save(options.output, "first_losses", {"networks": networks})


def _parser() -> argparse.ArgumentParser:
    parser = report.parser("first_losses", DESCRIPTION)
    parser.add_argument("--models", metavar="NAME,...", help="only these networks")
    parser.add_argument("--steps", type=count, default=100, help="steps a network (default 100)")
    parser.add_argument("--batch_size", type=int, default=0, help="images a step; 0: each network's own (default)")
    parser.add_argument(
        "--device", choices=("auto", "cpu", "gpu"), default="auto", help="where to train (default auto)"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
