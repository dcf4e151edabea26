"""Between frozen dataclasses and standard JSON: every field there, and of the kind that its dataclass declares.

JSON has no NaN and no infinities. A float that is not finite is written as the string "nan", "inf" or "-inf". Where a
dataclass declares a float the string becomes a float again on reading; in the free-form sections (`dict[str, Any]`) it
stays a string.
"""

import dataclasses
import functools
import json
import math
import numbers
import os
import types
import typing
from collections.abc import Mapping
from typing import Any

NOT_IN_FILE = {"in_file": False}  # metadata of a field that says something about the object, not about the run
ADDED_LATER = {"may_be_missing": True}  # metadata of a field that older files of the same schema version lack
_NON_FINITE = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}
_DATACLASS, _OPTIONAL = object(), object()
_AS_THEY_ARE = frozenset((bool, int, type(None)))  # types of which JSON has every value


class RecordError(Exception):
    """A record that cannot be read or made; names the file (if there is one), the field and the reason."""

    def __init__(self, reason: str, field: str = "", file: str = "") -> None:
        where = f"field '{field}': " if field else ""
        super().__init__(f"{file}: {where}{reason}" if file else f"{where}{reason}")
        self.reason = reason
        self.field = field
        self.file = file

    def in_file(self, file: str) -> "RecordError":
        """Return the same error, with the file it was found in."""
        return RecordError(self.reason, self.field, file)


def plain(value: object, field: str) -> Any:
    """Return `value` in the types that JSON knows: numpy scalars, paths, tuples and dataclasses are converted."""
    if type(value) in _AS_THEY_ARE:
        return value
    if type(value) is str:
        return value if value.isascii() else _plain_text(value)
    if type(value) is float:  # apart from the numbers below, as it is by far the most common
        return _plain_float(value)
    if isinstance(value, dict | list | tuple):
        return _plain_container(value, field)
    return _plain_other(value, field)


def _plain_container(value: dict[Any, Any] | list[Any] | tuple[Any, ...], field: str) -> Any:
    # Many entries need nothing; to see that here saves them a call and the making of a name.
    if isinstance(value, dict):
        return {
            key if type(key) is str else _key(key, field): (
                entry if type(entry) in _AS_THEY_ARE else plain(entry, f"{field}.{key}")
            )
            for key, entry in value.items()
        }
    return [
        entry if type(entry) in _AS_THEY_ARE else plain(entry, f"{field}[{index}]") for index, entry in enumerate(value)
    ]


def _plain_other(value: object, field: str) -> Any:
    if isinstance(value, str):
        return _plain_text(str.__str__(value))  # the text itself, of a string enumeration too
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real):
        return _plain_float(float(value))
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, Mapping):
        return _plain_container(dict(value), field)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            name: plain(getattr(value, name), f"{field}.{name}" if field else name) for name in _stored(type(value))
        }
    raise RecordError(f"a {type(value).__name__} cannot be written as JSON", field)


def dump(data: object) -> str:
    """Return plain data as indented standard JSON with a last newline."""
    return json.dumps(data, indent=1, allow_nan=False) + "\n"


def section(facts: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return the object `name` of a free-form section; an empty one where it has none of that shape."""
    found = facts.get(name)
    return found if isinstance(found, dict) else {}


def canonical(data: object) -> str:
    """Return plain data as the one JSON text that equal data share: sorted keys, no spaces, ASCII."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), allow_nan=False)


def parse(text: str) -> Any:
    r"""Read standard JSON; raise RecordError on anything else, the bare words NaN and Infinity included.

    So is half a surrogate pair (an escape such as `\ud800` alone), which could not be printed or written again.
    """
    try:
        data = json.loads(text, parse_constant=_refuse_constant)
        if "\\ud" in text or "\\uD" in text:
            json.dumps(data, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise RecordError("a text in it is half a surrogate pair, which is no text") from None
    except ValueError as error:
        raise RecordError(f"not JSON, or cut short: {error}") from None
    return data


def decode(kind: Any, value: object, field: str = "", **known: Any) -> Any:
    """Return `value`, as JSON gave it, as an object of the declared `kind`; raise RecordError where it does not fit.

    `known` are arguments of a dataclass that are no fields.
    """
    origin, first = _shape(kind)
    if origin is None:
        return _decode_scalar(kind, value, field)
    if origin is _DATACLASS:
        return _decode_dataclass(kind, value, field, known)
    if origin is _OPTIONAL:
        return None if value is None else decode(first, value, field)
    if origin is tuple:
        if not isinstance(value, list):
            raise _expected("a list", value, field)
        if first is float and set(map(type, value)) <= {float}:  # the long lists, quickly
            return tuple(value)
        return tuple(decode(first, entry, f"{field}[{index}]") for index, entry in enumerate(value))
    if not isinstance(value, dict):
        raise _expected("an object", value, field)
    return value


@functools.cache
def _shape(kind: Any) -> tuple[object, Any]:
    """Return what a declared kind is (_DATACLASS, _OPTIONAL, tuple, dict, or None for a scalar), and of what."""
    if dataclasses.is_dataclass(kind):
        return _DATACLASS, None
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):  # always "something or None"
        return _OPTIONAL, arguments[0]
    return origin, arguments[0] if arguments else None


def _decode_dataclass(kind: Any, value: object, field: str, known: dict[str, Any]) -> Any:
    if not isinstance(value, dict):
        raise _expected("an object", value, field)
    found = {}
    for name, (hint, may_be_missing) in _stored(kind).items():
        path = f"{field}.{name}" if field else name
        if name in value:
            found[name] = decode(hint, value[name], path)
        elif not may_be_missing:
            raise RecordError("missing", path)
    try:
        return kind(**found, **known)
    except RecordError as error:
        raise RecordError(error.reason, f"{field}.{error.field}" if field else error.field) from None


def _decode_scalar(kind: Any, value: object, field: str) -> Any:
    if kind is float:
        if isinstance(value, str) and value in _NON_FINITE:
            return _NON_FINITE[value]
        if isinstance(value, float):
            return value
        if isinstance(value, int) and not isinstance(value, bool):
            return _float_of(value, field)
        raise _expected("a number", value, field)
    if type(value) is not kind:  # `type`, as a bool is an int to isinstance
        raise _expected({str: "a string", int: "a whole number", bool: "true or false"}[kind], value, field)
    return value


def _float_of(value: int, field: str) -> float:
    try:
        return float(value)
    except OverflowError:
        raise RecordError("a whole number too large for a float", field) from None


@functools.cache
def _stored(kind: type) -> dict[str, tuple[Any, bool]]:
    """Return the fields of a dataclass that a file holds: name -> (type, may be missing)."""
    hints = typing.get_type_hints(kind)
    return {
        field.name: (hints[field.name], bool(field.metadata.get("may_be_missing")))
        for field in dataclasses.fields(kind)
        if field.metadata.get("in_file", True)
    }


def _plain_text(value: str) -> str:
    r"""Return `value` as proper Unicode: bytes of a file name that are none arrive as `\udcff` and are spelt out."""
    return value.encode("utf-8", "backslashreplace").decode()


def _plain_float(value: float) -> float | str:
    return value if math.isfinite(value) else str(value)  # str gives exactly "nan", "inf" and "-inf"


def _key(key: object, field: str) -> str:
    if not isinstance(key, str):
        raise RecordError(f"the key {key!r} is not a string", field)
    return key if key.isascii() else _plain_text(key)


def _refuse_constant(word: str) -> None:
    raise ValueError(f"{word} is no standard JSON")


def _expected(kind: str, value: object, field: str) -> RecordError:
    shown = repr(value)
    return RecordError(f"expected {kind}, found {shown if len(shown) <= 40 else shown[:37] + '...'}", field)
