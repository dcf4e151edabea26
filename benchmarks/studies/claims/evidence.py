"""What the records of two ways tell of why one is faster: whole sentences, and none where they do not tell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.studies.claims import recorded
from benchmarks.studies.claims.claim import Measured, Reasons
from results.naming import counted
from results.record import RunRecord
from results.schema import section

ALIKE = 0.05  # what differs by less is not worth a word
_BUSY = 0.9  # of the cores: what is left is noise


@dataclass(frozen=True)
class Side:
    """The runs of one way, which are alike in all that is told here: the first that left a record speaks for them."""

    name: str
    runs: Sequence[Measured]

    @property
    def record(self) -> RunRecord | None:
        """The record of one of the runs, if they left any."""
        return next((run.record for run in self.runs if run.record), None)

    @property
    def operations(self) -> Counter[str]:
        """The types of operations in the optimised graph of a step."""
        found: Counter[str] = Counter()
        for kinds in section(self.record.placement, "operations").values() if self.record else ():
            found.update(kinds)
        return found

    def number(self, *parts: str) -> int:
        """How many operations are of a type that has all `parts` in its name."""
        return sum(count for kind, count in self.operations.items() if all(part in kind for part in parts))

    @property
    def layout(self) -> dict[str, Any]:
        """Data formats and transposes of that graph."""
        return section(self.record.placement, "layout") if self.record else {}

    @property
    def on_gpu(self) -> bool:
        """Whether the towers were on GPUs."""
        return bool(self.record and self.record.params.get("device") == "gpu")

    @property
    def onednn(self) -> bool | None:
        """Whether oneDNN was on; None where that is not known."""
        found = self.in_effect.get("onednn")
        return found if isinstance(found, bool) else None

    @property
    def in_effect(self) -> dict[str, Any]:
        """The settings that TensorFlow heeded."""
        return section(self.record.environment, "in_effect") if self.record else {}

    @property
    def peak_mib(self) -> float | None:
        """The most memory of the machine that a run held, as a rule."""
        return recorded.fact(self.runs, "peak_mib")

    def share(self, part: str) -> float | None:
        """The share of a traced step's operations' time that those with `part` in their type took."""
        times = section(self.record.trace, "milliseconds") if self.record else {}
        own = times.get("gpus" if self.on_gpu else "host", {})
        total = sum(own.values())
        return sum(time for kind, time in own.items() if part in kind) / total if total else None


Tell = Callable[[Side, Side], Iterator[str]]  # sentences on the advised way and the other


def reasons(advised: str, other: str, tells: Sequence[Tell]) -> Reasons:
    """The reasons of a case whose ways are called `advised` and `other`: what `tells` say of them, one by one."""

    def told(runs: Sequence[Measured], other_runs: Sequence[Measured]) -> list[str]:
        sides = Side(advised, runs), Side(other, other_runs)
        return [sentence for tell in tells for sentence in tell(*sides)]

    return told


def both(advised: Side, other: Side, tell: Callable[[Side], object]) -> str:
    """What `tell` says of each side, beside its name."""
    return f"{tell(advised)} with '{advised.name}', {tell(other)} with '{other.name}'"


def operations(advised: Side, other: Side) -> Iterator[str]:
    """How many operations a step has."""
    if advised.operations and other.operations:
        yield f"Operations in a step: {both(advised, other, lambda side: f'{side.operations.total():,}')}."


def by_onednn(advised: Side, other: Side) -> Iterator[str]:
    """How many of them oneDNN computes, where there are no GPUs."""
    if not (advised.operations and other.operations) or advised.on_gpu:
        return
    yield f"Operations that oneDNN computes: {both(advised, other, lambda side: side.number('_Mkl'))}."


def transposes(advised: Side, other: Side) -> Iterator[str]:
    """How often images are brought into another layout, and who asked for that."""
    sides = [side for side in (advised, other) if side.layout]
    if len(sides) < 2:
        return
    if not any(side.layout["transposes"] or side.layout["asked_for"] for side in sides):
        yield "The optimised graph of a step has no transpose, with either."
        return
    counts = both(advised, other, lambda side: side.layout["transposes"])
    yield f"Transposes in the optimised graph of a step: {counts}."
    put_in = {side.name: side.layout["transposes"] - side.layout["asked_for"] for side in sides}
    if more := [f"{count} with '{name}'" for name, count in put_in.items() if count > 0]:
        yield f"TensorFlow put in {' and '.join(more)}."
    if fewer := [f"{-count} with '{name}'" for name, count in put_in.items() if count < 0]:
        yield f"TensorFlow took out {' and '.join(fewer)} that the network asks for."
    if not any(put_in.values()):
        yield "All are the network's own: TensorFlow put none in."


def other_layouts(*sides: Side) -> Iterator[str]:
    """Which operations do not compute in the layout that was asked for."""
    for side in sides:
        found = side.layout.get("operations", {})
        asked = side.record.params.get("data_format") if side.record else None
        for layout, count in found.items():
            if layout != asked:
                yield (
                    f"With '{side.name}' {counted(count, 'operation')} of {sum(found.values())} that have a layout "
                    f"compute in {layout}, not in {asked}."
                )


def memory(advised: Side, other: Side) -> Iterator[str]:
    """How much memory the processes held, if that differs. What is on GPUs is not in it."""
    held, others = advised.peak_mib, other.peak_mib
    if held and others and abs(held / others - 1) > ALIKE:
        yield f"The process held {both(advised, other, lambda side: f'{side.peak_mib:,.0f} MiB')}."


def processors(advised: Side, other: Side) -> Iterator[str]:
    """How many processors the runs kept busy, of how many; nothing where the windows were too short to look."""
    used = {side.name: recorded.processors(side.runs) for side in (advised, other)}
    known = [each for each in used.values() if each is not None]
    cores = section(advised.record.hardware, "cpu").get("usable_cores") if advised.record else None
    if len(known) < len(used) or not cores:
        return
    busy = both(advised, other, lambda side: f"{used[side.name]:.1f}")
    # Busy is not useful: threads that wait for one another spin.
    idle = "" if min(known) < _BUSY * cores else ", so that hardly any was idle either way"
    yield f"Of {cores} cores the runs kept busy {busy}{idle}."


def gpus(advised: Side, other: Side) -> Iterator[str]:
    """How much of the time the GPUs computed; nothing where there were none."""
    shares = {side.name: recorded.gpu_utilisation(side.runs) for side in (advised, other)}
    if None not in shares.values():
        yield f"The GPUs computed in {both(advised, other, lambda side: f'{shares[side.name]:.0%}')} of the time."


def instructions(side: Side) -> tuple[str, set[str]]:
    """The model of the processor, and its instruction sets."""
    found = section(side.record.hardware, "cpu") if side.record else {}
    return str(found.get("model") or "the processor"), set(found.get("flags") or ())


def capability(side: Side) -> tuple[str, tuple[int, ...]]:
    """The first GPU of the machine, and its compute capability; () where it is not known."""
    gpus = side.record.hardware.get("gpus") if side.record else None
    found = gpus[0] if gpus else {}
    parts = str(found.get("compute_capability") or "").split(".")
    return str(found.get("name") or "the GPU"), tuple(map(int, parts)) if parts != [""] else ()
