"""`python -m benchmarks.inputs.cifar10`: CIFAR-10 as TFRecord files, from its archive, the network or a generator."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.errors import UserError
from benchmarks.inputs import cifar10_archive, cifar10_download, cifar10_sample, converter
from benchmarks.inputs.cifar10_conversion import Conversion, convert, staging

SAMPLE_ARCHIVE = "cifar-10-sample.tar.gz"
_PROGRAM = "python -m benchmarks.inputs.cifar10"


def main(arguments: Sequence[str] | None = None, *, url: str = cifar10_download.URL) -> int:
    """Run the command with `arguments`; returns its exit code."""
    options = _parser().parse_args(arguments)

    def convert_and_tell() -> str:
        return summary(prepare(options.data_dir, archive=options.archive, sample=options.sample, url=url))

    return converter.run(_PROGRAM, convert_and_tell, interrupted="no data set was written", debug=options.debug)


def prepare(
    folder: Path, *, archive: Path | None = None, sample: bool = False, url: str = cifar10_download.URL
) -> Conversion:
    """Make the TFRecord files in `folder` from `archive`, from a generated sample, or from the archive at `url`."""
    if archive and sample:
        raise UserError(f"--sample makes its own archive and --archive={archive} names one; give one of them.")
    with _folder(folder):
        if sample:
            return _convert_sample(folder)
        return convert(cifar10_archive.read(archive or cifar10_download.fetch(folder, url=url)), folder)


def summary(conversion: Conversion) -> str:
    """Lines for people on what was written, from where, and what it replaced."""
    manifest, previous = conversion.manifest, conversion.previous
    source = "a sample of generated images, not CIFAR-10" if manifest.is_sample else manifest.source
    lines = [f"Made from {manifest.archive} ({source}), in {conversion.folder}:"]
    lines += [f"  {file}: {count:,} examples" for file, count in manifest.examples.items()]
    if conversion.replaced:
        origin = f" (from {previous.archive}, {previous.source})" if previous else ""
        lines.append(f"Replaced {', '.join(conversion.replaced)}{origin}.")
    return "\n".join(lines) + "\n"


def _convert_sample(folder: Path) -> Conversion:
    try:
        with staging(folder) as stage:
            archive = stage / SAMPLE_ARCHIVE
            cifar10_sample.write(archive)
            conversion = convert(cifar10_archive.read(archive), folder)
            archive.replace(folder / SAMPLE_ARCHIVE)
            return conversion
    except OSError as error:
        raise UserError(f"Cannot write into {folder}: {error.strerror or error}. Nothing was changed.") from error


@contextlib.contextmanager
def _folder(folder: Path) -> Iterator[None]:
    """Make `folder` if it is not there; take it away again if nothing came of it."""
    made = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = "it is a file" if folder.is_file() else error.strerror
        raise UserError(f"--data_dir={folder}: cannot make this folder: {reason}. Give another one.") from error
    try:
        yield
    except BaseException:
        if made:
            with contextlib.suppress(OSError):  # something did come of it: a finished download
                folder.rmdir()
        raise


def _path(text: str) -> Path:
    """The path that `text` names: --data_dir=~/data reaches the program as it stands."""
    return Path(text).expanduser()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=_PROGRAM,
        description="Make train.tfrecords, validation.tfrecords and eval.tfrecords of CIFAR-10.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--data_dir", type=_path, required=True, metavar="DIR", help="folder for the files; made if it is not there"
    )
    parser.add_argument(
        "--archive",
        type=_path,
        metavar="FILE",
        help="cifar-10-python.tar.gz; downloaded into DIR where it is not given",
    )
    parser.add_argument("--sample", action="store_true", help="make a small set of generated images; needs no network")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    return parser


if __name__ == "__main__":
    sys.exit(main())
