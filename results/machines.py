"""What tells one machine from another, and what each is called beside the others: in as few words as tell it apart."""

import itertools
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

# Facts of a run's hardware, as a frame has them; two records that differ in one of these were not made on one machine.
HARDWARE = ("accelerator", "cpu", "usable_cores", "memory_gib", "virtualisation")

_Machine = tuple[str, ...]


def labels(entries: Iterable[Mapping[str, Any]], names: Iterable[str] = HARDWARE) -> list[str]:
    """Return what the machine of each entry is called: its accelerator, and what parts it from others that have it.

    An entry has facts of HARDWARE, None or "" where one is not known; `names` are those that part machines. Where an
    accelerator is in one machine only, its name is all that is told.
    """
    chosen = tuple(name for name in HARDWARE if name in set(names))
    machines = [tuple(_text(entry.get(name)) for name in chosen) for entry in entries]
    telling: dict[str, Sequence[int]] = {}
    for first in {machine[0] for machine in machines} if chosen else ():
        telling[first] = _telling({machine for machine in machines if machine[0] == first})
    words = {machine: _called(chosen, machine, telling[machine[0]]) for machine in set(machines) if machine}
    return [words.get(machine, "") for machine in machines]


def _telling(machines: Collection[_Machine]) -> Sequence[int]:
    """Return the fewest places after the first whose values are not the same in any two of `machines`."""
    places = range(1, len(next(iter(machines))))
    sets = itertools.chain.from_iterable(itertools.combinations(places, number) for number in range(len(places) + 1))
    return next(found for found in sets if len({tuple(each[i] for i in found) for each in machines}) == len(machines))


def _called(names: Sequence[str], machine: _Machine, telling: Sequence[int]) -> str:
    first, further = _words(names[0], machine[0]), [_words(names[place], machine[place]) for place in telling]
    told = ", ".join(filter(None, further))
    return f"{first} ({told})" if first and told else first or told


def _words(name: str, value: str) -> str:
    if not value:
        return ""
    forms = {
        "usable_cores": f"{value} core" + ("" if value == "1" else "s"),
        "memory_gib": f"{value} GiB",
        "virtualisation": "no guest" if value == "none" else f"a guest of {value}",
    }
    return forms.get(name, value)


def _text(value: Any) -> str:
    return "" if value is None else str(value)
