"""One option of a run, declared once: flags, checks, help text and warnings all derive from the declaration."""

from __future__ import annotations

import dataclasses
import difflib
import enum
import math
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


class Status(enum.Enum):
    """What becomes of an option that is given."""

    ACTING = "acting"
    NOT_YET = "not yet acting"  # accepted with a warning, and recorded
    NOT_BUILT = "not built yet"  # an error: a run that leaves it out would be a different thing
    IGNORED = "ignored"  # accepted with a warning, and recorded: TensorFlow 2 has nothing to set
    REFUSED = "refused"  # an error that names the replacement


@dataclass(frozen=True)
class Condition:
    """When an acting option has an effect: `text` completes the sentence "It acts only ..."."""

    text: str
    holds: Callable[[Any], bool]


# How to write the values of each type, in help and in errors.
KINDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}


@dataclass(frozen=True, kw_only=True)
class Option:
    """The declaration of one option.

    `kind` is the type of a value, `optional` whether None (not given) is one too. Bounds are inclusive, except
    `above`. `reason` explains any status but ACTING. `tcb` says what differs from tf_cnn_benchmarks. `share` marks a
    number that may be written as a percentage. `run_only` marks
    what is no part of a run's configuration: two runs that differ in nothing else are repeats of one another; `rerun`
    marks those of them that a rerun of a record has all the same. `hosts` marks a value that names hosts, which records
    leave out. `internal` marks what a command gives to the runs that it starts: nobody else has a use for it.
    """

    name: str = ""
    group: str = ""
    kind: type = str
    optional: bool = False
    default: Any = None
    help: str = ""
    choices: tuple[str, ...] | None = None
    lower_bound: float | None = None
    upper_bound: float | None = None
    above: float | None = None
    status: Status = Status.ACTING
    reason: str = ""
    tcb: str = ""
    acts: Condition | None = None
    run_only: bool = False
    rerun: bool = False
    share: bool = False
    hosts: bool = False
    internal: bool = False

    def parse(self, text: str) -> Any:
        """The value that `text` stands for. Raises ValueError with the whole problem where it stands for none."""
        if self.kind is str:
            return self._spelled_as_declared(text)
        try:
            return _share(text.strip()) if self.share else _READERS[self.kind](text.strip())
        except ValueError:
            shown = f"--{self.name}={text}" if text else f"--{self.name}= (empty)"
            raise ValueError(f"{shown} is not {self.kind_in_words}. {self.help}") from None

    @property
    def kind_in_words(self) -> str:
        """How to write a value, for help and errors."""
        return f"{KINDS[self.kind]}, or a percentage" if self.share else KINDS[self.kind]

    def _spelled_as_declared(self, text: str) -> str:
        """`text` in the letter case of the choice that it is: --device=GPU and --data_format=nchw are understood."""
        spellings = {choice.lower(): choice for choice in self.choices or ()}
        return spellings.get(text.lower(), text)

    def problem(self, value: Any) -> str | None:
        """What is wrong with `value` by itself, or None."""
        given = f"--{self.name}={value}"
        if self.optional and value is None:
            return None
        if self.choices is not None and value not in self.choices:
            return f"{given} is none of: {self._listed()}.{_did_you_mean(str(value), self.choices)}"
        if self.kind is float and not math.isfinite(value):
            return f"{given} is not finite. {self.help}"
        if limit := self._broken_limit(value):
            return f"{given} must be {limit}. {self.help}"
        if self.is_off(value):
            return None
        if self.status is Status.REFUSED:
            return f"{given} is refused: {self.reason}"
        if self.status is Status.NOT_BUILT:
            return f"{given} is not built yet: {self.reason}"
        return None

    def is_off(self, value: Any) -> bool:
        """Whether `value` asks for nothing: the option is off by default, and `value` leaves it off."""
        return not value and not self.default

    def _listed(self) -> str:
        """The choices for people, the empty text made visible."""
        return ", ".join(choice or "'' (empty)" for choice in self.choices or ())

    def _broken_limit(self, value: Any) -> str | None:
        """The bound that `value` breaks, in words."""
        if self.lower_bound is not None and value < self.lower_bound:
            return f"at least {self.lower_bound}"
        if self.upper_bound is not None and value > self.upper_bound:
            return f"at most {self.upper_bound}"
        if self.above is not None and value <= self.above:
            return f"above {self.above}"
        return None


def option(
    default: Any,
    help: str,  # noqa: A002  the word that declarations read best with
    *,
    not_yet: str = "",
    not_built: str = "",
    ignored: str = "",
    refused: str = "",
    **declaration: Any,
) -> Any:
    """A dataclass field that declares an option. Name, type and group come from where it stands.

    At most one of `not_yet`, `not_built`, `ignored` and `refused` gives the reason why it does not act; the rest of
    `declaration` are fields of `Option`.
    """
    reasons = {
        Status.NOT_YET: not_yet,
        Status.NOT_BUILT: not_built,
        Status.IGNORED: ignored,
        Status.REFUSED: refused,
    }
    stated = [(status, reason) for status, reason in reasons.items() if reason]
    assert len(stated) <= 1, f"more than one status: {stated}"
    status, reason = stated[0] if stated else (Status.ACTING, "")
    declared = Option(default=default, help=help, status=status, reason=reason, **declaration)
    return dataclasses.field(default=default, metadata={"option": declared})


def options_of(group: type) -> list[Option]:
    """The options that the dataclass `group` declares, in its order, completed with their names and types."""
    annotations = typing.get_type_hints(group)
    title = group.TITLE  # type: ignore[attr-defined]  # every group has one; a test goes over all
    return [
        dataclasses.replace(
            field.metadata["option"],
            name=field.name,
            group=title,
            kind=_kind(annotations[field.name]),
            optional=_is_optional(annotations[field.name]),
        )
        for field in dataclasses.fields(group)
    ]


def closest(name: str, names: typing.Iterable[str]) -> str | None:
    """The one of `names` that `name` was most likely meant to be, or None."""
    matches = difflib.get_close_matches(name, list(names), n=1)
    return matches[0] if matches else None


def _did_you_mean(value: str, choices: tuple[str, ...]) -> str:
    match = closest(value, choices)
    return f" Did you mean {match!r}?" if match else ""


def _is_optional(annotation: Any) -> bool:
    return isinstance(annotation, types.UnionType)


def _kind(annotation: Any) -> type:
    """`int` of `int` and of `int | None`."""
    kind = typing.get_args(annotation)[0] if _is_optional(annotation) else annotation
    assert kind in KINDS, f"an option cannot be {kind}"
    return typing.cast("type", kind)


def _share(text: str) -> float:
    """0.01 of "1%" as of "0.01"."""
    return float(text[:-1]) / 100 if text.endswith("%") else float(text)


def _boolean(text: str) -> bool:
    """The words that absl takes, and yes and no."""
    word = text.lower()
    if word in ("true", "t", "1", "yes", "y"):
        return True
    if word in ("false", "f", "0", "no", "n"):
        return False
    raise ValueError(text)


_READERS: dict[type, Callable[[str], Any]] = {bool: _boolean, int: int, float: float}
