"""`python -m benchmarks.inputs.imagenet`: ImageNet as TFRecord shards, from a folder of images or a generator."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from tqdm import tqdm

from benchmarks.errors import UserError
from benchmarks.inputs import converter, imagenet_folder, imagenet_sample
from benchmarks.inputs.cifar10_conversion import staging
from benchmarks.inputs.imagenet_conversion import Conversion, convert
from benchmarks.inputs.imagenet_findings import describe
from benchmarks.inputs.imagenet_folder import SAMPLE_IMAGES
from benchmarks.inputs.imagenet_plan import Plan

_PROGRAM = "python -m benchmarks.inputs.imagenet"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with `arguments`; returns its exit code."""
    options = _parser().parse_args(arguments)

    def convert_and_tell() -> str:
        return summary(prepare(options))

    return converter.run(
        _PROGRAM,
        convert_and_tell,
        interrupted="complete shards stay, and the same command goes on from there",
        debug=options.debug,
    )


def prepare(options: argparse.Namespace) -> Conversion:
    """Make the shards that the command's `options` ask for."""
    if bool(options.images) == options.sample:
        raise UserError("Give one of --images=FOLDER, to convert your images, and --sample, to generate some.")
    folder = options.data_dir
    try:
        folder.mkdir(parents=True, exist_ok=True)
        images = _sample_images(folder) if options.sample else options.images
    except OSError as error:
        raise UserError(
            f"Cannot write into --data_dir={folder}: {error.strerror or error}. Give another one."
        ) from error
    try:
        classes, splits = imagenet_folder.read(images, options.labels_file)
        plan = Plan(classes, splits, options.seed, options.shard_megabytes * 1e6)
        with _progress(plan.num_images, "converting") as bar:
            return convert(
                plan,
                folder,
                images=str(images.name),
                source="sample" if options.sample else "folder of images",
                max_bad=options.max_bad,
                on_images=bar.update,
            )
    finally:
        with contextlib.suppress(OSError):  # something did come of it
            folder.rmdir()


def summary(conversion: Conversion) -> str:
    """Lines for people on what stands where, and what was wrong with images."""
    manifest = conversion.manifest
    source = "a sample of generated images, not ImageNet" if manifest.is_sample else manifest.source
    lines = [f"Made from {manifest.archive} ({source}), in {conversion.folder}:"]
    for split in ("train", "validation"):
        shards = [count for file, count in manifest.examples.items() if file.startswith(f"{split}-")]
        lines.append(f"  {split}: {sum(shards):,} examples in {len(shards)} shard(s)")
    if conversion.resumed:
        lines.append(f"Of these shards {conversion.resumed} were there before.")
    if manifest.findings:
        lines += ["Images that were not RGB JPEGs (dataset.json names all):", describe(manifest.findings)]
    return "\n".join(lines) + "\n"


def _sample_images(folder: Path) -> Path:
    """The folder of generated images in `folder`; made if it is not there, and then there at once."""
    images = folder / SAMPLE_IMAGES
    if not images.is_dir():
        with staging(folder) as stage, _progress(imagenet_sample.NUM_IMAGES, "generating") as bar:
            imagenet_sample.write(stage / SAMPLE_IMAGES, on_images=bar.update)
            (stage / SAMPLE_IMAGES).replace(images)
    return images


def _progress(total: int, what: str) -> tqdm:
    """A bar that counts images, where a person can see it."""
    return tqdm(total=total, desc=what, unit=" images", disable=not sys.stderr.isatty())


def _path(text: str) -> Path:
    """The path that `text` names: --data_dir=~/data reaches the program as it stands."""
    return Path(text).expanduser()


def _at_least(bound: float, kind: type) -> Callable[[str], float]:
    def number(text: str) -> float:
        value: float = kind(text)
        if not value >= bound:
            raise argparse.ArgumentTypeError(f"{text} must be at least {bound:g}")
        return value

    number.__name__ = kind.__name__  # argparse names it in errors
    return number


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=_PROGRAM,
        description="Make train-00000-of-NNNNN and so on, and the same of validation, of the images in a folder.",
        epilog="The same command goes on where it was ended. Exit code 2: something given cannot be used, or more than "
        "--max_bad images had to be mended or left out.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--data_dir", type=_path, required=True, metavar="DIR", help="folder for the shards; made if it is not there")
    add(
        "--images",
        type=_path,
        metavar="FOLDER",
        help="FOLDER/train/CLASS/IMAGE and FOLDER/validation (or val)/CLASS/IMAGE, or FOLDER/CLASS/IMAGE to train on",
    )
    add("--sample", action="store_true", help="generate a small set of images in DIR/sample-images, and convert it")
    add(
        "--labels_file",
        type=_path,
        metavar="FILE",
        help="a class a line, as its folder is called, then a space and what it is in words; the first gets label 1. "
        "Without it labels follow the sorted names of the folders",
    )
    add("--seed", type=_at_least(0, int), default=0, metavar="N", help="of the images' order (default 0)")
    add(
        "--shard_megabytes",
        type=_at_least(0.001, float),
        default=100.0,
        metavar="MB",
        help="about the size of a shard, in millions of bytes (default 100)",
    )
    add(
        "--max_bad",
        type=_at_least(0, int),
        default=100,
        metavar="N",
        help="images that may be mended (CMYK, PNG) or left out (empty, damaged, unreadable, other formats) "
        "before the conversion stops; ImageNet itself has 23 to mend (default 100)",
    )
    add("--debug", action="store_true", help="show the traceback of an error")
    return parser


if __name__ == "__main__":
    sys.exit(main())
