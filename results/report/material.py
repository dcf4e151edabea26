"""What a report is made of: valid runs grouped by what was measured on what, and the runs that are left out."""

import functools
import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from results.frame import frame
from results.record import RunRecord
from results.report.prices import NO_PRICES, Prices
from results.scaling import EFFICIENCY_BOUND
from results.statistics.between_runs import Interval, interval
from results.table import printable

# What makes two runs repeats of one another, in the order in which it is told. Values are text, "" where not known.
_COLUMNS = (
    "model", "dataset", "accelerator", "num_gpus", "batch_size", "variable_update", "data_format", "precision", "xla",
    "optimizer", "tensorflow", "source",
)  # fmt: skip
_SETTINGS = ("local_parameter_device", "all_reduce_spec")
STRATEGY = ("variable_update", *_SETTINGS)  # flags that only together say what is done
FACTS = ("model", "dataset", "accelerator", "num_gpus", "batch_size", *STRATEGY, *_COLUMNS[6:], "platform")
IDENTITY = ("model", "dataset", "accelerator", "num_gpus")  # told in columns of their own, so never as a difference


@dataclass(frozen=True)
class Group:
    """Valid runs of one configuration on one kind of machine: repeats. One figure a run, never pooled steps."""

    facts: Mapping[str, str]
    records: tuple[RunRecord, ...]
    left_out: int = 0  # runs of the same configuration that are not valid

    @functools.cached_property
    def speeds(self) -> tuple[float, ...]:
        """Images per second of every run."""
        return tuple(record.steady_images_per_second or 0.0 for record in self.records)

    @functools.cached_property
    def interval(self) -> Interval | None:
        """The 95 % interval of the runs' geometric mean; None for one run."""
        return interval(self.speeds)

    @functools.cached_property
    def images_per_second(self) -> float:
        """The geometric mean over the runs, of all devices together."""
        return math.exp(statistics.fmean(map(math.log, self.speeds)))

    @property
    def devices(self) -> int | None:
        """Towers over all processes; None where not known."""
        return int(self.facts["num_gpus"]) if self.facts["num_gpus"] else None

    @property
    def validity(self) -> str:
        """In words, how many runs the figure stands on, and of what kind."""
        reported = sum(record.reported is not None for record in self.records)
        parts = [(len(self.records) - reported, "valid"), (reported, "reported"), (self.left_out, "left out")]
        return ", ".join(f"{count} {word}" for count, word in parts if count)


@dataclass(frozen=True)
class Material:
    """Groups in the order in which they first appear, and the records that enter no comparison.

    `accelerators` in the order of the report: the first is what others are held against.
    """

    groups: tuple[Group, ...]
    left_out: tuple[RunRecord, ...]
    accelerators: tuple[str, ...]
    efficiency_bound: float = EFFICIENCY_BOUND
    prices: Prices = field(default=NO_PRICES)

    def style(self, accelerator: str) -> int:
        """The number of the colour that an accelerator has throughout the report."""
        return self.accelerators.index(accelerator)


def gather(records: Sequence[RunRecord], **options: Any) -> Material:
    """Group `records`; `options` are the further fields of Material."""
    facts = facts_of(records)
    members: dict[tuple[str, ...], list[RunRecord]] = {}
    firsts: dict[tuple[str, ...], dict[str, str]] = {}
    left_out: list[RunRecord] = []
    missing: dict[tuple[str, ...], int] = {}
    for record, known in zip(records, facts, strict=True):
        key = (*known.values(), record.configuration_key)
        if record.valid and record.steady_images_per_second:
            members.setdefault(key, []).append(record)
            firsts.setdefault(key, known)
        else:
            left_out.append(record)
            missing[key] = missing.get(key, 0) + 1
    groups = tuple(Group(firsts[key], tuple(found), missing.get(key, 0)) for key, found in members.items())
    accelerators = tuple(dict.fromkeys(group.facts["accelerator"] for group in groups))
    return Material(groups, tuple(left_out), **({"accelerators": accelerators} | options))


def facts_of(records: Sequence[RunRecord]) -> list[dict[str, str]]:
    """For each record the FACTS as text on one line, "" where not known."""
    rows = frame(records)[list(_COLUMNS)].astype(object).to_dict("records")
    return [_facts(record, row) for record, row in zip(records, rows, strict=True)]


def varying(groups: Iterable[Group]) -> list[str]:
    """The facts in which `groups` differ."""
    found = list(groups)
    return [name for name in FACTS if len({group.facts[name] for group in found}) > 1]


def words(group: Group, names: Iterable[str]) -> str:
    """The facts `names` of a group in words; what is not known is passed over."""
    return words_of(group.facts, names)


def words_of(facts: Mapping[str, str], names: Iterable[str]) -> str:
    """The facts `names` in words; what is not known is passed over."""
    return ", ".join(fact_words(name, facts[name]) for name in names if facts[name])


def fact_words(name: str, value: str) -> str:
    """One fact in words that stand for themselves."""
    forms = {
        "num_gpus": f"{value} device" + ("" if value == "1" else "s"),
        "batch_size": f"batch {value}",
        "local_parameter_device": f"parameters on {value}",
        "all_reduce_spec": f"all-reduce {value}",
        "xla": f"XLA {value}",
        "tensorflow": f"TensorFlow {value}",
    }
    return forms.get(name, value)


def _facts(record: RunRecord, row: Mapping[Any, Any]) -> dict[str, str]:
    known = {name: "" if pd.isna(value) else str(value) for name, value in row.items()}
    known["platform"] = str(record.provenance.get("platform") or "")
    known |= {name: str(record.configuration.get(name) or "") for name in _SETTINGS}
    return {name: printable(known[name]) for name in FACTS}
