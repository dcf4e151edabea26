"""What was asked for and is not done: a value for each, to print and to record."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from benchmarks.params.option import Option, Status
from benchmarks.params.params import Params, options

NO_EFFECT = "no effect"


@dataclass(frozen=True)
class Notice:
    """An option that was given and does not act. `kind`: "not yet acting", "ignored" or "no effect"."""

    flag: str
    value: Any
    kind: str
    reason: str

    def __str__(self) -> str:
        return f"--{self.flag}={self.value}: {self.kind}: {self.reason}."


def notices(params: Params, given: Collection[str], heeded: Collection[str] | None = None) -> list[Notice]:
    """A notice for each of the `given` options that does not act in this run.

    An option that is off by default and given as off (`--eval_dir=`, `--staged_vars=false`) gets what it asks for.
    `heeded` are the options of a command that knows only some; None: all.
    """
    known = options() if heeded is None else heeded
    candidates = [_notice(option, params, name in known) for name, option in options().items() if name in given]
    return [notice for notice in candidates if notice]


def _notice(option: Option, params: Params, heeded: bool) -> Notice | None:
    value = getattr(params, option.name)
    if option.is_off(value):
        return None
    if option.status in (Status.NOT_YET, Status.IGNORED):
        return Notice(option.name, value, option.status.value, option.reason)
    if not heeded:
        return Notice(option.name, value, NO_EFFECT, "this command does without it")
    if option.acts and not option.acts.holds(params):
        return Notice(option.name, value, NO_EFFECT, f"it acts only {option.acts.text}")
    return None
