"""What the records of a case tell beside the figures of `recorded`, and sentences on it for its reasons."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from benchmarks.studies.claims import recorded
from benchmarks.studies.claims.claim import Measured
from results.record import RunRecord

_BUSY = 0.9  # of the cores: what is left is noise


def records(*sides: Sequence[Measured]) -> Iterator[RunRecord]:
    """The records of `sides`; programs of a study's own leave none."""
    return (run.record for side in sides for run in side if run.record)


def told(record: RunRecord, *path: str) -> Any:
    """What a record has at `path`, as ("environment", "in_effect"); None where it has nothing there."""
    found: Any = getattr(record, path[0])
    for name in path[1:]:
        found = found.get(name) if isinstance(found, dict) else None
    return found


def processors_used(advised: Sequence[Measured], other: Sequence[Measured]) -> list[str]:
    """How many processors the runs of either side kept busy, of how many; nothing where the windows were too short."""
    used = [recorded.processors(side) for side in (advised, other)]
    cores = next((told(each, "hardware", "cpu", "usable_cores") for each in records(advised)), None)
    if used[0] is None or used[1] is None or not cores:
        return []
    sentence = f"The runs kept {used[0]:.1f} (advised) and {used[1]:.1f} of {cores} cores busy"
    if min(used[0], used[1]) < _BUSY * cores:
        return [f"{sentence}."]
    return [f"{sentence}: neither waited, and only less work could make one faster."]


def gpus_used(advised: Sequence[Measured], other: Sequence[Measured]) -> list[str]:
    """How much of the time the GPUs computed; nothing where there were none."""
    shares = [recorded.gpu_utilisation(side) for side in (advised, other)]
    if shares[0] is None or shares[1] is None:
        return []
    return [f"The GPUs computed in {shares[0]:.0%} (advised) and {shares[1]:.0%} of the time."]
