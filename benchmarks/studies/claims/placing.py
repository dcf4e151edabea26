"""The claims about devices: operations pinned to them, soft placement, copies between them, several that compute."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from benchmarks.studies.claims.claim import Case, Claim, Measured, Missing, Promise, Way
from benchmarks.studies.claims.machine import Machine
from benchmarks.topology.speed import HANDED_OVER, duration
from results import placement
from results.sections import size

UNIT = "steps/sec"
SECONDS = 8.0  # of a program, most of which is TensorFlow's start
_PROGRAM = ("-m", "benchmarks.studies.claims.programs.placing")
_EITHER, _BETTER, _NOT_WORSE = Promise(either=True), Promise(), Promise(not_worse=True)

# What a case is called: the two ways, each by its title and by what the program calls it, and what is claimed.
_ADD_N = (("several devices", "several"), ("one device", "one"))
_COPIES = (("one device", "together"), ("two in turn", "alternating"))
_OF_ANY = {
    "pinned or free": (("pinned", "pinned"), ("free", "free"), _EITHER),
    "soft or strict": (("soft placement", "soft"), ("strict", "strict"), _NOT_WORSE),
}
_OF_GPUS = {"matrix work": (("on the GPU", "pinned"), ("on the CPU", "host"), _BETTER)}


def _cases(machine: Machine) -> Sequence[Case | Missing]:
    second = "" if machine.towers > 1 else "a second GPU" if machine.gpus else "a second core"
    gpu = "" if machine.gpus else "a GPU that TensorFlow sees"
    # Devices of one CPU share what they compute with, and hand buffers over: nothing is claimed of those.
    promise = _BETTER if machine.gpus else _EITHER
    of_two = {"add_n": (*_ADD_N, promise), "copies between devices": (*_COPIES, promise)}
    return [
        Missing(name, lacks) if lacks else _case(machine, name, *what)
        for cases, lacks in ((of_two, second), (_OF_ANY, ""), (_OF_GPUS, gpu))
        for name, what in cases.items()
    ]


def _case(machine: Machine, name: str, advised: tuple[str, str], other: tuple[str, str], promise: Promise) -> Case:
    return Case(
        name,
        _way(machine, *advised),
        _way(machine, *other),
        promise,
        seconds=SECONDS,
        unit=UNIT,
        reasons=partial(_reasons, advised[0], other[0]),
    )


def _way(machine: Machine, title: str, name: str) -> Way:
    return Way(title, program=(*_PROGRAM, f"--way={name}", f"--device={machine.device}", f"--devices={machine.towers}"))


def _reasons(title: str, other_title: str, advised: Sequence[Measured], other: Sequence[Measured]) -> list[str]:
    """Where operations were, what crossed devices and what that costs by itself, what became of a missing device."""
    first, second = advised[0], other[0]  # placed alike in every pair; what copies take differs
    here, there = _where(first.facts), _where(second.facts)
    return [
        f"Placed either way: {here}." if here == there else f"Placed: {title}: {here}; {other_title}: {there}.",
        *_copies(other),
        *_missing(title, first.facts),
        *_missing(other_title, second.facts),
        *_logical(first.facts, second.facts),
    ]


def _where(facts: dict[str, Any]) -> str:
    """Operations by device, what crosses devices, and what was moved."""
    told = list(placement.in_short(facts))
    return ", ".join(told if facts["crossing"] else [*told, "nothing crosses"])


def _copies(runs: Sequence[Measured]) -> list[str]:
    """What copies take by themselves, and what share of a step those that it makes would be."""
    crossing = {(each["from"], each["to"]): each["tensors"] for each in runs[0].facts["crossing"]}
    measured: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for copy in itertools.chain.from_iterable(run.facts.get("copies", ()) for run in runs):
        measured.setdefault((copy["from"], copy["to"]), []).append(copy)
    return [
        sentence
        for (source, target), copies in measured.items()
        for sentence in _copy(copies, crossing.get((source, target), 0) + crossing.get((target, source), 0), runs)
    ]


def _copy(copies: Sequence[dict[str, Any]], count: int, runs: Sequence[Measured]) -> Iterator[str]:
    """Of `copies` along one way, of which a step of the `runs` makes `count`."""
    way = f"A copy of {size(copies[0]['bytes'])} from {copies[0]['from']} to {copies[0]['to']}"
    measured = [copy for copy in copies if "problem" not in copy]
    if not measured:
        yield f"{way} was not measured: {copies[0]['problem']}."
        return
    handed = "" if measured[0]["copied"] else f" ({HANDED_OVER})"
    if len(measured) < len(copies):
        problem = next(copy["problem"] for copy in copies if "problem" in copy)
        handed += f", not measured in {len(copies) - len(measured)} of {len(copies)} runs ({problem})"
    found = duration([seconds for copy in measured for seconds in copy["seconds"]])
    if found is None:
        yield f"{way}: what it takes by itself is lost in the noise{handed}."
        return
    yield f"{way} takes {1e3 * found.value:.2f} ms by itself{handed}."
    if count:
        share = count * found.value * statistics.median(run.figure for run in runs)
        yield f"{count} of them are {share:.0%} of the step."


def _missing(title: str, facts: dict[str, Any]) -> list[str]:
    """What became of a product that asked for a device that is not there."""
    found = facts.get("missing_device")
    if not found:
        return []
    if "failed" in found:
        return [
            f"An operation for {found['asked_for']}, which is not there, ended the step ({title}): {found['failed']}"
        ]
    moved = sum(each["operations"] for each in found["moved"])
    there = ", ".join(sorted({each["device"] for each in found["moved"]}))
    return [f"{moved} operations for {found['asked_for']}, which is not there, ran on {there} ({title})."]


def _logical(*sides: dict[str, Any]) -> list[str]:
    """What devices of one CPU have in common, where one side has more of them than the other."""
    used = [set(facts["operations"]) for facts in sides]
    if len({*map(len, used)}) == 1 or not all(device.startswith("/cpu") for device in set().union(*used)):
        return []
    return ["These are logical devices of one CPU, which share its cores: of other devices this says nothing."]


PLACEMENT = Claim(
    "placement",
    "Operations can be pinned to devices; several devices compute more than one, and the CPU adds up; what crosses "
    "devices is copied, which costs; an operation whose device is missing runs elsewhere under soft placement, and "
    "fails without it.",
    "TensorFlow performance guide (2017) and its guide to using GPUs",
    _cases,
)
