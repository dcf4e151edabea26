"""An all-reduce as data: which device adds up or passes on which elements, in which order. Imports no TensorFlow.

*Slots* hold what is exchanged, each on its device. The towers' slots come first and hold a tensor each, flat, all of
the same number of elements; further slots (CPUs that add up for GPUs) start empty. Steps name slots by number and
elements as `[begin, end)`. They take effect one after the other; what does not depend on one another runs side by side.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple


class Sum(NamedTuple):
    """Slot `at` gets the sum of what `sources` hold of these elements; with one source that is a copy."""

    at: int
    sources: tuple[int, ...]
    begin: int
    end: int


class Divide(NamedTuple):
    """Slot `at` divides what it holds of these elements by `divisor`."""

    at: int
    divisor: int
    begin: int
    end: int


class Joint(NamedTuple):
    """Each of `slots` gets the sum over them, by a library: `library` is "nccl" or "collective".

    `subdivisions` is the number of rings that the collective works on side by side.
    """

    library: str
    slots: tuple[int, ...]
    begin: int
    end: int
    subdivisions: int = 1


Step = Sum | Divide | Joint


class Extent(NamedTuple):
    """Elements of a slot."""

    slot: int
    begin: int
    end: int


@dataclass(frozen=True)
class Halves:
    """The two halves of every all-reduce, in between which sums can be made means at the least cost.

    After `reduce`, the sums over all participants are at `totals`; after `share`, every participant has them all.
    """

    totals: list[Extent]
    reduce: list[Step] = field(default_factory=list)
    share: list[Step] = field(default_factory=list)


@dataclass(frozen=True)
class Schedule:
    """Steps that leave, in the slots of all `towers`, the mean of the `elements` that the towers held.

    `devices` has one for each slot.
    """

    devices: tuple[str, ...]
    towers: int
    elements: int
    steps: tuple[Step, ...]

    @property
    def whole(self) -> bool:
        """Whether every step concerns all elements, so that a tensor may keep its shape."""
        return all((step.begin, step.end) == (0, self.elements) for step in self.steps)

    def sent_elements(self) -> Counter[str]:
        """Elements that leave each device.

        NCCL and the collective are counted as a ring among n devices: each sends 2 (n - 1) / n of the elements.
        """
        sent: Counter[str] = Counter()
        for step in self.steps:
            if isinstance(step, Sum):
                for source in (self.devices[slot] for slot in step.sources):
                    if source != self.devices[step.at]:
                        sent[source] += step.end - step.begin
            elif isinstance(step, Joint):
                among = len(step.slots)
                for slot in step.slots:
                    sent[self.devices[slot]] += round(2 * (among - 1) * (step.end - step.begin) / among)
        return sent


def mean_schedule(
    devices: Sequence[str], towers: int, elements: int, halves: Halves, *, divide_first: bool
) -> Schedule:
    """`halves`, an all-reduce among all towers, with the division that makes its sums means.

    It is done once for each sum, in the middle; with `divide_first`, on every tower before anything is added: for
    number formats in which the sum might overflow.
    """
    if towers == 1:
        return Schedule(tuple(devices), towers, elements, ())
    divided = [Extent(tower, 0, elements) for tower in range(towers)] if divide_first else halves.totals
    divide = [Divide(slot, towers, begin, end) for slot, begin, end in divided]
    steps = [*divide, *halves.reduce] if divide_first else [*halves.reduce, *divide]
    return Schedule(tuple(devices), towers, elements, (*steps, *halves.share))
