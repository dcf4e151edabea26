"""What a claim is: cases that each hold an advised way against another, and what the advice promises of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from typing import Any, NamedTuple

from benchmarks.studies.claims.machine import Machine
from results.record import RunRecord

IMAGES_PER_SECOND = "images/sec"
PAIRS = 5  # of each case, at most, where nothing else is asked for


class Preparation(NamedTuple):
    """The words after `python` of a program that makes files, and the seconds that it takes, roughly, on two cores."""

    program: tuple[str, ...]
    seconds: float


@dataclass(frozen=True)
class Way:
    """One side of a case, measured in a fresh process.

    `flags` are those of run_benchmark.py, whose record gives the figure. Where that cannot do it, `program` has the
    words after `python` of a program that ends its output with a line of JSON: {"figure": number, "facts": {...}}.
    `prepared_by` makes the files that the way reads: it is run once, before the first way that names it, and no figure
    counts it.
    """

    name: str
    flags: tuple[str, ...] = ()
    program: tuple[str, ...] = ()
    prepared_by: Preparation | None = None


class Measured(NamedTuple):
    """One measurement of a way: its figure, what else it told, and the record of the run, if it was one."""

    figure: float
    facts: dict[str, Any]
    record: RunRecord | None = None


@dataclass(frozen=True)
class Promise:
    """What is claimed of the advised way, as times as good as the other: between `least` and `most`, if it says so.

    `not_worse`: only that it is no worse. `either`: nothing, the case asks which of the two is better.
    """

    least: float = 1.0
    most: float | None = None
    not_worse: bool = False
    either: bool = False

    def __str__(self) -> str:
        if self.either:
            return "either"
        if self.not_worse:
            return "no worse"
        if self.most is not None:
            return f"{self.least:g} to {self.most:g}"
        return f"at least {self.least:g}" if self.least > 1 else "better"


Reasons = Callable[[Sequence[Measured], Sequence[Measured]], Sequence[str]]


@dataclass(frozen=True)
class Case:
    """`advised` against `other`. `seconds`: what a run of either takes, roughly, on two cores.

    `unit`: of the figures; `less_is_better` where they are costs, as bytes. `reasons`: given the measurements of both
    ways, what they say on why the effect is what it is, and why it may not be what is claimed; whole sentences.
    """

    name: str
    advised: Way
    other: Way
    promise: Promise = field(default_factory=Promise)
    seconds: float = 15.0
    unit: str = IMAGES_PER_SECOND
    less_is_better: bool = False
    reasons: Reasons = lambda _advised, _other: ()

    @property
    def preparations(self) -> tuple[Preparation, ...]:
        """What makes the files that its ways read, each once."""
        return tuple(dict.fromkeys(way.prepared_by for way in (self.advised, self.other) if way.prepared_by))


class Missing(NamedTuple):
    """A case that this machine cannot run, and what it lacks, as "a GPU that TensorFlow sees"."""

    name: str
    lacks: str


@dataclass(frozen=True)
class Claim:
    """A piece of advice. `says`: in one sentence. `source`: where it is given.

    `cases`: what can be measured of it on a machine, the most telling case first; told the folder for files that the
    ways read, which exists and is removed at the end.
    """

    name: str
    says: str
    source: str
    cases: Callable[[Machine], Sequence[Case | Missing]]


def asked(name: str, patterns: Sequence[str]) -> bool:
    """Whether the case `name` is one of those that `patterns` (* stands for anything) mean; without any, all are."""
    return not patterns or any(fnmatch(name, pattern) for pattern in patterns)


def quoted(names: Iterable[str]) -> str:
    """Names of cases, in which there may be commas."""
    return ", ".join(f"'{name}'" for name in names)
