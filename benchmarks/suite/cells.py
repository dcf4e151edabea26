"""The cells of a suite: what each of them runs, how often, how long at most, and what follows a failure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from results.schema import canonical

_LONGEST_BYTES = 100_000  # Linux takes 128 KiB an argument (MAX_ARG_STRLEN), --FLAG= included


@dataclass(frozen=True)
class Cell:
    """One configuration of a suite, or a study.

    `flags` are its flags as they were written, without dashes; of a study, its own options. `retries` says by kind of
    failure how often a run is tried again. `batch_size` is the number of images a tower where `halves_batch`: if memory
    runs out, the batch is halved. `name` tells it from the other cells of its suite.
    """

    flags: Mapping[str, str]
    name: str
    study: str = ""
    repeats: int = 1
    time_limit: float = 3600.0  # seconds
    retries: Mapping[str, int] = field(default_factory=dict)
    halves_batch: bool = False
    batch_size: int = 0

    @property
    def id(self) -> str:
        """12 hex digits that stand for what it runs, in every suite and on every machine."""
        return _digest({"flags": dict(self.flags), "study": self.study})[:12]

    def arguments(self, batch_size: int = 0) -> list[str]:
        """Its flags as a command line has them, with another `batch_size` where that is not 0."""
        flags = dict(self.flags) | ({"batch_size": str(batch_size)} if batch_size else {})
        split = ("cases",) if self.study else ()  # that option is given once for each of its values
        values = {name: value.split(",") if name in split else [value] for name, value in flags.items()}
        return [f"--{name}={value}" for name, given in values.items() for value in given]

    def facts(self) -> dict[str, Any]:
        """It, as a journal keeps it."""
        return asdict(self) | {"id": self.id}

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> Cell:
        """The cell that a journal kept."""
        return cls(**{name: value for name, value in facts.items() if name != "id"})


def unpassable(text: str) -> str:
    """Why no process can be given `text` as a flag's value, in words; "" where one can."""
    if "\0" in text:
        return "has a NUL character, which no command line can have"
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        return "has half of a character (a surrogate), which no command line can have"
    return f"has {size:,} bytes, and a command line takes {_LONGEST_BYTES:,}" if size > _LONGEST_BYTES else ""


def plan_id(cells: Sequence[Cell]) -> str:
    """16 hex digits that stand for all that a suite does: the same on each of the machines that share it."""
    return _digest(sorted((cell.facts() for cell in cells), key=lambda facts: str(facts["id"])))[:16]


def shard(cells: Sequence[Cell], index: int, count: int) -> list[Cell]:
    """Part `index`, from 1, of `count` parts of `cells`: each cell is in one of them, with all of its repeats.

    Dealt out in the order of their ids, so that a grid's large cells do not all come to one machine.
    """
    dealt = sorted(cells, key=lambda cell: cell.id)[index - 1 :: count]
    return [cell for cell in cells if cell in dealt]


def names(cells: Sequence[Mapping[str, str]]) -> list[str]:
    """What to call cells with these flags: the model, if they name it, and what is not the same in all of them."""
    flags = dict.fromkeys(name for cell in cells for name in cell)
    varying = [name for name in flags if len({cell.get(name) for cell in cells}) > 1]
    return [_name(cell, varying) for cell in cells]


def _name(flags: Mapping[str, str], varying: Sequence[str]) -> str:
    told = [f"{name}={flags[name]}" for name in varying if name in flags and name != "model"]
    model = [flags["model"]] if "model" in flags else []
    return " ".join([*model, *told]) or "default"


def _digest(data: object) -> str:
    return hashlib.sha256(canonical(data).encode()).hexdigest()
