"""Which records a report is about: `--only=COLUMN=VALUE,VALUE`."""

import dataclasses
import difflib
from collections.abc import Iterable, Sequence

from results import frame
from results.record import RunRecord
from results.reference.hardware import matches
from results.report.material import FACTS, Material, facts_of

_DEVICE = "device"  # beside FACTS: the accelerator without what parts its machine from others


class SelectionError(Exception):
    """A selection that is unfit or leaves nothing; says what there is."""


def parse(texts: Iterable[str]) -> dict[str, list[str]]:
    """Read `accelerator=K80,P100` and the like into {column: values}; raise SelectionError where one is unfit."""
    found: dict[str, list[str]] = {}
    for text in texts:
        column, _, rest = text.partition("=")
        values = [value.strip() for value in rest.split(",") if value.strip()]
        if not values:
            raise SelectionError(f"--only={text}: write it as COLUMN=VALUE,VALUE, as in accelerator=K80,P100.")
        if column not in FACTS:
            close = difflib.get_close_matches(column, FACTS, 1)
            hint = f" Did you mean '{close[0]}'?" if close else ""
            raise SelectionError(f"--only={text}: no column '{column}'.{hint} There are: {', '.join(FACTS)}.")
        found[column] = found.get(column, []) + values
    return found


def choose(records: Sequence[RunRecord], filters: dict[str, list[str]]) -> list[RunRecord]:
    """The records that have, in every column of `filters`, one of its values.

    Raise SelectionError for a value that no record has: what was asked for would silently be missing.
    """
    if not filters:
        return list(records)
    facts = [known | {_DEVICE: frame.accelerator(each)} for known, each in zip(facts_of(records), records, strict=True)]
    for column, values in filters.items():
        for value in values:
            if not any(_means(column, value, known) for known in facts):
                there = sorted({known[column] for known in facts if known[column]})
                listed = ", ".join(there[:20]) + (" ..." if len(there) > 20 else "") or "not known of any record"
                raise SelectionError(f"--only={column}={value}: no record has it. In the records: {listed}.")
    chosen = [record for record, known in zip(records, facts, strict=True) if _fits(known, filters)]
    if not chosen:
        asked = " ".join(f"--only={column}={','.join(values)}" for column, values in filters.items())
        raise SelectionError(f"No record fits all of {asked}.")
    return chosen


def in_order(material: Material, names: Sequence[str]) -> Material:
    """The material with its accelerators in the order of `names`, as far as these mean them."""
    devices = {group.facts["accelerator"]: group.device_name for group in material.groups}

    def place(accelerator: str) -> int:
        device = devices[accelerator]
        return next((i for i, name in enumerate(names) if _is_called(name, accelerator, device)), len(names))

    return dataclasses.replace(material, accelerators=tuple(sorted(material.accelerators, key=place)))


def _fits(known: dict[str, str], filters: dict[str, list[str]]) -> bool:
    return all(any(_means(column, value, known) for value in values) for column, values in filters.items())


def _means(column: str, value: str, known: dict[str, str]) -> bool:
    if column == "accelerator":
        return _is_called(value, known[column], known[_DEVICE])
    return value.lower() == known[column].lower()


def _is_called(name: str, accelerator: str, device: str) -> bool:
    """Whether `name` means a `device`, wherever it is, or an `accelerator` with all that parts its machine from others.

    The latter may have the name of a processor in it, which is not what is meant by that name.
    """
    return matches(name, device) or name.lower() == accelerator.lower()
