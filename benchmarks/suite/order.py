"""What runs next: repeats interleaved over the suite in a random order, or where another run tells most."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import NamedTuple

from benchmarks.suite.attempts import History, next_batch
from benchmarks.suite.cells import Cell
from results.statistics.between_runs import interval

FIRST = 2  # of each cell, before a budget is spent where it tells most: one run has no interval


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

    `expected` is how long a run of a cell takes. Studies, and cells that failed, are not run again.
    """
    found = []
    for cell in cells:
        known = interval(history.speeds(cell))
        seconds = expected(cell)
        if known and not history.given_up(cell) and seconds is not None and seconds <= seconds_left:
            found.append(((known.high - known.low) / known.value, cell))
    if not found:
        return None
    _, cell = max(found, key=lambda pair: pair[0])
    return Turn(cell, max(each.repeat for each in history.last(cell)) + 1)
