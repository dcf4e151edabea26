"""What a report is made of: valid runs grouped by what was measured on what, and the runs that are left out."""

import functools
import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from results import frame
from results.checks import NOT_VALID, WRONG
from results.machines import labels
from results.record import RunRecord
from results.repeats import SAME, has_mean, repeats
from results.report.prices import NO_PRICES, Prices
from results.report.revisions import revisions
from results.scaling import EFFICIENCY_BOUND
from results.statistics.between_runs import Interval, interval
from results.statistics.two_sides import Ratio, ratio
from results.suites import records_set_aside
from results.texts import printable

# What a reader is told of a run, and what so parts rows, in this order. Values are text, "" where not known. The
# accelerator goes with what parts its machine from others that have it.
_COLUMNS = (
    "model", "dataset", "accelerator", "num_gpus", "batch_size", "variable_update", "data_format", "precision", "xla",
    "optimizer", "tensorflow", "source", "revision",
)  # fmt: skip
_SETTINGS = ("local_parameter_device", "all_reduce_spec")
STRATEGY = ("variable_update", *_SETTINGS)  # flags that only together say what is done
FACTS = ("model", "dataset", "accelerator", "num_gpus", "batch_size", *STRATEGY, *_COLUMNS[6:], "platform")
IDENTITY = ("model", "dataset", "accelerator", "num_gpus")  # told in columns of their own, so never as a difference


@dataclass(frozen=True)
class Group:
    """Runs of one configuration on one kind of machine: repeats. One figure a run, never pooled steps.

    They are valid, unless those that are not were asked for.
    """

    facts: Mapping[str, str]
    records: tuple[RunRecord, ...]
    left_out: int = 0  # runs of the same configuration that do not enter

    @functools.cached_property
    def speeds(self) -> tuple[float, ...]:
        """Images per second of every run."""
        return tuple(filter(None, (record.steady_images_per_second for record in self.records)))

    @functools.cached_property
    def interval(self) -> Interval | None:
        """The 95 % interval of the runs' geometric mean; None for one run."""
        return interval(self.speeds)

    @functools.cached_property
    def images_per_second(self) -> float:
        """The geometric mean over the runs, of all devices together."""
        return statistics.geometric_mean(self.speeds)

    def over(self, base: "Group") -> Ratio:
        """The ratio of this throughput to that of `base`, with the interval that a comparison of the two has."""
        return ratio(base.speeds, self.speeds)

    @property
    def device_name(self) -> str:
        """What the towers ran on, without what parts its machine from others."""
        return printable(frame.accelerator(self.records[0]))

    @property
    def devices(self) -> int | None:
        """Towers over all processes; None where not known."""
        return int(self.facts["num_gpus"]) if self.facts["num_gpus"] else None

    @property
    def validity(self) -> str:
        """In words, how many runs the figure stands on, and of what kind."""
        kinds = Counter(map(kind, self.records)) + Counter({"left out": self.left_out})
        parts = [(kinds[word], word) for word in ("valid", "reported", NOT_VALID, WRONG, "left out")]
        return ", ".join(f"{count} {word}" for count, word in parts if count)


def kind(record: RunRecord) -> str:
    """What a run in a figure is: "valid" or "reported" by another program, or else NOT_VALID or WRONG."""
    if not record.valid:
        return WRONG if record.wrong else NOT_VALID
    return "reported" if record.reported is not None else "valid"


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

    @property
    def device_names(self) -> tuple[str, ...]:
        """What the towers ran on, each once, whatever machine it is in."""
        return tuple(dict.fromkeys(group.device_name for group in self.groups if group.device_name))

    def style(self, accelerator: str) -> int:
        """The number of the colour that an accelerator has throughout the report."""
        return self.accelerators.index(accelerator)


def gather(records: Sequence[RunRecord], include_invalid: bool = False, **options: Any) -> Material:
    """Group `records`, those that are valid unless all are asked for; `options` are the further fields of Material.

    As in comparisons, trials of a search and attempts that a suite made again never enter.
    """
    aside = records_set_aside(records)

    def enters(record: RunRecord) -> bool:
        return (
            record.record_id not in aside
            and (record.valid or include_invalid)
            and has_mean(record.steady_images_per_second)
        )

    groups = []
    for found in repeats(zip(records, facts_of(records), strict=True), _identity, (*SAME, *FACTS)):
        entered = tuple(record for record, _ in found if enters(record))
        if entered:
            groups.append(Group(found[0][1], entered, len(found) - len(entered)))
    left_out = tuple(record for record in records if not enters(record))
    accelerators = tuple(dict.fromkeys(group.facts["accelerator"] for group in groups))
    return Material(tuple(groups), left_out, **({"accelerators": accelerators} | options))


def facts_of(records: Sequence[RunRecord]) -> list[dict[str, str]]:
    """For each record the FACTS as text on one line, "" where not known."""
    machines = labels(map(frame.hardware, records))
    known_of_all = zip(records, machines, revisions(records), strict=True)
    return [_facts(record, accelerator=machine, revision=revision) for record, machine, revision in known_of_all]


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


def _facts(record: RunRecord, **beside_the_others: str) -> dict[str, str]:
    known = {name: value for name, value in frame.facts(record).items() if value is not None}
    known |= beside_the_others
    known["platform"] = record.provenance.get("platform") or ""
    known |= {name: record.configuration.get(name) or "" for name in _SETTINGS}
    return {name: printable(str(known.get(name, ""))) for name in FACTS}


def _identity(entry: tuple[RunRecord, Mapping[str, str]]) -> dict[str, str]:
    """What parts groups: what tells records apart everywhere, and FACTS, as a reader takes one row to be one thing."""
    record, facts = entry
    return {**facts, "configuration_key": record.configuration_key}
