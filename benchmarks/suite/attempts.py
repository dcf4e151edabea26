"""What became of a suite's runs so far, and what follows from it: whether to try again, and with which batch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from benchmarks.errors import ExitCode
from benchmarks.memory import says_out_of_memory
from benchmarks.suite.cells import Cell
from results.checks import NOT_FINITE, WRONG
from results.record import RunRecord

DONE, INVALID, CRASH, OUT_OF_MEMORY, HANG = "done", "invalid", "crash", "out_of_memory", "hang"
UNUSABLE, INTERRUPTED, SKIPPED = "unusable", "interrupted", "skipped"
OUTCOMES = (DONE, INVALID, CRASH, OUT_OF_MEMORY, HANG, UNUSABLE, INTERRUPTED, SKIPPED)
_GIVEN_UP_AFTER = (CRASH, OUT_OF_MEMORY, HANG, UNUSABLE, SKIPPED)  # what would come again with the next repeat


class Attempt(NamedTuple):
    """One process of a suite: the `number`-th of a cell's repeat, both from 1. `outcome` is one of those above.

    `code` is what the process ended with, `seconds` what all of it took. `record` is the name of the file that tells
    of it, "" for a study that ended well, or was skipped because this machine lacks what it takes. `batch_size` is what
    it ran with where the batch was halved, else 0. `wrong`: whether it computed something wrong, as its record says.
    """

    cell: str
    repeat: int
    number: int
    outcome: str
    code: int
    seconds: float
    record: str = ""
    message: str = ""
    images_per_second: float | None = None
    batch_size: int = 0
    wrong: bool = False

    @property
    def failed(self) -> bool:
        """Whether there is nothing to show for it, and should be."""
        return self.outcome not in (DONE, INVALID, SKIPPED)

    @property
    def doubt(self) -> str:
        """What its figure must not be used for; "" where it may be."""
        if self.outcome != INVALID:
            return ""
        return WRONG if self.wrong or self.code == ExitCode.INVALID else "not fit for comparison"

    @property
    def exit_code(self) -> ExitCode:
        """What a suite ends with for it."""
        if self.outcome == SKIPPED:
            return ExitCode.VALID
        if self.outcome in (DONE, INVALID):
            return ExitCode(self.code) if self.code in set(ExitCode) else ExitCode.FAILED
        return ExitCode.UNUSABLE if self.outcome == UNUSABLE else ExitCode.FAILED


def outcome_of(record: RunRecord) -> str:
    """How the run ended that left `record`."""
    if record.status == "completed":
        return DONE if record.valid else INVALID
    if record.status == "interrupted":
        return INTERRUPTED
    return OUT_OF_MEMORY if says_out_of_memory(record.message) else CRASH


def message_of(record: RunRecord) -> str:
    """Why the run that left `record` failed, or is not fit for comparison."""
    return record.message or "; ".join(record.problems)


def code_of(record: RunRecord) -> ExitCode:
    """What the run ended with that left `record`, of which no more is known."""
    if record.status != "completed":
        return ExitCode.FAILED
    accepted = record.params.get("allow_nonfinite_loss")
    wrong = [each for each in record.wrong if not (accepted and each.startswith(NOT_FINITE))]
    return ExitCode.INVALID if wrong else ExitCode.VALID


class History:
    """The attempts of all cells."""

    def __init__(self, attempts: Iterable[Attempt] = ()) -> None:
        self._of: defaultdict[str, defaultdict[int, list[Attempt]]] = defaultdict(lambda: defaultdict(list))
        self.all: list[Attempt] = []
        for attempt in attempts:
            self.add(attempt)

    def add(self, attempt: Attempt) -> None:
        """Keep another one."""
        self._of[attempt.cell][attempt.repeat].append(attempt)
        self.all.append(attempt)

    def attempts(self, cell: Cell, repeat: int) -> list[Attempt]:
        """Those of one repeat, but for the interrupted: they count as if they had not been."""
        return [attempt for attempt in self._of[cell.id][repeat] if attempt.outcome != INTERRUPTED]

    def last(self, cell: Cell) -> list[Attempt]:
        """The last attempt of each repeat that needs no more, so all that ran did so with the same batch."""
        return [
            attempts[-1]
            for repeat in sorted(self._of[cell.id])
            if (attempts := self.attempts(cell, repeat)) and next_batch(cell, self, repeat) is None
        ]

    def outgrown_for_good(self, cell: Cell) -> list[Attempt]:
        """The last attempts that ran with a larger batch than the cell has now, and do not run again: it is given up.

        Their figures are of another configuration.
        """
        if not self.given_up(cell):
            return []
        last = [attempts[-1] for repeat in sorted(self._of[cell.id]) if (attempts := self.attempts(cell, repeat))]
        return [each for each in last if each.outcome in (DONE, INVALID) and self.outgrown(each, cell)]

    def ended(self, cell: Cell) -> list[Attempt]:
        """The last attempt of each repeat that is over, of whatever batch."""
        return [*self.last(cell), *self.outgrown_for_good(cell)]

    def speeds(self, cell: Cell, outcome: str = DONE) -> list[float]:
        """Images/sec of its runs that ended so, one a run: those with the batch that it has now."""
        batch = self.batch_size(cell)
        done = [each for each in self.last(cell) if each.outcome == outcome and each.batch_size == batch]
        return [each.images_per_second for each in done if each.images_per_second]

    def seconds(self, cell: Cell) -> list[float]:
        """What its runs took, as far as they came to an end of their own."""
        return [each.seconds for each in self._all_of(cell) if each.outcome in (DONE, INVALID)]

    def batch_size(self, cell: Cell) -> int:
        """What it runs with since memory ran out; 0: what it asks for."""
        return min((each.batch_size for each in self._all_of(cell) if each.batch_size), default=0)

    def outgrown(self, attempt: Attempt, cell: Cell) -> bool:
        """Whether its repeat runs again, as memory ran out in a later one, and a smaller batch fitted.

        Else the cell's figures would be of two configurations.
        """
        batch = self.batch_size(cell)
        ran = (each for each in self._all_of(cell) if each.outcome in (DONE, INVALID))
        return attempt.batch_size != batch and any(each.batch_size == batch for each in ran)

    def given_up(self, cell: Cell) -> Attempt | None:
        """The attempt after which its other repeats are not tried: they would end in the same way."""
        return next((each for each in self.last(cell) if each.outcome in _GIVEN_UP_AFTER), None)

    def _all_of(self, cell: Cell) -> list[Attempt]:
        return [attempt for attempts in self._of[cell.id].values() for attempt in attempts]


def next_batch(cell: Cell, history: History, repeat: int) -> int | None:
    """The batch for the next attempt of `repeat` (0: the one that the cell asks for); None where it needs no more."""
    attempts = history.attempts(cell, repeat)
    if not attempts:
        return history.batch_size(cell)
    last = attempts[-1]
    if last.outcome in (DONE, INVALID) and history.outgrown(last, cell):
        return history.batch_size(cell)
    if last.outcome in (DONE, UNUSABLE, SKIPPED):
        return None
    alike = sum(each.outcome == last.outcome and each.batch_size == last.batch_size for each in attempts)
    if alike <= cell.retries.get(last.outcome, 0):
        return last.batch_size
    if last.outcome == OUT_OF_MEMORY and cell.halves_batch:
        return (last.batch_size or cell.batch_size) // 2 or None
    return None


def worst(attempts: Sequence[Attempt]) -> ExitCode:
    """The highest of what they end with, as signals and failures number higher than doubts."""
    return max((attempt.exit_code for attempt in attempts), default=ExitCode.VALID)
