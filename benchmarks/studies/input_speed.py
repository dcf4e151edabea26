"""`python -m benchmarks.studies.input_speed`: the input pipelines against plain ones, and against fixed settings."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.errors import UserError
from benchmarks.inputs import shards
from benchmarks.inputs.datasets import DATASETS
from benchmarks.inputs.manifest import MANIFEST, read_manifest
from benchmarks.inputs.pipeline_options import SHUFFLE_BUFFERS
from benchmarks.studies import report
from benchmarks.studies.comparison import Comparison, compare, window_speed
from benchmarks.studies.fresh_runs import FreshRun, finish
from benchmarks.studies.pairs import Target
from results.commands.arguments import count

DESCRIPTION = """\
Measure the input pipelines by themselves. In each case two sides take turns, each in a fresh process on the CPU.

cifar10      CIFAR-10 from TFRecord with augmentation, both on one processor: the pipeline of a run, against the same
             written plainly with tf.data, image by image (target: 1.2 of its speed)
imagenet     ImageNet's JPEGs from shards, cut and brought to 224 x 224 on all processors, in the middle and at random:
             the pipeline of a run, against a bare loop over the same shards that decodes and cuts the same windows and
             resizes them, and does nothing else (target: 0.95)
conversion   CIFAR-10's archive to TFRecord, against a plain loop of tf.train.Example and TFRecordWriter over the same
             archive (target: 1.0), with the memory of both
settings     the pipelines as TensorFlow tunes them, against those with batches held ready, threads, and files read at
             once as fixed by flags (target: 0.95, which is 1 within the noise of such runs)
memory       the peak memory of the pipelines on a set that has ten times as many records as another, which is large
             enough to fill their buffers (target: at most 1.1). Both are made of the records that are there, in the
             temporary folder; those of CIFAR-10 take 2 to 3 GB

With five pairs it takes about 80 minutes. Leave the machine alone meanwhile.
"""
CASES = ("cifar10", "imagenet", "conversion", "settings", "memory")
FIXED = {
    "cifar10": [f"prefetch={batches}" for batches in (1, 2, 8)] + [f"private_threads={count}" for count in (1, 2, 4)],
    "imagenet": [f"prefetch={batches}" for batches in (1, 2, 8)]
    + [f"private_threads={count}" for count in (1, 2, 4)]
    + [f"files_at_once={count}" for count in (1, 2, 16)],
}
TIMES_LARGER = 10
LIMIT_OF_MEMORY = Target(1.1, at_most=True)


@dataclass(frozen=True)
class Case:
    """Two sides to compare: arguments of benchmarks.studies.input_side, ours (or what is as it should be) first."""

    name: str
    first: Sequence[str]
    second: Sequence[str]
    target: Target | None = None
    memory: Target | None = None


Result = Comparison[Case]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the study; returns the exit code."""
    return report.run(_parser(), study, arguments)


def study(options: argparse.Namespace) -> None:
    """Measure the cases, print and save."""
    with tempfile.TemporaryDirectory(prefix="input_speed", dir=options.temporary_dir) as place:
        cases = [
            case for name in report.named("--cases", options.cases, CASES) for case in _MAKE[name](options, Path(place))
        ]
        results: list[Result] = []
        for case in cases:
            first, second = (partial(side, words, options.seconds) for words in (case.first, case.second))
            results.append(compare(case, options.pairs, first, second, speed=window_speed))
            _save(options, results)
    report.say(table(results))
    report.say(f"\n{options.pairs} pairs of {options.seconds} s, batches of {options.batch_size}.")


def side(words: Sequence[str], seconds: float) -> FreshRun:
    """One side in a process of its own; the time to its first step is that to its first batch."""
    finished = finish([sys.executable, "-m", "benchmarks.studies.input_side", f"--seconds={seconds}", *words])
    told = json.loads(finished.output.splitlines()[-1])
    speed = float(told["images_per_second"])
    return FreshRun(speed, float(told["first_seconds"]), finished.peak_mib, window_images_per_second=speed)


def table(results: Sequence[Result]) -> str:
    """The Markdown table: speeds, and peak memory in MiB."""
    headings = ["case", "first, images/sec", "second", "ratio (range)", "target", "", "memory, MiB", "ratio", "", ""]
    return report.table(headings, [[result.case.name, *result.cells(), *_memory_cells(result)] for result in results])


def memory_ratio(result: Result) -> float:
    """The peak memory of the first over that of the second, median over the pairs."""
    return sorted(first.peak_mib / second.peak_mib for first, second in result.pairs)[len(result.pairs) // 2]


def _memory_cells(result: Result) -> list[str]:
    ratio, (first, second) = memory_ratio(result), result.pairs[0]
    judged = [report.target_text(result.case.memory), report.verdict(ratio, result.case.memory)]
    return [f"{first.peak_mib:.0f}, {second.peak_mib:.0f}", f"{ratio:.2f}", *judged]


def _cifar10(options: argparse.Namespace, _: Path) -> list[Case]:
    words = [*_words(options, _folder(options, "cifar10")), "--processors=1"]
    return [Case("cifar10 augmented, plain", ["cifar10", *words], ["plain_cifar10", *words], Target(1.2))]


def _imagenet(options: argparse.Namespace, _: Path) -> list[Case]:
    words = _words(options, _folder(options, "imagenet"))
    return [
        Case(f"imagenet {window}, bare", [f"imagenet_{window}", *words], [f"bare_{window}", *words], Target(0.95))
        for window in ("middle", "random")
    ]


def _conversion(options: argparse.Namespace, place: Path) -> list[Case]:
    folder = _folder(options, "cifar10")
    archives = sorted(folder.glob("*.tar.gz"))
    if not archives:
        raise UserError(
            f"--cifar10_dir={options.cifar10_dir}: there is no archive in it to convert. Make it with: "
            f"python -m benchmarks.inputs.cifar10 --data_dir={options.cifar10_dir}, or leave conversion out of --cases."
        )
    words = [f"--data_dir={archives[0]}", f"--output_dir={place}"]
    return [Case("conversion, plain loop", ["convert", *words], ["plain_convert", *words], Target(1.0))]


def _settings(options: argparse.Namespace, _: Path) -> list[Case]:
    cases = []
    for name, fixed in FIXED.items():
        words = [name, *_words(options, _folder(options, name))]
        cases += [Case(f"{name}, {setting}", words, [*words, f"--{setting}"], Target(0.95)) for setting in fixed]
    return cases


def _memory(options: argparse.Namespace, place: Path) -> list[Case]:
    """The smaller set fills the buffers too, so that a larger one has no reason to take more."""
    cases = []
    for name, buffer in SHUFFLE_BUFFERS.items():
        folder = _folder(options, name)
        times = -(-buffer // _training_images(folder))
        large, small = place / f"{name}_large", place / f"{name}_small"
        enlarge(folder, large, name, TIMES_LARGER * times)
        enlarge(folder, small, name, times)
        sides = [[name, *_words(options, of_size)] for of_size in (large, small)]
        cases.append(Case(f"{name}, {TIMES_LARGER} times larger", sides[0], sides[1], memory=LIMIT_OF_MEMORY))
    return cases


def _words(options: argparse.Namespace, folder: Path) -> list[str]:
    return [f"--data_dir={folder}", f"--batch_size={options.batch_size}"]


_MAKE: dict[str, Callable[[argparse.Namespace, Path], list[Case]]] = dict(
    zip(CASES, (_cifar10, _imagenet, _conversion, _settings, _memory), strict=True)
)


def enlarge(folder: Path, larger: Path, name: str, times: int) -> None:
    """Make `larger`, a folder with the records of `folder`, of the data set `name`, as many times."""
    larger.mkdir()
    if name == "cifar10":
        (file,) = DATASETS[name].files[:1]
        data = (folder / file).read_bytes()
        with (larger / file).open("wb") as written:
            for _ in range(times):
                written.write(data)
        return
    paths = shards.find(folder, shards.TRAIN, "")
    count = times * len(paths)
    for number in range(count):
        (larger / shards.shard_name("train", number, count)).symlink_to(paths[number % len(paths)].resolve())


def _training_images(folder: Path) -> int:
    manifest = read_manifest(folder)
    if manifest is None:
        raise UserError(f"{folder} has no {MANIFEST}, which says how many images it has. Make it by our converter.")
    return sum(number for file, number in manifest.examples.items() if file.startswith("train"))


def _folder(options: argparse.Namespace, name: str) -> Path:
    given = getattr(options, f"{name}_dir")
    if given is None or not given.expanduser().is_dir():
        problem = "it has to be given" if given is None else "there is no such folder"
        raise UserError(
            f"--{name}_dir={given or ''}: {problem} for these cases. Make it with: python -m benchmarks.inputs.{name} "
            f"--data_dir={given or 'DIR'}, or take others by --cases."
        )
    folder: Path = given.expanduser().resolve()
    return folder


def _save(options: argparse.Namespace, results: Sequence[Result]) -> None:
    pairs = {result.case.name: result.pairs for result in results}
    report.save(options.output, "input_speed", {"seconds": options.seconds, "cases": pairs})


def _parser() -> argparse.ArgumentParser:
    parser = report.parser("input_speed", DESCRIPTION)
    add = parser.add_argument
    add("--cifar10_dir", type=Path, metavar="DIR", help="folder with CIFAR-10's TFRecord files and its archive")
    add("--imagenet_dir", type=Path, metavar="DIR", help="folder with ImageNet's shards")
    add("--cases", default=",".join(CASES), metavar="NAME,...", help="only these")
    add("--pairs", type=count, default=5, help="pairs of runs a case (default 5)")
    add("--seconds", type=count, default=10, help="how long each side is measured (default 10)")
    add("--batch_size", type=count, default=128, help="images a batch (default 128)")
    add("--temporary_dir", type=Path, metavar="DIR", help="where larger sets and conversions are written")
    return parser


if __name__ == "__main__":
    sys.exit(main())
