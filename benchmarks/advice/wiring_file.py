"""Wiring that another machine has told: the JSON that `python -m benchmarks.topology --output=FILE` writes there."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

from benchmarks.errors import UserError
from benchmarks.telemetry.wiring import Gpu, Link, Wiring

_LARGEST = 16 * 2**20  # bytes; that of 16 GPUs has 30,000


def read(path: Path) -> Wiring:
    """The wiring in `path`. Raise UserError where there is none, or not of every two GPUs."""
    try:
        found = _wiring(_document(path))
    except OSError as error:
        raise UserError(f"--wiring={path}: cannot be read: {error.strerror}. Give another file.") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        told = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
        raise UserError(
            f"--wiring={path} is not what python -m benchmarks.topology --output=FILE writes: {told}."
        ) from error
    return found


def beside_links(path: Path) -> Wiring | None:
    """The wiring that stands in `path` beside links that were measured; None where it was not known there."""
    try:
        return _wiring(_document(path)["wiring"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None  # whether the links can be read is for their reader to say


def _document(path: Path) -> Any:
    with path.open(encoding="utf-8") as stream:
        text = stream.read(_LARGEST + 1)
    if len(text) > _LARGEST:
        raise ValueError("it is too large")
    return json.loads(text)


def _wiring(facts: Any) -> Wiring:
    gpus = tuple(
        Gpu(int(each["index"]), _text(each["name"]), _text(each.get("bus")), each.get("numa_node"), None)
        for each in facts["gpus"]
    )
    links = {}
    for each in facts["links"]:
        first, second = sorted(map(int, each["gpus"]))
        links[first, second] = Link(str(each["level"]), int(each["nvlinks"]), _truth(each["peers"]))
    missing = [pair for pair in itertools.combinations(sorted(gpu.index for gpu in gpus), 2) if pair not in links]
    if not gpus or missing:
        raise ValueError(f"it does not tell what is between GPUs {missing[0]}" if missing else "it has no GPU")
    return Wiring(gpus, links)


def _text(value: Any) -> str | None:
    if value is not None and not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _truth(value: Any) -> bool | None:
    if value is not None and not isinstance(value, bool):
        raise TypeError(f"{value!r} is neither true nor false")
    return value
