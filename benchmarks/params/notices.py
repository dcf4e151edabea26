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


def notices(params: Params, given: Collection[str]) -> list[Notice]:
    """A notice for each of the `given` options that does not act in this run.

    An option that is off by default and given as off (`--eval_dir=`, `--staged_vars=false`) gets what it asks for.
    """
    candidates = [_notice(option, params) for name, option in options().items() if name in given]
    return [notice for notice in candidates if notice]


def _notice(option: Option, params: Params) -> Notice | None:
    value = getattr(params, option.name)
    if option.is_off(value):
        return None
    if option.status in (Status.NOT_YET, Status.IGNORED):
        return Notice(option.name, value, option.status.value, option.reason)
    if option.acts and not option.acts.holds(params):
        return Notice(option.name, value, NO_EFFECT, f"it acts only {option.acts.text}")
    return None
