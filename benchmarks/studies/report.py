"""How every study takes its command, writes its table and its JSON file, and ends."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from benchmarks import environment
from benchmarks.errors import ExitCode, UserError
from benchmarks.params.option import closest
from benchmarks.studies.pairs import Spread, Target
from results import files
from results.record import utc_now


def parser(program: str, description: str, other_forms: str = "") -> argparse.ArgumentParser:
    """A parser with `--output`; `description` says what the study measures, how, and how long it takes.

    `other_forms` says which flag writes text or pages, where one does.
    """
    flags = argparse.ArgumentParser(
        prog=f"python -m benchmarks.studies.{program}",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    flags.add_argument(
        "--output",
        type=lambda text: json_file(text, other_forms),
        metavar="FILE.json",
        help="also write every single figure as JSON",
    )
    return flags


def named(flag: str, names: str, known: Iterable[str]) -> list[str]:
    """The `names`, separated by commas, that `flag` gives. Raises UserError for one that is none of the `known`."""
    given, there = names.split(","), list(known)
    for name in given:
        if name not in there:
            meant = closest(name, there)
            hint = f" Did you mean '{meant}'?" if meant else ""
            raise UserError(f"{flag}={names}: there is no '{name}'.{hint} There are: {', '.join(there)}.")
    return given


def file(text: str) -> Path:
    """A flag's file. Without a name it would be the folder that one is in."""
    if not text:
        raise argparse.ArgumentTypeError("names no file")
    return Path(text)


def json_file(text: str, other_forms: str = "") -> Path:
    """A flag's file for JSON. Another ending would say that something else is in it; none, as of a pipe, is allowed."""
    path = file(text)
    if path.suffix.lower() not in ("", ".json"):
        raise argparse.ArgumentTypeError(f"{text!r} would be JSON: give FILE.json{other_forms and f'; {other_forms}'}")
    return path


def run(
    parser: argparse.ArgumentParser, study: Callable[[argparse.Namespace], None], arguments: Sequence[str] | None
) -> int:
    """Run `study` with the options in `arguments`; returns the exit code.

    An --output that cannot be written shows before anything is measured.
    """
    options = parser.parse_args(arguments)

    def checked() -> None:
        check_writable(options.output)
        study(options)

    return conclude(parser, checked)


def conclude(parser: argparse.ArgumentParser, study: Callable[[], None]) -> int:
    """Run `study`; returns the exit code. What the user can mend is one message."""
    try:
        study()
    except UserError as error:
        note(f"{parser.prog}: error: {error}")
        return ExitCode.UNUSABLE
    except KeyboardInterrupt:
        note(f"{parser.prog}: interrupted")
        return ExitCode.INTERRUPTED
    return ExitCode.VALID


def say(text: str) -> None:
    """A result, on stdout."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def note(text: str) -> None:
    """A word on how the study goes, on stderr."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def check_writable(path: Path | None, flag: str = "--output") -> None:
    """Raise UserError where `path`, which `flag` named, could not be written.

    What is there is kept: a study may not get to its end.
    """
    if path is None:
        return
    try:
        files.check_writable(path)
    except OSError as error:
        raise _unwritable(flag, path, error) from error


def save(path: Path | None, study: str, figures: dict[str, Any]) -> None:
    """Write `figures` to `path`, if there is one, with the time and the machine. Raises UserError where it cannot.

    Dataclasses among them are written as objects of their fields.
    """
    if path is None:
        return
    document = {"study": study, "written_at": utc_now(), "hardware": environment.hardware(), **figures}
    write(path, "--output", json.dumps(document, indent=1, default=dataclasses.asdict) + "\n")


def write(path: Path, flag: str, text: str) -> None:
    """Write `text` to `path`, which `flag` named. Raises UserError where it cannot."""
    try:
        files.write_whole(path, text.encode())
    except OSError as error:
        raise _unwritable(flag, path, error) from error


def _unwritable(flag: str, path: Path, error: OSError) -> UserError:
    return UserError(f"{flag}={path}: cannot be written: {error.strerror}. Give another file.")


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table, its columns padded so that it reads well as it stands; all but the first align right."""
    widths = [max(3, *(len(row[column]) for row in [headings, *rows])) for column in range(len(headings))]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    padded = [
        [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        for row in [headings, rule, *rows]
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in padded)


def ratio_text(value: Spread) -> str:
    """A median ratio and its range."""
    return f"{value.median:.3f} ({value.low:.3f}..{value.high:.3f})"


def target_text(target: Target | None) -> str:
    """A target as a column has it."""
    if target is None:
        return "none"
    return f"{'<=' if target.at_most else '>='} {target.bound:g}"


def verdict(value: float, target: Target | None) -> str:
    """Whether `value` meets the target."""
    if target is None:
        return "for information"
    return "met" if target.met(value) else "NOT met"
