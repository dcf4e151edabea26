"""Several ways to make a step, timed in turn, in blocks of steps. No TensorFlow in it."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from benchmarks.diagnosis.usage import Meter, Usage
from benchmarks.turns import turns

ROUNDS = 5
BLOCK_SECONDS = 2.0
# What a pipeline has made while others had their turn is used up before anything is timed: a third of each block, and
# as many steps as the buffers that the experiment asks for hold, and a little more.
LEAD_STEPS = 4
_LEAD_SHARE = 1 / 3
_LEAST_STEPS = 2  # timed in a block
_FIRST_STEPS = 3  # of each way, before the first round: one-time costs


@dataclass(frozen=True)
class Block:
    """Mean time of a step in one block, in seconds, and what was used meanwhile."""

    step_seconds: float
    usage: Usage


def measure_rounds(
    ways: Mapping[str, Callable[[], object]],
    *,
    rounds: int = ROUNDS,
    block_seconds: float = BLOCK_SECONDS,
    gpus: Callable[[], float | None] | None = None,
    clock: Callable[[], float] = time.perf_counter,
    on_block: Callable[[str, int], None] = lambda _way, _round: None,
) -> dict[str, list[Block]]:
    """A block of each of `ways` in each round, in turn; every other round goes backwards.

    `on_block` is told the way and the number of the round, from 1, before each block, and may raise.
    """
    for way, step in ways.items():
        on_block(way, 0)
        for _ in range(_FIRST_STEPS):
            step()
    blocks: defaultdict[str, list[Block]] = defaultdict(list)
    for number, way in turns(list(ways), rounds):
        on_block(way, number)
        blocks[way].append(_block(ways[way], block_seconds, gpus, clock))
    return {way: blocks[way] for way in ways}


def _block(
    step: Callable[[], object], seconds: float, gpus: Callable[[], float | None] | None, clock: Callable[[], float]
) -> Block:
    _steps(step, LEAD_STEPS, seconds * _LEAD_SHARE, clock)
    meter = Meter(gpus)
    each = _steps(step, _LEAST_STEPS, seconds * (1 - _LEAD_SHARE), clock)
    return Block(each, meter.usage())


def _steps(step: Callable[[], object], least: int, seconds: float, clock: Callable[[], float]) -> float:
    """Make `least` steps or more, for so many `seconds` or longer; the mean time of one."""
    begin, made = clock(), 0
    while made < least or clock() - begin < seconds:
        step()
        made += 1
    return (clock() - begin) / made
