"""What runs next: repeats interleaved over the suite in a random order, or where another run tells most."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from typing import NamedTuple

from benchmarks.suite.attempts import History, next_batch
from benchmarks.suite.cells import Cell
from results.statistics.between_runs import interval

FIRST = 2  # of each cell, before a budget is spent where it tells most: one run has no interval
_MOST_WITHOUT = 6  # repeats of a cell without two figures that are fit, and an interval: more would bring none either


class Turn(NamedTuple):
    """A repeat of a cell, from 1."""

    cell: Cell
    repeat: int


Order = list[tuple[int, int]]


def shuffled(repeats: Sequence[int], seed: int) -> Order:
    """Pairs of a cell's index and a repeat, for cells with so many `repeats` each.

    First all cells once, in random order, then those with a second repeat, and so on: drift hits all alike, and what
    is there when a night ends early is spread over all.
    """
    chance = random.Random(seed)
    order: Order = []
    for repeat in range(1, max(repeats, default=0) + 1):
        of_round = [(index, repeat) for index, count in enumerate(repeats) if count >= repeat]
        chance.shuffle(of_round)
        order += of_round
    return order


def left(cells: Sequence[Cell], order: Order, history: History) -> list[Turn]:
    """What of `order` is still to run."""
    given_up = {cell.id for cell in cells if history.given_up(cell)}
    turns = [Turn(cells[index], repeat) for index, repeat in order if cells[index].id not in given_up]
    return [turn for turn in turns if next_batch(turn.cell, history, turn.repeat) is not None]


def widest(
    cells: Sequence[Cell], history: History, seconds_left: float, expected: Callable[[Cell], float | None]
) -> Turn | None:
    """Another run of the cell whose mean is known worst for its size, of those that end in time; None for none.

    `expected` is how long a run of a cell takes. Studies, and cells that failed, are not run again. A cell whose runs
    gave no interval yet, as they were not fit for comparison, is known worst of all.
    """
    found = []
    for cell in cells:
        seconds = expected(cell)
        if cell.study or history.given_up(cell) or seconds is None or seconds > seconds_left:
            continue
        known, tried = interval(history.speeds(cell)), len(history.last(cell))
        if known:
            found.append(((known.high - known.low) / known.value, -tried, cell))
        elif 0 < tried < _MOST_WITHOUT:
            found.append((math.inf, -tried, cell))
    if not found:
        return None
    *_, cell = max(found, key=lambda each: each[:2])
    return Turn(cell, max(each.repeat for each in history.last(cell)) + 1)
