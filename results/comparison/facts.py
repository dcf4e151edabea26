"""What two records must share to be compared: settings and conditions, as flat facts."""

import difflib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from results.conditions import SOFTWARE, conditions, settings
from results.machines import HARDWARE
from results.record import RunRecord
from results.repeats import FASTEST, SLOWEST, has_mean
from results.schema import canonical
from results.suites import records_set_aside
from results.texts import shown

Facts = dict[str, str]

_LABELS = {"gpu": "GPU", "cpu": "CPU"}
_GROUPS = {
    "hardware": tuple("gpu" if name == "accelerator" else name for name in HARDWARE),
    "software": SOFTWARE,
}
SOFTWARE_FACTS = frozenset(SOFTWARE)
DOUBTFUL = "not valid"  # why a record is left out that is checks.NOT_VALID
COMPUTED_WRONG = "that computed something wrong"  # likewise checks.WRONG
CONDITION_FACTS = frozenset((*_GROUPS["hardware"], *SOFTWARE))


class Run(NamedTuple):
    """A run as comparisons see it: one value in images/s, above 0, and what it was measured on and with."""

    images_per_second: float
    facts: Facts
    record: RunRecord


class Admitted(NamedTuple):
    """The runs of one side, and how many records did not become one, by the reason."""

    runs: list[Run]
    left_out: dict[str, int]


def admit(records: Iterable[RunRecord], include_invalid: bool = False) -> Admitted:
    """Return the records that can enter a comparison: those that are valid, unless all are asked for.

    The trials of a search never can, nor attempts at a run that its suite made again after them.
    """
    records = list(records)
    runs, left_out, aside = [], Counter[str](), records_set_aside(records)
    for record in records:
        speed, told = record.steady_images_per_second, facts(record)
        if record.record_id in aside:
            left_out[aside[record.record_id]] += 1
        elif not (record.valid or include_invalid):
            left_out[COMPUTED_WRONG if record.wrong else DOUBTFUL] += 1
        elif not speed:
            left_out["without a figure"] += 1
        elif not has_mean(speed):
            left_out[f"with a figure beyond {SLOWEST:g} to {FASTEST:g} images/s"] += 1
        elif "model" not in told:
            left_out["without a model"] += 1
        else:
            runs.append(Run(speed, told, record))
    return Admitted(runs, dict(left_out))


def facts(record: RunRecord) -> Facts:
    """Return what is known of the settings and conditions of `record`, as text.

    `gpu` is the accelerator, or "none" for a run on the processor, whose model is `cpu`.
    """
    found = {name: _text(value) for name, value in settings(record).items()}
    for name in ("synthetic", "sample"):  # the same data_name may stand for generated images
        if name in record.dataset:
            found[f"dataset_{name}"] = _text(record.dataset[name])
    around = conditions(record)
    accelerator = around.pop("accelerator", None)
    if record.configuration.get("device") == "cpu":
        accelerator = "none"
    if accelerator:
        around["gpu"] = accelerator
    return found | around


def differences(a: Mapping[str, str], b: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Return the facts that are known of both and differ, with both values."""
    return {name: (value, b[name]) for name, value in a.items() if b.get(name, value) != value}


def described(differing: Mapping[str, tuple[str, str]]) -> str:
    """Return differences in words: "GPU differs (A100 vs H100)"."""
    return ", ".join(
        f"{_LABELS.get(name, name)} differs ({shown(a)} vs {shown(b)})" for name, (a, b) in differing.items()
    )


def allowed_fields(given: Iterable[str], known: Collection[str]) -> frozenset[str]:
    """Return the facts that --allow_different names; "hardware" and "software" name several.

    Raise ValueError for a name that no record has.
    """
    names: set[str] = set()
    for name in given:
        if name in _GROUPS:
            names.update(_GROUPS[name])
        elif name in CONDITION_FACTS or name in known:
            names.add(name)
        else:
            close = difflib.get_close_matches(name, [*known, *CONDITION_FACTS, *_GROUPS], 1)
            hint = f" Did you mean '{close[0]}'?" if close else ""
            raise ValueError(
                f"--allow_different: no record has a field '{name}'.{hint} It takes flags of the runs, "
                f"{', '.join(sorted(CONDITION_FACTS))}, and hardware or software for all of these."
            )
    return frozenset(names)


def _text(value: object) -> str:
    if type(value) is int:  # by far the most common, and quicker
        return str(value)
    return value if isinstance(value, str) else canonical(value)
