"""`python -m benchmarks.studies.int8_speed`: what quantising to 8 bits gains in speed and size, and what it costs."""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.errors import UserError
from benchmarks.inputs import cifar10
from benchmarks.studies import report
from benchmarks.studies.fresh_runs import record_of
from benchmarks.studies.pairs import Spread, Target, interleaved, ratios
from results import quantization
from results.commands.arguments import count
from results.record import RunRecord

DESCRIPTION = """\
Compare the forward pass of networks for ImageNet on the CPU, quantised (--forward_only --quantize=int8, by LiteRT) with
the float one (--forward_only, by TensorFlow): one image a step, the same threads, synthetic images, untrained weights,
which matter to neither. Runs take turns, each in a fresh process; a run's speed is that of its whole measured window.

size        bytes of the int8 file over those of the float one, from the same converter
speed       images/sec of the int8 run over those of the float run of its pair: median, lowest and highest
agreement   ResNet-20 is trained on the sample of CIFAR-10 first, and quantised with its weights: the share of the
            evaluation images for which the class that comes first is the same

With five pairs of four networks it takes about half an hour on two cores. Leave the machine alone meanwhile.
"""
STEPS, TRAINING_STEPS = 100, 150
SMALL, FAST, SAME = Target(0.30, at_most=True), Target(1.8), Target(0.97)


@dataclass(frozen=True)
class Case:
    """A network, and the bounds of size and speed that it is held to, if it is."""

    model: str
    size: Target | None = None
    speed: Target | None = None


CASES = (
    Case("inception3", SMALL, FAST),
    Case("googlenet", SMALL),
    Case("resnet50"),
    Case("mobilenet_v2"),
)
Run = Callable[[Sequence[str]], RunRecord]


class Pair(NamedTuple):
    """Images a second of a quantised run and a float one, and what the former's record has of the models."""

    quantized: float
    plain: float
    section: Mapping[str, Any]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the study; returns the exit code."""
    return report.run(_parser(), study, arguments)


def study(options: argparse.Namespace) -> None:
    """Measure all pairs, then the agreement, and print and save what came out."""
    pairs: dict[Case, list[Pair]] = {}
    asked = report.named("--models", options.models, (case.model for case in CASES))
    try:
        for case in CASES:
            if case.model in asked:
                pairs[case] = measured(case, options.pairs, options.steps, options.threads)
                _save(options, pairs, {})
    finally:  # an interrupt must not lose what is there
        if pairs:
            report.say(table(pairs))
    found = agreement(options.threads)
    _save(options, pairs, found)
    report.say(f"\n{agreement_line(found)}")
    report.say(
        f"{options.pairs} pairs of {options.steps} steps, batch 1, threads: {options.threads or 'all processors'}."
    )


def measured(case: Case, pairs: int, steps: int, threads: int, run: Run | None = None) -> list[Pair]:
    """Quantised and float runs of `case` in turn."""
    run = run or _record
    flags = [
        f"--model={case.model}", "--device=cpu", "--batch_size=1", "--forward_only", f"--num_batches={steps}",
        f"--num_intra_threads={threads}",
    ]  # fmt: skip
    told = interleaved(
        lambda: run([*flags, "--quantize=int8"]),
        lambda: run(flags),
        pairs,
        lambda number: report.note(f"{case.model}: pair {number} of {pairs}"),
    )
    return [Pair(_speed(narrow), _speed(plain), narrow.quantization) for narrow, plain in told]


def agreement(threads: int, run: Run | None = None) -> Mapping[str, Any]:
    """What a record has of ResNet-20, trained on the sample of CIFAR-10 and quantised."""
    run = run or _record
    report.note("training resnet20 on the sample of CIFAR-10")
    with tempfile.TemporaryDirectory() as folder:
        cifar10.prepare(Path(folder) / "cifar10", sample=True)
        flags = [
            "--model=resnet20", "--data_name=cifar10", f"--data_dir={folder}/cifar10", "--device=cpu",
            "--batch_size=32", f"--train_dir={folder}/trained", f"--num_intra_threads={threads}",
        ]  # fmt: skip
        run([*flags, "--optimizer=momentum", f"--num_batches={TRAINING_STEPS}"])
        report.note("quantising it")
        return run([*flags, "--forward_only", "--quantize=int8", "--num_batches=50"]).quantization


def table(pairs: Mapping[Case, Sequence[Pair]]) -> str:
    """The Markdown table of all cases."""
    headings = ["model", "int8, images/sec", "float", "speed (range)", "target", "", "size", "target", ""]
    return report.table(headings, [_row(case, found) for case, found in pairs.items()])


def _row(case: Case, pairs: Sequence[Pair]) -> list[str]:
    faster = speed_of(pairs)
    share = quantization.ratio(pairs[0].section)
    assert share is not None, "a run that quantises records both sizes"
    return [
        case.model,
        f"{statistics.median(pair.quantized for pair in pairs):.1f}",
        f"{statistics.median(pair.plain for pair in pairs):.1f}",
        report.ratio_text(faster),
        *_judged(faster.median, case.speed),
        f"{share:.3f}",
        *_judged(share, case.size),
    ]


def speed_of(pairs: Sequence[Pair]) -> Spread:
    """Quantised / float."""
    return ratios([(pair.quantized, pair.plain) for pair in pairs])


def agreement_line(section: Mapping[str, Any]) -> str:
    """What came out of the trained model."""
    found = section["agreement"]
    share, accuracy = found["top_1_agreement"], found["accuracy"]
    return (
        f"resnet20, trained: top-1 agreement {share:.4f} of {found['images']} images ({report.target_text(SAME)}: "
        f"{report.verdict(share, SAME)}); top-1 accuracy {accuracy['quantized']['top_1']:.4f}, "
        f"float {accuracy['float']['top_1']:.4f}."
    )


def _judged(value: float, target: Target | None) -> list[str]:
    return [report.target_text(target), report.verdict(value, target)]


def _record(flags: Sequence[str]) -> RunRecord:
    return record_of(flags)[0]


def _speed(record: RunRecord) -> float:
    if record.images_per_second is None:
        raise UserError("a run of run_benchmark.py left a record without a figure")
    return record.images_per_second


def _save(options: argparse.Namespace, pairs: Mapping[Case, Sequence[Pair]], found: Mapping[str, Any]) -> None:
    cases = {case.model: [pair._asdict() for pair in measured_pairs] for case, measured_pairs in pairs.items()}
    figures = {"pairs": options.pairs, "steps": options.steps, "threads": options.threads}
    report.save(options.output, "int8_speed", figures | {"cases": cases, "agreement": dict(found)})


def _parser() -> argparse.ArgumentParser:
    parser = report.parser("int8_speed", DESCRIPTION)
    names = ",".join(case.model for case in CASES)
    parser.add_argument("--pairs", type=count, default=5, help="pairs of runs a model (default 5)")
    parser.add_argument("--steps", type=count, default=STEPS, help=f"measured steps a run (default {STEPS})")
    parser.add_argument("--threads", type=int, default=0, help="threads of both; 0: all processors (default)")
    parser.add_argument("--models", default=names, metavar="NAMES", help=f"of {names}")
    return parser


if __name__ == "__main__":
    sys.exit(main())
