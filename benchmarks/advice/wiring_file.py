"""Wiring that another machine has told: the JSON that `python -m benchmarks.topology --output=FILE` writes there."""

from __future__ import annotations

import dataclasses
import itertools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.advice import rates
from benchmarks.errors import UserError
from benchmarks.telemetry.wiring import UNKNOWN, Gpu, Link, Wiring
from variable_mgr.link_graph import LEVELS

UNFIT = (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError)  # what reading others raises
_LARGEST = 16 * 2**20  # bytes; that of 16 GPUs has 30,000
_MOST_NVLINKS = 64  # of a GPU; the most today are 18
_MOST_CORES = 2**16  # numbers of cores: Linux is built for 8192 at most, so a larger one is damage


def read(path: Path) -> Wiring:
    """The wiring in `path`. Raise UserError where there is none, or not of every two GPUs."""
    try:
        found = _wiring(document(path))
    except OSError as error:
        raise UserError(f"--wiring={path}: cannot be read: {error.strerror}. Give another file.") from error
    except UNFIT as error:
        raise UserError(
            f"--wiring={path} is not what python -m benchmarks.topology --output=FILE writes: {told(error)}."
        ) from error
    return found


def told(error: Exception) -> str:
    """What is wrong with a file, in words; `error` is one of UNFIT."""
    return f"it lacks {error}" if isinstance(error, KeyError) else str(error)


def beside_links(path: Path) -> Wiring | None:
    """The wiring that stands in `path` beside links that were measured; None where it was not known there."""
    try:
        return _wiring(document(path)["wiring"])
    except (OSError, *UNFIT):
        return None  # whether the links can be read is for their reader to say


def document(path: Path) -> Any:
    """The JSON in `path`. Raise OSError, or one of UNFIT."""
    with path.open(encoding="utf-8") as stream:
        text = stream.read(_LARGEST + 1)
    if len(text) > _LARGEST:
        raise ValueError("it is too large")
    return json.loads(text)


def _wiring(facts: Any) -> Wiring:
    gpus, broken = tuple(map(_gpu, facts["gpus"])), tuple(str(_text(each)) for each in facts.get("broken", ()))
    indices = sorted(gpu.index for gpu in gpus)
    if not (gpus or broken) or len(set(indices)) < len(indices):
        raise ValueError(f"it has several GPUs of one index: {indices}" if gpus else "it has no GPU")
    links = {}
    for each in facts["links"]:
        first, second = sorted(map(int, each["gpus"]))
        links[first, second] = _link(each)
    if missing := [pair for pair in itertools.combinations(indices, 2) if pair not in links]:
        raise ValueError(f"it does not tell what is between GPUs {missing[0]}")
    if not all("switched" in each for each in facts["links"]) and _counted_for_each(gpus, links):
        links = {pair: dataclasses.replace(link, switched=link.nvlinks > 0) for pair, link in links.items()}
    return Wiring(gpus, links, broken)


def _gpu(facts: Any) -> Gpu:
    texts = (_text(facts["name"]), _text(facts.get("bus")))
    node, cores = facts.get("numa_node"), facts.get("cores")
    numbers = [each for each in (node, *(cores or ())) if each is not None]
    if odd := [each for each in numbers if type(each) is not int or not 0 <= each < _MOST_CORES]:
        raise ValueError(f"nodes and cores of a GPU must be whole numbers from 0 on, one is {str(odd[0])[:20]}")
    return Gpu(int(facts["index"]), *texts, node, tuple(cores) if cores else None, _text(facts.get("uuid")))


def _link(facts: Any) -> Link:
    level, nvlinks = facts["level"], facts["nvlinks"]
    if type(nvlinks) is not int or not 0 <= nvlinks <= _MOST_NVLINKS:
        raise ValueError(f"nvlinks of GPUs {facts['gpus']} must be from 0 to {_MOST_NVLINKS}, is {str(nvlinks)[:20]}")
    known = level if level in LEVELS else UNKNOWN
    reason, switched = _text(facts.get("peer_problem")), bool(_truth(facts.get("switched")))
    return Link(known, nvlinks, _truth(facts["peers"]), reason, switched)


def _counted_for_each(gpus: Sequence[Gpu], links: Mapping[tuple[int, int], Link]) -> bool:
    """Whether a GPU has more NVLinks to the others together than it has at all: then they are those to a switch.

    Files do not say it where they were written before `switched` was in them.
    """
    if not gpus:
        return False
    own = rates.links(next((gpu.name for gpu in gpus if gpu.name), "")).nvlinks
    first = min(gpu.index for gpu in gpus)
    return own > 0 and sum(link.nvlinks for pair, link in links.items() if first in pair) > own


def _text(value: Any) -> str | None:
    if value is not None and not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _truth(value: Any) -> bool | None:
    if value is not None and not isinstance(value, bool):
        raise TypeError(f"{value!r} is neither true nor false")
    return value
