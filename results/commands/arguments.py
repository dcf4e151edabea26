"""Kinds of arguments that several commands take."""

from argparse import ArgumentTypeError
from pathlib import Path
from typing import NamedTuple

from results import durations
from results.record import RunRecord
from results.selection import Selection, select
from results.store import FolderError

RUNS = (
    "a record, a folder, or several with commas between; with @WORD behind it only the runs made with --tag=WORD, "
    "or of the set, suite or cell of a suite that is called so"
)


class Runs(NamedTuple):
    """Which runs an argument means: those of `paths`, or only those with `word` as their tag, set, suite or cell."""

    paths: list[Path]
    word: str
    text: str

    @property
    def place(self) -> str:
        """The argument without its word."""
        return self.text.rpartition("@")[0] if self.word else self.text


def count(text: str) -> int:
    """An argument's whole number, at least 1."""
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"'{text}' is no whole number of at least 1")
    return int(text)


def seconds(text: str) -> float:
    """An argument's length of time, such as 90s or 1h30m, in seconds."""
    try:
        return durations.seconds(text)
    except ValueError as problem:
        raise ArgumentTypeError(str(problem)) from None


def runs(text: str) -> Runs:
    """Return what "runs", "a.json,b.json", "runs@nightly" mean; a path that exists is meant as it stands."""
    head, at, word = text.rpartition("@")
    if _exists(text) or not at or not head or not word:
        return Runs(_paths(text), "", text)
    return Runs(_paths(head), word, text)


def selected(chosen: Runs) -> Selection:
    """Read the runs; raise FolderError where there is none, or none with that word."""
    records, left_out = select(chosen.paths)
    if not chosen.word:
        return Selection(records, left_out)
    named = [record for record in records if chosen.word in _words(record)]
    if not named:
        # It needs pandas, for which who takes a kind of argument must not wait.
        from results.commands.choices import choices

        words = ", ".join(sorted({word for record in records for word in _words(record)})) or "none at all"
        told = f"No run has '{chosen.word}', of {chosen.text}, as its tag, its set, its suite or its cell."
        of_cells = [record for record in records if record.suite.get("cell")]
        raise FolderError("\n".join([f"{told} There is: {words}.", *choices(of_cells, chosen.place)]))
    return Selection(named, left_out)


def fraction(text: str) -> float:
    """Return "2%" or "0.02" as 0.02; at least 0 and below 1."""
    number, percent = (text.removesuffix("%").strip(), text.endswith("%"))
    try:
        value = float(number) / (100 if percent else 1)
    except ValueError:
        raise ArgumentTypeError(f"'{text}' is no share such as 2% or 0.02") from None
    if not 0 <= value < 1:
        raise ArgumentTypeError(f"'{text}' is not at least 0 and below 1; two per cent is 2% or 0.02")
    return value


def share(value: float) -> str:
    """Return 0.02 as "2%", in the way that a help text has it."""
    return f"{100 * value:.3g}%%"


def listed(text: str) -> list[str]:
    """Return "a,b" as its parts."""
    return [part.strip() for part in text.split(",") if part.strip()]


def _paths(text: str) -> list[Path]:
    return [Path(text)] if _exists(text) or "," not in text else [Path(part) for part in listed(text)]


def _exists(text: str) -> bool:
    try:
        return Path(text).exists()
    except OSError:  # a list of files can be longer than a name may be
        return False


def _words(record: RunRecord) -> list[str]:
    words = [record.params.get("tag"), record.params.get("repeat_set")]
    return [str(word) for word in (*words, *map(record.suite.get, ("suite", "set", "cell"))) if word]
