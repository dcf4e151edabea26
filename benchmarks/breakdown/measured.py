"""`--step_breakdown`: after a run, find out what the parts of its step take."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from benchmarks.breakdown.ways import build_ways
from benchmarks.diagnosis.rounds import measure_rounds
from benchmarks.workload import Workload
from results.breakdown import break_down
from results.statistics.between_runs import Interval
from results.statistics.within_run import describe

# Each gives one difference a part, and it takes several to know how far those scatter: more and shorter rounds than a
# diagnosis has, which only ranks.
ROUNDS = 10
BLOCK_SECONDS = 1.0


def measured_breakdown(
    workload: Workload,
    own_steps: Sequence[float],
    on_block: Callable[[str, int], None],
    *,
    rounds: int = ROUNDS,
    block_seconds: float = BLOCK_SECONDS,
) -> dict[str, Any]:
    """The `step_breakdown` section of the record of `workload`, whose run took `own_steps`, in seconds.

    `on_block` is told what is measured next, and in which round; it may raise.
    """
    blocks = measure_rounds(build_ways(workload), rounds=rounds, block_seconds=block_seconds, on_block=on_block)
    seconds = {way: [block.step_seconds for block in of_way] for way, of_way in blocks.items()}
    return break_down(seconds, *_own_step(own_steps))


def _own_step(seconds: Sequence[float]) -> tuple[Interval | None, str]:
    """The mean steady step of the run with its interval, or why there is none."""
    found = describe(seconds)
    if found is None:
        return None, "none was measured"
    if found.low_seconds is None or found.high_seconds is None:
        return None, found.unsteady or found.too_few
    return Interval(found.mean_seconds, found.low_seconds, found.high_seconds), ""
