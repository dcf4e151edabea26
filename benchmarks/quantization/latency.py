"""How long single images take by several models in turn. No TensorFlow in it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from benchmarks.turns import turns

ROUNDS = 4
CALLS = 25  # of each model a round: in all enough for a 99th percentile
MOST_SECONDS = 8.0  # of a block of calls; slow models make fewer
_WARMUP_CALLS = 2  # after another model has had the caches and the threads
_PERCENTILES = (50, 90, 99)


def latencies(
    calls: Mapping[str, Callable[[], object]],
    *,
    rounds: int = ROUNDS,
    clock: Callable[[], float] = time.perf_counter,
    on_block: Callable[[str, int], None] = lambda *_: None,
) -> dict[str, list[float]]:
    """The seconds of each call, by the model's name. Models take turns in blocks, every other round backwards.

    `on_block` is told the name and the round before each block.
    """
    found: dict[str, list[float]] = {name: [] for name in calls}
    for number, name in turns(list(calls), rounds):
        on_block(name, number)
        found[name] += _block(calls[name], clock)
    return found


def _block(call: Callable[[], object], clock: Callable[[], float]) -> list[float]:
    for _ in range(_WARMUP_CALLS):
        call()
    seconds: list[float] = []
    first = clock()
    while len(seconds) < CALLS and clock() - first < MOST_SECONDS:
        begin = clock()
        call()
        seconds.append(clock() - begin)
    return seconds


def percentiles(seconds: list[float]) -> dict[str, Any]:
    """What the record keeps of calls: their number, and the percentiles of their seconds (p50, p90, p99)."""
    found = np.percentile(seconds, _PERCENTILES)
    return {"calls": len(seconds)} | {
        f"p{share}_seconds": float(value) for share, value in zip(_PERCENTILES, found, strict=True)
    }
